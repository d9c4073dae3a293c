import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestJobs } from '../testing/open-test-jobs.ts'
import { beganText } from './job-lease.ts'

test('JOB-25 To count what has begun since a time the database reads those jobs alone', async (context) => {
  await using world = await openTestJobs()
  if (world.database.dialect.name !== 'sqlite') return context.skip("The plan is SQLite's.")
  const plan = await world.database.read((reader) => reader.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${beganText}`, [world.space, 'x', 1]))
  assert.ok(
    plan.some(({ detail }) => detail.includes('holdfast_jobs_begun (space=? AND kind=? AND started_at>?')),
    plan.map(({ detail }) => detail).join('\n'),
  )
  return undefined
})
