import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { openTestJobs, TEST_START_MS } from '../testing/open-test-jobs.ts'
import { defineJob, type JobOptions } from './define-job.ts'
import { JobFailure } from './job-failure.ts'

const nothing = z.null()
const note = { kind: 'note', payload: null }

test('JOB-9 Lanes have places of their own: quick work starts while slow and bulk work fill theirs', async () => {
  await using world = await openTestJobs()
  const hang = () => new Promise<never>(() => {})
  const worker = world.worker(
    { slow: defineJob(nothing, hang, { lane: 'slow', concurrency: 50 }), bulk: defineJob(nothing, hang, { lane: 'bulk', concurrency: 50 }), note: defineJob(nothing, hang, { concurrency: 3 }) },
    { places: { quick: 5, slow: 2, bulk: 1 } },
  )
  await world.enqueue(['slow', 'bulk'].flatMap((kind) => Array.from({ length: 10 }, () => ({ kind, payload: null }))))
  assert.equal(await worker.runOnce(), 3)
  await world.enqueue(Array.from({ length: 10 }, () => note))
  assert.equal(await worker.runOnce(), 3, 'no more than the kind may run at once')
  const running = (await world.jobs()).filter(({ state }) => state === 'running').map(({ kind }) => kind)
  assert.deepEqual(running, ['slow', 'slow', 'bulk', 'note', 'note', 'note'])
})

/** A worker that has learned that its jobs take no time, and then has three of them: `begun` tells which began; they hang until released. */
async function openLearned(world: Awaited<ReturnType<typeof openTestJobs>>, options: JobOptions<number> = {}) {
  const begun: number[] = []
  const release = Promise.withResolvers<void>()
  const job = defineJob(
    z.number(),
    async ({ payload }) => {
      begun.push(payload)
      if (payload > 0) await release.promise
      return { kind: 'done' }
    },
    { concurrency: 1, backoffMs: [0], ...options },
  )
  const worker = world.worker({ note: job })
  await world.enqueue([{ kind: 'note', payload: 0 }])
  await world.finish(worker)
  await world.enqueue([1, 2, 3].map((payload) => ({ kind: 'note', payload })))
  return { worker, job, begun, release }
}

const statesOf = async (world: Awaited<ReturnType<typeof openTestJobs>>) => (await world.jobs()).slice(1).map(({ state, attempts }) => [state, attempts])

test('JOB-9 Quick jobs that take little time are claimed together and begin when there is a place', async () => {
  await using world = await openTestJobs()
  const { worker, begun, release } = await openLearned(world)
  assert.equal(await worker.runOnce(), 3)
  assert.deepEqual(begun, [0, 1])
  release.resolve()
  await worker.settled()
  assert.deepEqual(begun, [0, 1, 2, 3])
  assert.deepEqual(await statesOf(world), Array(3).fill(['done', 1]))
})

test('JOB-9 Neither slow jobs nor those on their last attempt are claimed before there is a place', async () => {
  await using world = await openTestJobs()
  const single = await openLearned(world, { attempts: 1 })
  assert.equal(await single.worker.runOnce(), 1)
  await using other = await openTestJobs()
  const slow = await openLearned(other, { lane: 'slow' })
  assert.equal(await slow.worker.runOnce(), 1)
})

test('JOB-9 What was claimed ahead and has not begun within a second is given back with its attempt', async () => {
  await using world = await openTestJobs()
  const { worker, job } = await openLearned(world)
  await worker.runOnce()
  world.advance(1_001)
  await world.enqueue([{ kind: 'note', payload: 4 }])
  assert.equal(await worker.runOnce(), 0)
  assert.deepEqual(await statesOf(world), [
    ['running', 1],
    ['ready', 0],
    ['ready', 0],
    ['ready', 0],
  ])
  assert.equal(await world.worker({ note: job }).runOnce(), 1, 'another process goes on')
})

test('JOB-7 A job that is stopped while it waits for a place never begins', async () => {
  await using world = await openTestJobs()
  const { worker, begun, release } = await openLearned(world)
  await world.enqueue([{ kind: 'note', payload: 4, uniqueKey: 'k' }])
  assert.equal(await worker.runOnce(), 4)
  await world.commit({ stops: [{ kind: 'note', uniqueKey: 'k' }] })
  release.resolve()
  await worker.settled()
  assert.deepEqual(begun, [0, 1, 2, 3])
  assert.deepEqual((await statesOf(world)).at(-1), ['cancelled', 1])
})

test('JOB-12 What waits for a place when the worker is told to stop is given back at once', async () => {
  await using world = await openTestJobs()
  const { worker, begun, release } = await openLearned(world)
  await worker.runOnce()
  const closed = worker.close()
  release.resolve()
  await closed
  assert.deepEqual(begun, [0, 1])
  assert.deepEqual(
    (await statesOf(world)).map(([state]) => state),
    ['done', 'ready', 'ready'],
  )
})

test('JOB-10 A long queue of one space holds up no other: spaces take turns', async () => {
  await using world = await openTestJobs()
  const order: number[] = []
  const worker = world.worker({ note: defineJob(nothing, async (_, { scope }) => (order.push(scope.space), { kind: 'done' }), { concurrency: 2 }) })
  const [bob, cleo] = [await world.addSpace('bob'), await world.addSpace('cleo')]
  await world.enqueue(Array.from({ length: 20 }, () => note))
  await world.enqueue([note, note], bob)
  await world.enqueue([note], cleo)
  await world.finish(worker)
  assert.equal(order.length, 23)
  assert.deepEqual(
    order
      .slice(0, 6)
      .filter((space) => space !== world.space)
      .toSorted((one, other) => one - other),
    [bob, bob, cleo].toSorted((one, other) => one - other),
  )
})

test('JOB-11 A job may wait for its time without losing an attempt, and one that is asked for later starts no sooner', async () => {
  await using world = await openTestJobs()
  let asked = 0
  const worker = world.worker({
    note: defineJob(nothing, async (_, { now }) => ((asked += 1) === 1 ? { kind: 'later', runAt: now() + 5_000, reason: { code: 'limit', message: 'Enough for today.' } } : { kind: 'empty' })),
  })
  await world.enqueue([{ ...note, runAt: TEST_START_MS + 1_000 }])
  assert.equal(await worker.runOnce(), 0)
  world.advance(1_000)
  await world.finish(worker)
  assert.deepEqual(
    (await world.jobs()).map(({ state, attempts, reason_code }) => [state, attempts, reason_code]),
    [['later', 0, 'limit']],
  )
  world.advance(5_000)
  await world.finish(worker)
  assert.deepEqual(
    (await world.jobs()).map(({ state, attempts, reason_code }) => [state, attempts, reason_code]),
    [['empty', 1, null]],
  )
})

test('JOB-12 A worker that is told to stop gives its jobs time, then puts them back with their attempt', async () => {
  await using world = await openTestJobs()
  const finishing = Promise.withResolvers<void>()
  const worker = world.worker({
    quits: defineJob(nothing, (_, { signal }) => new Promise((__, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))))),
    ends: defineJob(nothing, async () => (await finishing.promise, { kind: 'done' })),
  })
  await world.enqueue([
    { kind: 'quits', payload: null },
    { kind: 'ends', payload: null },
  ])
  assert.equal(await worker.runOnce(), 2)
  finishing.resolve()
  await worker.close()
  assert.deepEqual(
    (await world.jobs()).map(({ kind, state, attempts }) => [kind, state, attempts]),
    [
      ['quits', 'ready', 0],
      ['ends', 'done', 1],
    ],
  )
})

test('JOB-13 A commit wakes the worker; a worker that missed it finds the job by looking', async () => {
  await using world = await openTestJobs()
  const first = Promise.withResolvers<void>()
  const second = Promise.withResolvers<void>()
  const worker = world.worker({ note: defineJob(z.number(), async ({ payload }) => ((payload === 1 ? first : second).resolve(), { kind: 'done' })) }, { pollMs: 600_000 })
  worker.start()
  await world.enqueue([{ kind: 'note', payload: 1 }])
  await first.promise
  const deaf = world.worker({ note: defineJob(z.number(), async () => (second.resolve(), { kind: 'done' })) }, { pollMs: 5 })
  await worker.close()
  deaf.start()
  const row = { id: 'x', app: 'shop', space: world.space, kind: 'note', payload: '2', state: 'ready', alone: 0, attempts: 0, run_at: 0, created_at: 0 } as const
  await world.database.write((tx) => tx.query.insertInto('holdfast_jobs').values(row).execute())
  await second.promise
})

test('JOB-14 Progress is kept from 0 to 1 with a label, and the end says how it went', async () => {
  await using world = await openTestJobs()
  const seen: unknown[] = []
  const job = defineJob(z.number(), async ({ id, payload }, context) => {
    await context.progress(payload, 'half')
    const row = (await world.jobs()).find((one) => one.id === id)
    seen.push([row?.progress, row?.progress_label])
    return { kind: 'refused', reason: { code: 'no', message: 'It would not.' } }
  })
  await world.enqueue([7, 0.25, -1].map((payload) => ({ kind: 'note', payload })))
  await world.finish(world.worker({ note: { ...job, concurrency: 1 } }))
  assert.deepEqual(seen, [
    [1, 'half'],
    [0.25, 'half'],
    [0, 'half'],
  ])
  assert.deepEqual(
    (await world.jobs()).map(({ state, reason_code }) => [state, reason_code]),
    Array(3).fill(['refused', 'no']),
  )
})

test('JOB-15 A schedule runs once per turn however many processes look, and makes up for missed turns once', async () => {
  await using world = await openTestJobs()
  let runs = 0
  const jobs = { daily: defineJob(z.string(), async () => ((runs += 1), { kind: 'done' }), { schedule: { cron: '0 3 * * *', timezone: 'Europe/Berlin', payload: 'go' } }) }
  const workers = [world.worker(jobs), world.worker(jobs)]
  const round = () => Promise.all(workers.map((worker) => world.finish(worker)))
  await round()
  assert.equal(runs, 0)
  world.advance(15 * 3_600_000 - 31_000)
  await round()
  assert.equal(runs, 0, '02:59:59 in Berlin')
  world.advance(1_000)
  await round()
  await round()
  assert.equal(runs, 1)
  world.advance(5 * 86_400_000)
  await round()
  assert.equal(runs, 2)
  assert.equal((await world.jobs()).length, 2)
})

test('JOB-15 A schedule that cannot be read stops the start', async () => {
  await using world = await openTestJobs()
  const job = (cron: string, timezone: string) => ({ daily: defineJob(nothing, async () => ({ kind: 'done' }), { schedule: { cron, timezone, payload: null } }) })
  assert.throws(() => world.worker(job('61 3 * * *', 'UTC')))
  assert.throws(() => world.worker(job('0 3 * * *', 'Mars/Base')))
})

test('JOB-16 Ended jobs go after a week, dead ones after ninety days, and the newest step of a record stays', async () => {
  await using world = await openTestJobs()
  const record = { collection: 'items', id: 'one' }
  const jobs = { note: defineJob(nothing, async () => ({ kind: 'done' })), bad: defineJob(nothing, async () => Promise.reject(new JobFailure('x', 'y', { final: true }))) }
  await world.enqueue([note, { ...note, record }, { ...note, record }, { kind: 'bad', payload: null }])
  await world.finish(world.worker(jobs))
  world.advance(8 * 86_400_000)
  await world.worker(jobs).runOnce()
  assert.deepEqual(
    (await world.jobs()).map(({ kind, state }) => [kind, state]),
    [
      ['note', 'done'],
      ['bad', 'dead'],
    ],
  )
  world.advance(90 * 86_400_000)
  await world.worker(jobs).runOnce()
  assert.deepEqual(
    (await world.jobs()).map(({ kind, state }) => [kind, state]),
    [['note', 'done']],
  )
})
