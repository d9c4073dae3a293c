import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { openTestJobs, TEST_START_MS, type TestJobs } from '../testing/open-test-jobs.ts'
import { defineJob } from './define-job.ts'
import { JobFailure } from './job-failure.ts'

const nothing = z.null()
const note = { kind: 'note', payload: null }

const told = async (world: TestJobs) => (await world.jobs()).map(({ kind, state, attempts, reason_code }) => [kind, state, attempts, reason_code])

test('JOB-4 Whatever a job throws is a failed attempt with a reason, at once', async () => {
  const things: readonly unknown[] = [
    undefined,
    null,
    5,
    'text',
    Symbol('sign'),
    Object.create(null),
    { message: 'no error' },
    Object.assign(new Error('x'), { message: { no: 'text' } }),
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('not even this')
        },
        getPrototypeOf: () => {
          throw new Error('nor this')
        },
      },
    ),
    new JobFailure('once.more', 'Later.', { afterMs: Number.NaN }),
    new Error('x'.repeat(10_000_000)),
    new Error('half \ud83d and \0'),
  ]
  await using world = await openTestJobs()
  const throws = defineJob(z.number(), async ({ payload }) => Promise.reject(things[payload]), { attempts: 1 })
  const worker = world.worker({ throws, once: { ...throws, attempts: 2 }, note: defineJob(nothing, async () => ({ kind: 'done' })) })
  await world.enqueue(things.flatMap((_, payload) => [{ kind: 'throws', payload }, { kind: 'once', payload }, note]))
  await world.finish(worker)
  const jobs = await world.jobs()
  assert.deepEqual(new Set(jobs.map(({ kind, state }) => `${kind} ${state}`)), new Set(['throws dead', 'once later', 'note done']))
  for (const { kind, reason_code, reason_message } of jobs) if (kind !== 'note') assert.ok((reason_code ?? '') !== '' && (reason_message ?? 'x').length <= 500, kind)
  assert.deepEqual(
    world.events.filter(({ action }) => action === 'jobs.end_failed'),
    [],
  )
})

test('JOB-4 A job that answers nothing that it may answer has failed, and takes no other with it', async () => {
  const answers: readonly unknown[] = [
    undefined,
    null,
    5,
    {},
    { kind: 'splendid' },
    { kind: 'later' },
    { kind: 'later', runAt: Number.NaN },
    { kind: 'later', runAt: Number.POSITIVE_INFINITY },
    { kind: 'later', runAt: 'soon' },
  ]
  await using world = await openTestJobs()
  const worker = world.worker({
    odd: defineJob(z.number(), async ({ payload }) => answers[payload] as never, { attempts: 1, concurrency: 8 }),
    note: defineJob(nothing, async () => ({ kind: 'done' }), { concurrency: 8 }),
  })
  await world.enqueue(answers.flatMap((_, payload) => [{ kind: 'odd', payload }, note]))
  await world.finish(worker)
  assert.deepEqual(new Set((await told(world)).map((job) => job.join(' '))), new Set(['odd dead 1 error', 'note done 1 ']))
})

test('JOB-11 A job that waits until a fraction of a millisecond waits until the next one', async () => {
  await using world = await openTestJobs()
  await world.enqueue([note])
  await world.finish(world.worker({ note: defineJob(nothing, async () => ({ kind: 'later', runAt: TEST_START_MS + 0.5 })) }))
  assert.deepEqual(
    (await world.jobs()).map(({ state, run_at }) => [state, run_at]),
    [['later', TEST_START_MS + 1]],
  )
})

test('JOB-6 A time limit beyond what a timer can wait is none, and not one that is over at once', async () => {
  await using world = await openTestJobs()
  await world.enqueue([note])
  const worker = world.worker({ note: defineJob(nothing, () => new Promise((resolve) => setTimeout(() => resolve({ kind: 'done' }), 20)), { timeoutMs: 2 ** 31 + 5, attempts: 1 }) })
  await world.finish(worker)
  assert.deepEqual(await told(world), [['note', 'done', 1, null]])
})

test('JOB-5 A job that would write more than the database takes has failed; the next one is not held up', async () => {
  await using world = await openTestJobs()
  const many = Array.from({ length: 3 }, (_, index) => ({ collection: 'items', id: `one-${index}`, op: 'put', data: { name: 'x'.repeat(index === 2 ? 101 : 1) } }) as const)
  const worker = world.worker({
    odd: defineJob(nothing, async () => ({ kind: 'done', write: { mutations: many } }), { attempts: 1 }),
    large: defineJob(nothing, async () => ({
      kind: 'done',
      write: { mutations: Array.from({ length: 5_000 }, (_, index) => ({ collection: 'items', id: `many-${index}`, op: 'put', data: { name: 'x'.repeat(100) } }) as const) },
    })),
    note: defineJob(nothing, async () => ({ kind: 'done' })),
  })
  await world.enqueue([{ kind: 'odd', payload: null }, { kind: 'large', payload: null }, note])
  await world.finish(worker)
  assert.deepEqual(await told(world), [
    ['odd', 'dead', 1, 'write.refused'],
    ['large', 'done', 1, null],
    ['note', 'done', 1, null],
  ])
  const [row] = await world.database.read((reader) => reader.all<{ count: number }>('SELECT count(*) AS count FROM shop_items'))
  assert.equal(row?.count, 5_000)
})

test('JOB-7 A job that is gone with its space while it runs has no effect, and the next one is not held up', async () => {
  await using world = await openTestJobs()
  const finishing = Promise.withResolvers<void>()
  const write = { mutations: [{ collection: 'items', id: 'late', op: 'put', data: { name: 'late' } }] } as const
  const worker = world.worker({ note: defineJob(nothing, async () => (await finishing.promise, { kind: 'done', write })), quick: defineJob(nothing, async () => ({ kind: 'done' })) })
  const doomed = await world.addSpace('bob')
  await world.enqueue([note], doomed)
  await worker.runOnce()
  await world.database.write(async (tx) => {
    await tx.run('DELETE FROM holdfast_jobs WHERE space = ?', [doomed])
    await tx.run('DELETE FROM holdfast_changes WHERE space = ?', [doomed])
    await tx.run('DELETE FROM holdfast_spaces WHERE space = ?', [doomed])
  })
  await worker.heartbeat()
  finishing.resolve()
  await worker.settled()
  await world.enqueue([{ kind: 'quick', payload: null }])
  await world.finish(worker)
  assert.deepEqual(await told(world), [['quick', 'done', 1, null]])
  assert.deepEqual(
    world.events.map(({ action }) => action),
    [],
  )
})

test('JOB-12 What a job does after its process was told to stop goes nowhere, and harms nobody', async () => {
  await using world = await openTestJobs()
  const late = Promise.withResolvers<unknown>()
  const worker = world.worker({
    note: defineJob(nothing, async (_, { signal, commit, progress }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      const end = await Promise.allSettled([commit({ mutations: [{ collection: 'items', id: 'late', op: 'put', data: { name: 'late' } }] }), progress(0.9), progress(1)])
      late.resolve(end.map(({ status }) => status).join())
      throw new Error('An echo.')
    }),
  })
  await world.enqueue([note])
  await worker.runOnce()
  await worker.close()
  assert.match(String(await late.promise), /rejected/)
  assert.deepEqual(await told(world), [['note', 'ready', 0, null]])
  const rows = await world.database.read((reader) => reader.all('SELECT id FROM shop_items'))
  assert.equal(rows.length, 0)
})

test('JOB-8 Where clocks differ, or one jumps, no process takes the jobs of another that lives', async () => {
  await using world = await openTestJobs()
  const finishing = Promise.withResolvers<void>()
  let runs = 0
  const jobs = { note: defineJob(nothing, async () => ((runs += 1), await finishing.promise, { kind: 'done' }), { attempts: 1 }) }
  const [one, other] = [world.worker(jobs, { leaseMs: 30_000 }), world.worker(jobs, { leaseMs: 30_000 })]
  await world.enqueue([note])
  await one.runOnce()
  // Both were asleep for an hour; the other one is the first to look.
  world.advance(3_600_000)
  await other.runOnce()
  for (let times = 0; times < 10; times += 1) {
    await one.heartbeat()
    world.advance(10_000)
    await other.runOnce()
  }
  finishing.resolve()
  await one.settled()
  assert.equal(runs, 1)
  assert.deepEqual(await told(world), [['note', 'done', 1, null]])
})

test('JOB-8 A clock that jumps ahead takes no job from its own process; one that jumps back holds none up', async () => {
  await using world = await openTestJobs()
  const finishing = Promise.withResolvers<void>()
  let runs = 0
  const jobs = { note: defineJob(nothing, async () => ((runs += 1), await finishing.promise, { kind: 'done' })), quick: defineJob(nothing, async () => ({ kind: 'done' })) }
  const worker = world.worker(jobs, { leaseMs: 30_000 })
  await world.enqueue([note])
  await worker.runOnce()
  world.advance(3_600_000)
  await worker.runOnce()
  await worker.heartbeat()
  world.advance(-7_200_000)
  await world.enqueue([{ kind: 'quick', payload: null }])
  assert.equal(await worker.runOnce(), 1)
  await worker.heartbeat()
  finishing.resolve()
  await worker.settled()
  assert.equal(runs, 1)
  assert.deepEqual(await told(world), [
    ['note', 'done', 1, null],
    ['quick', 'done', 1, null],
  ])
})
