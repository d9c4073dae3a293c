import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { openTestJobs, TEST_START_MS, type TestJobs } from '../testing/open-test-jobs.ts'
import { defineJob, type JobContext } from './define-job.ts'
import { JobFailure } from './job-failure.ts'
import { joinWishes, runnerDefaults, type JobRunner } from './job-runner.ts'

/** A lease runs out, the worker sees it, and it stays so for long enough. */
async function outlive(world: TestJobs, worker: JobRunner, leaseMs: number): Promise<void> {
  world.advance(leaseMs + 1)
  await worker.runOnce()
  world.advance(leaseMs / 2)
}

const nothing = z.null()
const note = { kind: 'note', payload: null }

test('JOB-1 A job is stored with the write that it follows, or not at all', async () => {
  await using world = await openTestJobs()
  const put = { collection: 'items', id: 'one', op: 'put', base: 0, sent: { name: 'One' }, complete: { name: 'One', state: 'new' } } as const
  await world.commit({ mutations: [put], jobs: [note] })
  assert.deepEqual(
    (await world.jobs()).map(({ kind, state, attempts }) => ({ kind, state, attempts })),
    [{ kind: 'note', state: 'ready', attempts: 0 }],
  )
  const stale = { ...put, sent: { name: 'Two' }, complete: { name: 'Two', state: 'new' } }
  const { outcomes } = await world.commit({ mutations: [stale], atomic: true, jobs: [note] })
  assert.equal(outcomes[0]?.status, 'conflict')
  assert.equal((await world.jobs()).length, 1)
})

test('JOB-1 A rule adds jobs to an accepted write, and takes them back with a group that is given up', async () => {
  await using world = await openTestJobs({
    items: ({ id, next }) =>
      next['name'] === 'bad' ? { kind: 'refuse', code: 'bad', message: 'No.' } : { kind: 'accept', jobs: [{ kind: 'note', payload: null, record: { collection: 'items', id } }] },
  })
  const put = (id: string, name: string) => ({ collection: 'items', id, op: 'put', base: 0, sent: { name }, complete: { name, state: 'new' }, group: 'g' }) as const
  await world.commit({ mutations: [put('one', 'fine'), put('two', 'bad')] })
  assert.deepEqual(await world.jobs(), [])
  await world.commit({ mutations: [put('one', 'fine'), put('two', 'fine')] })
  assert.equal((await world.jobs()).length, 2)
  await world.commit({ mutations: [{ collection: 'items', id: 'one', op: 'patch', base: 'any', sent: { name: 'fine' } }] })
  assert.equal((await world.jobs()).length, 2, 'a write that changes nothing adds no job')
})

test('JOB-2 While a job of a kind and key waits or runs, another is not added; afterwards it is', async () => {
  await using world = await openTestJobs()
  const keyed = { ...note, uniqueKey: 'k' }
  await world.enqueue([keyed, keyed, note, note])
  await world.enqueue([keyed])
  assert.equal((await world.jobs()).length, 3)
  await world.finish(world.worker({ note: defineJob(nothing, async () => ({ kind: 'done' })) }))
  await world.enqueue([keyed])
  assert.equal((await world.jobs()).length, 4)
  assert.equal((await world.jobs()).filter(({ state }) => state === 'ready').length, 1)
})

test('JOB-3 A claim counts the attempt before the work begins, and each job runs once however many workers look', async () => {
  await using world = await openTestJobs()
  const runs: string[] = []
  const jobs = { note: defineJob(nothing, async (job) => (runs.push(`${job.id} ${job.attempt}`), { kind: 'done' }), { concurrency: 50 }) }
  await world.enqueue(Array.from({ length: 100 }, () => note))
  const workers = [1, 2, 3].map(() => world.worker(jobs, { places: { quick: 7, slow: 1, bulk: 1 } }))
  for (;;) {
    const started = await Promise.all(workers.map((worker) => worker.runOnce()))
    if (started.every((count) => count === 0)) break
    await Promise.all(workers.map((worker) => worker.settled()))
  }
  assert.equal(runs.length, 100)
  assert.equal(new Set(runs).size, 100)
  assert.ok((await world.jobs()).every(({ state, attempts }) => state === 'done' && attempts === 1))
})

test('JOB-4 A failed attempt is recorded with its reason, waits with a spread, and the last one makes the job dead', async () => {
  await using world = await openTestJobs()
  const worker = world.worker({ note: defineJob(nothing, async () => Promise.reject(new Error('no\0 luck')), { attempts: 2, backoffMs: [10_000] }) })
  await world.enqueue([note])
  await world.finish(worker)
  const [waiting] = await world.jobs()
  assert.equal(waiting?.state, 'later')
  assert.equal(waiting.reason_code, 'error')
  assert.equal(waiting.reason_message, 'no luck')
  assert.ok(waiting.run_at >= TEST_START_MS + 8_000 && waiting.run_at <= TEST_START_MS + 12_000)
  world.advance(7_999)
  assert.equal(await worker.runOnce(), 0)
  world.advance(4_001)
  await world.finish(worker)
  const [dead] = await world.jobs()
  assert.deepEqual([dead?.state, dead?.attempts, dead?.reason_code], ['dead', 2, 'error'])
  world.advance(1_000_000)
  assert.equal(await worker.runOnce(), 0)
})

test('JOB-4 A failure may say that it is final, or when to come back', async () => {
  await using world = await openTestJobs()
  const worker = world.worker({
    final: defineJob(nothing, async () => Promise.reject(new JobFailure('gone', 'There is no such page.', { final: true }))),
    busy: defineJob(nothing, async () => Promise.reject(new JobFailure('busy', 'Come later.', { afterMs: 3_600_000 })), { backoffMs: [1] }),
  })
  await world.enqueue([
    { ...note, kind: 'final' },
    { ...note, kind: 'busy' },
  ])
  await world.finish(worker)
  const [final, busy] = await world.jobs()
  assert.deepEqual([final?.state, final?.attempts, final?.reason_code], ['dead', 1, 'gone'])
  assert.deepEqual([busy?.state, busy?.run_at], ['later', TEST_START_MS + 3_600_000])
})

test('JOB-4 A payload that is not of the kind is dead at once', async () => {
  await using world = await openTestJobs()
  await world.enqueue([{ kind: 'note', payload: { a: 1 } }])
  await world.finish(world.worker({ note: defineJob(nothing, async () => ({ kind: 'done' })) }))
  assert.deepEqual(
    (await world.jobs()).map(({ state, reason_code }) => [state, reason_code]),
    [['dead', 'payload.invalid']],
  )
})

test('JOB-5 What a job returns to be written and its end are one transaction', async () => {
  await using world = await openTestJobs()
  const write = { mutations: [{ collection: 'items', id: 'one', op: 'put', data: { name: 'By a job' } }], jobs: [{ kind: 'after', payload: null }] } as const
  await world.enqueue([note])
  await world.finish(world.worker({ note: defineJob(nothing, async () => ({ kind: 'done', write })) }))
  assert.equal((await world.store.records('shop', world.space).get('items', 'one'))?.author, 'system:job:note')
  assert.deepEqual(
    (await world.jobs()).map(({ kind, state }) => [kind, state]),
    [
      ['note', 'done'],
      ['after', 'ready'],
    ],
  )
})

test('JOB-5 A write that is refused is a failed attempt, and nothing of it stays', async () => {
  await using world = await openTestJobs()
  const write = {
    mutations: [
      { collection: 'items', id: 'one', op: 'put', data: { name: 'fine' } },
      { collection: 'items', id: 'two', op: 'put', data: {} },
    ],
  } as const
  await world.enqueue([note])
  await world.finish(world.worker({ note: defineJob(nothing, async () => ({ kind: 'done', write }), { attempts: 1 }) }))
  assert.equal(await world.store.records('shop', world.space).get('items', 'one'), undefined)
  assert.deepEqual(
    (await world.jobs()).map(({ state, reason_code }) => [state, reason_code]),
    [['dead', 'write.refused']],
  )
})

test('JOB-5 What belongs to a death is written with it; if that is refused or fails, the death alone is', async () => {
  await using world = await openTestJobs()
  const fails = async () => Promise.reject(new Error('no'))
  await world.enqueue(['sound', 'refused', 'broken'].map((kind) => ({ kind, payload: null })))
  await world.finish(
    world.worker({
      sound: defineJob(nothing, fails, {
        attempts: 1,
        ended: ({ reason, attempts }) => ({ mutations: [{ collection: 'items', id: 'one', op: 'put', data: { name: `${reason.message} ${attempts}` } }] }),
      }),
      refused: defineJob(nothing, fails, { attempts: 1, ended: () => ({ mutations: [{ collection: 'items', id: 'two', op: 'put', data: {} }] }) }),
      broken: defineJob(nothing, fails, {
        attempts: 1,
        ended: () => {
          throw new Error('a mistake')
        },
      }),
    }),
  )
  assert.equal((await world.store.records('shop', world.space).get('items', 'one'))?.fields['name'], 'no 1')
  assert.deepEqual(
    (await world.jobs()).map(({ state }) => state),
    ['dead', 'dead', 'dead'],
  )
})

test('JOB-6 A job that hangs is stopped at its time limit; what it brings later is not written', async () => {
  await using world = await openTestJobs()
  const released = Promise.withResolvers<void>()
  const late = Promise.withResolvers<unknown>()
  let context: JobContext | undefined
  const hang = defineJob(
    nothing,
    async (_, given) => {
      context = given
      await released.promise
      late.resolve(await given.commit({ mutations: [{ collection: 'items', id: 'late', op: 'put', data: { name: 'Late' } }] }).catch((error: unknown) => (error as Error).name))
      return { kind: 'done' }
    },
    { timeoutMs: 1, attempts: 1 },
  )
  await world.enqueue([note])
  await world.finish(world.worker({ note: hang }))
  assert.deepEqual(
    (await world.jobs()).map(({ state, reason_code }) => [state, reason_code]),
    [['dead', 'timeout']],
  )
  assert.equal(context?.signal.aborted, true)
  released.resolve()
  await assert.rejects(context.progress(0.5), { name: 'LeaseLost' })
  assert.equal(await late.promise, 'LeaseLost')
  assert.equal(await world.store.records('shop', world.space).get('items', 'late'), undefined)
})

test('JOB-7 A job that is stopped while it runs is told so, and what it brings later is not written', async () => {
  await using world = await openTestJobs()
  const begun = Promise.withResolvers<JobContext>()
  const never = defineJob(nothing, async (_, context) => (begun.resolve(context), new Promise<never>(() => {})))
  const worker = world.worker({ note: never })
  await world.enqueue([{ ...note, uniqueKey: 'k' }])
  await worker.runOnce()
  const { signal, commit } = await begun.promise
  await world.commit({ stops: [{ kind: 'note', uniqueKey: 'k' }], jobs: [{ ...note, uniqueKey: 'k' }] })
  await worker.settled()
  assert.equal(signal.aborted, true)
  await assert.rejects(commit({ mutations: [{ collection: 'items', id: 'late', op: 'put', data: { name: 'Late' } }] }), { name: 'LeaseLost' })
  assert.deepEqual(
    (await world.jobs()).map(({ state, attempts }) => [state, attempts]),
    [
      ['cancelled', 1],
      ['ready', 0],
    ],
  )
})

test('JOB-8 A job whose worker gives no sign of life is tried again elsewhere, its attempt counted, one such job at a time', async () => {
  await using world = await openTestJobs()
  const hangs = defineJob(nothing, () => new Promise<never>(() => {}))
  const dead = world.worker({ note: hangs }, { leaseMs: 30_000 })
  await world.enqueue([note, note, note])
  assert.equal(await dead.runOnce(), 3)
  let together = 0
  let most = 0
  const counted = defineJob(
    nothing,
    async () => {
      together += 1
      most = Math.max(most, together)
      await new Promise((resolve) => setImmediate(resolve))
      together -= 1
      return { kind: 'done' }
    },
    { backoffMs: [0] },
  )
  const other = world.worker({ note: counted }, { leaseMs: 30_000 })
  assert.equal(await other.runOnce(), 0)
  await outlive(world, other, 30_000)
  await world.finish(other)
  assert.deepEqual(
    (await world.jobs()).map(({ state, attempts, alone }) => [state, attempts, alone]),
    [
      ['done', 2, 1],
      ['done', 2, 1],
      ['done', 2, 1],
    ],
  )
  assert.equal(most, 1)
})

test('JOB-8 A heartbeat keeps the lease, and ends what is no longer held', async () => {
  await using world = await openTestJobs()
  const begun = Promise.withResolvers<JobContext>()
  const worker = world.worker({ note: defineJob(nothing, async (_, context) => (begun.resolve(context), new Promise<never>(() => {}))) }, { leaseMs: 30_000 })
  const other = world.worker({ note: defineJob(nothing, async () => ({ kind: 'done' }), { backoffMs: [0] }) }, { leaseMs: 30_000 })
  await world.enqueue([note])
  await worker.runOnce()
  world.advance(29_000)
  await worker.heartbeat()
  world.advance(29_000)
  assert.equal(await other.runOnce(), 0)
  const { signal } = await begun.promise
  await outlive(world, other, 2_000)
  world.advance(14_000)
  await world.finish(other)
  assert.deepEqual(
    (await world.jobs()).map(({ state, attempts }) => [state, attempts]),
    [['done', 2]],
  )
  assert.equal(signal.aborted, false)
  await worker.heartbeat()
  assert.equal(signal.aborted, true)
})

test('JOB-8 A process that was stopped for a while does not take its own jobs for dead ones', async () => {
  await using world = await openTestJobs()
  const worker = world.worker({ note: defineJob(nothing, () => new Promise<never>(() => {}), { attempts: 1 }) }, { leaseMs: 30_000 })
  await world.enqueue([note])
  await worker.runOnce()
  world.advance(500_000)
  assert.equal(await worker.runOnce(), 0)
  assert.deepEqual(
    (await world.jobs()).map(({ state }) => state),
    ['running'],
  )
})

test('JOB-8 A job under which every worker dies is dead after its attempts', async () => {
  await using world = await openTestJobs()
  await world.enqueue([note])
  const next = () => world.worker({ note: defineJob(nothing, () => new Promise<never>(() => {}), { attempts: 3, backoffMs: [0] }) }, { leaseMs: 30_000 })
  await next().runOnce()
  for (let death = 1; death <= 3; death += 1) {
    const witness = next()
    await outlive(world, witness, 30_000)
    // It claims what the dead one has left, and dies in its turn.
    await witness.runOnce()
  }
  assert.deepEqual(
    (await world.jobs()).map(({ state, attempts, reason_code }) => [state, attempts, reason_code]),
    [['dead', 3, 'worker_crashed']],
  )
})

test('JOB-23 What a process that is gone was working on goes on without waiting for its lease', async () => {
  await using world = await openTestJobs()
  const dead = world.worker({ note: defineJob(nothing, () => new Promise<never>(() => {})) }, { leaseMs: 3_600_000, holder: 'server' })
  await world.enqueue([note])
  await dead.runOnce()
  const next = world.worker({ note: defineJob(nothing, async () => ({ kind: 'done' }), { backoffMs: [0] }) }, { holder: 'server' })
  assert.equal(await next.runOnce(), 0)
  await next.takeOver()
  await world.finish(next)
  assert.deepEqual(
    (await world.jobs()).map(({ state, attempts }) => [state, attempts]),
    [['done', 2]],
  )
})

test('JOB-23 A server that starts leaves alone what worker processes beside it are working on', async () => {
  await using world = await openTestJobs()
  const finishing = Promise.withResolvers<void>()
  const jobs = { note: defineJob(nothing, async () => (await finishing.promise, { kind: 'done' })) }
  const beside = world.worker(jobs, { leaseMs: 3_600_000 })
  await world.enqueue([note])
  await beside.runOnce()
  const server = world.worker(jobs, { holder: 'server' })
  await server.takeOver()
  assert.equal(await server.runOnce(), 0)
  finishing.resolve()
  await beside.settled()
  assert.deepEqual(
    (await world.jobs()).map(({ state, attempts }) => [state, attempts]),
    [['done', 1]],
  )
})

test('JOB-24 Of what several apps ask of the workers the shortest time and the most places count', () => {
  assert.deepEqual(joinWishes([]), runnerDefaults)
  const joined = joinWishes([
    { leaseMs: 90_000, graceMs: 5_000, places: { slow: 9 } },
    { leaseMs: 80_000, places: { slow: 1, bulk: 3 } },
  ])
  assert.deepEqual(joined, { ...runnerDefaults, leaseMs: 80_000, graceMs: 5_000, places: { quick: 8, slow: 9, bulk: 3 } })
})

test('JOB-25 How many have begun since a time: retries count once, what was put back does not, and those that begin together have an order', async () => {
  await using world = await openTestJobs()
  const asked: number[] = []
  let fails = false
  const limited = defineJob(
    nothing,
    async ({ attempt }, context) => {
      const count = await context.beganSince(TEST_START_MS)
      asked.push(count)
      if (attempt === 1 && count > 3) return { kind: 'later', runAt: context.now() + 3_600_000 }
      if (fails) throw new Error('no')
      return { kind: 'done' }
    },
    { concurrency: 8, backoffMs: [1_000] },
  )
  const worker = world.worker({ note: limited })
  const other = await world.addSpace('bob')
  await world.enqueue([note, note, note, note, note], other)
  await world.enqueue([note, note])
  await world.finish(worker)
  const states = () => world.jobs().then((jobs) => jobs.map(({ state }) => state).toSorted())
  assert.deepEqual(await states(), ['done', 'done', 'done', 'done', 'done', 'later', 'later'])
  asked.length = 0
  fails = true
  await world.enqueue([note])
  await world.finish(worker)
  world.advance(2_000)
  fails = false
  await world.finish(worker)
  assert.deepEqual(asked, [3, 3], 'the second attempt is no further one')
})
