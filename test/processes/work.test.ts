import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { uuidv7 } from 'uuidv7'
import { enqueueJobs } from '../../src/storage/job-enqueue.ts'
import { ensureSpace } from '../../src/storage/space-store.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/open-test-database.ts'

const command = fileURLToPath(new URL('../../src/cli/holdfast.js', import.meta.url))
const config = fileURLToPath(new URL('work.config.ts', import.meta.url))

interface Line {
  readonly msg?: string
  readonly began?: string
}

/** Starts `holdfast work`; `began` is called with the id of each job that begins in it. */
async function startWorker({ location, folder }: TestDatabase, began: (id: string) => void): Promise<ChildProcess> {
  const place = location.startsWith('postgres') ? { HOLDFAST_DATABASE_URL: location } : {}
  const child = spawn(process.execPath, [command, 'work', '--config', config], {
    env: { ...process.env, HOLDFAST_DATA: folder, HOLDFAST_APPS: 'yard', HOLDFAST_LOG_LEVEL: 'info', ...place },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const working = Promise.withResolvers<void>()
  child.once('exit', () => working.reject(new Error('The worker ended.')))
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { msg, began: id } = JSON.parse(line) as Line
    if (msg === 'working') working.resolve()
    if (id !== undefined) began(id)
  })
  await working.promise
  return child
}

async function stop(worker: ChildProcess): Promise<number> {
  worker.kill('SIGTERM')
  return worker.exitCode ?? ((await once(worker, 'exit'))[0] as number)
}

async function addNotes({ database }: TestDatabase, count: number): Promise<void> {
  await database.write(async (tx) => {
    const { space } = await ensureSpace(tx, { id: uuidv7(), app: 'yard', kind: 'personal', name: 'ada', ownerId: 'ada', now: 1 })
    await enqueueJobs(
      tx,
      { app: 'yard', space, now: 1, nextId: uuidv7 },
      Array.from({ length: count }, () => ({ kind: 'note', payload: null })),
    )
  })
}

function statesOf({ database }: TestDatabase) {
  return database.read((reader) => reader.all<{ state: string; attempts: number; count: number }>('SELECT state, attempts, count(*) AS count FROM holdfast_jobs GROUP BY state, attempts'))
}

test('JOB-22 `holdfast work` processes share the jobs of a database, each runs once, and they stop when told', async () => {
  await using opened = await openTestDatabase()
  const { location, folder } = opened
  const began: string[] = []
  const all = Promise.withResolvers<void>()
  const hear = (id: string) => {
    if (began.push(id) === 60) all.resolve()
  }
  assert.ok(location.startsWith('postgres') || location === join(folder, 'holdfast.db'))
  const workers = [await startWorker(opened, hear), await startWorker(opened, hear)]
  await addNotes(opened, 60)
  await all.promise
  assert.deepEqual(await Promise.all(workers.map(stop)), [0, 0])
  assert.equal(new Set(began).size, 60)
  assert.deepEqual(
    (await statesOf(opened)).map((row) => ({ ...row })),
    [{ state: 'done', attempts: 1, count: 60 }],
  )
})

test('JOB-12 A process that is told to stop in the middle of a backlog finishes what runs and gives back the rest with its attempt', async () => {
  await using opened = await openTestDatabase()
  const enough = Promise.withResolvers<void>()
  let began = 0
  const worker = await startWorker(opened, () => {
    if ((began += 1) === 500) enough.resolve()
  })
  await addNotes(opened, 5_000)
  await enough.promise
  assert.equal(await stop(worker), 0)
  const states = await statesOf(opened)
  const done = states.find(({ state }) => state === 'done')?.count ?? 0
  assert.deepEqual(new Set(states.map(({ state, attempts }) => `${state} ${attempts}`)), new Set(done === 5_000 ? ['done 1'] : ['done 1', 'ready 0']))
  assert.equal(
    states.reduce((sum, { count }) => sum + count, 0),
    5_000,
  )
  const [made] = await opened.database.read((reader) => reader.all<{ count: number }>('SELECT count(*) AS count FROM yard_items'))
  assert.equal(made?.count, done)
})
