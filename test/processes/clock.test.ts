import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { uuidv7 } from 'uuidv7'
import type { Database } from '../../src/storage/database.ts'
import { enqueueJobs } from '../../src/storage/job-enqueue.ts'
import { ensureSpace } from '../../src/storage/space-store.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/open-test-database.ts'

const program = fileURLToPath(new URL('../../src/cli/holdfast.js', import.meta.url))
const config = fileURLToPath(new URL('clock.config.ts', import.meta.url))

/** Starts a process of the clock; `began` is called with the kind of each job that begins in it. */
async function start({ location, folder }: TestDatabase, command: 'serve' | 'work', began: (kind: string) => void) {
  const place = location.startsWith('postgres') ? { HOLDFAST_DATABASE_URL: location } : {}
  const child = spawn(process.execPath, [program, command, '--config', config], {
    env: { ...process.env, HOLDFAST_DATA: folder, HOLDFAST_APPS: 'clock', HOLDFAST_PORT: '0', HOLDFAST_LOG_LEVEL: 'info', ...place },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ready = Promise.withResolvers<void>()
  child.once('exit', () => ready.reject(new Error('The process ended.')))
  createInterface({ input: child.stdout }).on('line', (line) => {
    const entry = JSON.parse(line) as { readonly msg?: string; readonly began?: string }
    if (entry.msg === 'working' || entry.msg === 'listening') ready.resolve()
    if (entry.began !== undefined) began(entry.began)
  })
  await ready.promise
  const stop = async () => {
    // Its output has been read to the end when it is closed.
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    return (await closed)[0] as number
  }
  return { stop }
}

function jobsOf(database: Database, kind: string) {
  return database.read((reader) => reader.all<{ state: string; attempts: number; created_at: number }>('SELECT state, attempts, created_at FROM holdfast_jobs WHERE kind = ?', [kind]))
}

test('JOB-15 Of three processes with one schedule each turn is taken by one', async () => {
  await using opened = await openTestDatabase()
  const enough = Promise.withResolvers<void>()
  let ticks = 0
  const began = (kind: string) => {
    if (kind === 'tick' && (ticks += 1) === 4) enough.resolve()
  }
  const workers = await Promise.all(Array.from({ length: 3 }, () => start(opened, 'work', began)))
  await enough.promise
  assert.deepEqual(await Promise.all(workers.map((worker) => worker.stop())), [0, 0, 0])
  const jobs = await jobsOf(opened.database, 'tick')
  assert.equal(new Set(jobs.map(({ created_at }) => Math.floor(created_at / 1_000))).size, jobs.length, 'the schedule has a turn each second')
  const run = jobs.filter(({ state }) => state === 'done')
  assert.equal(run.length, ticks)
  assert.ok(run.every(({ attempts }) => attempts === 1))
})

test('JOB-12 A server that is told to stop while a job runs lets it finish', async () => {
  await using opened = await openTestDatabase()
  const running = Promise.withResolvers<void>()
  const server = await start(opened, 'serve', (kind) => {
    if (kind === 'long') running.resolve()
  })
  await opened.database.write(async (tx) => {
    const { space } = await ensureSpace(tx, { id: uuidv7(), app: 'clock', kind: 'personal', name: 'ada', ownerId: 'ada', now: 1 })
    await enqueueJobs(tx, { app: 'clock', space, now: 1, nextId: uuidv7 }, [{ kind: 'long', payload: null }])
  })
  await running.promise
  assert.equal(await server.stop(), 0)
  assert.deepEqual(
    (await jobsOf(opened.database, 'long')).map(({ state, attempts }) => [state, attempts]),
    [['done', 1]],
  )
})
