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

test('JOB-25 Workers whose clocks differ, and claims that overlap, count each job once: nobody is the first twice', async () => {
  await using world = await openTestJobs()
  await world.enqueue(Array.from({ length: 4 }, () => ({ kind: 'note', payload: null })))
  const since = world.chance.now() - 60_000
  const wish = { app: 'shop', kind: 'note', pool: 'quick', count: 2, ahead: 0, attemptsMax: 3 } as const
  const claim = (lease: string, now: number) => world.store.claim({ lease, now, leaseUntil: now + 60_000, places: { quick: 2, slow: 0, bulk: 0, alone: 0 }, wishes: [wish], promotes: false })
  const counts: number[] = []
  // The second claim is the earlier one by its worker's clock, and comes when the first has counted.
  for (const [lease, skewMs] of [
    ['ahead', 5_000],
    ['behind', -5_000],
  ] as const) {
    const jobs = await claim(`worker ${lease}`, world.chance.now() + skewMs)
    assert.equal(jobs.length, 2)
    counts.push(...(await Promise.all(jobs.map((job) => world.store.began(job, since)))))
  }
  assert.deepEqual(
    counts.toSorted((one, other) => one - other),
    [1, 2, 3, 4],
  )
})
