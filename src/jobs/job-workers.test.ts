import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openTestJobs, type TestJobs } from '../testing/open-test-jobs.ts'
import type { WorkerMessage } from '../testing/run-test-worker.ts'

const program = fileURLToPath(new URL('../testing/run-test-worker.ts', import.meta.url))

/** Real processes that work on one database. */
class Workers implements AsyncDisposable {
  readonly #world: TestJobs
  readonly #leaseMs: number
  readonly #children = new Set<ChildProcess>()
  readonly began: { readonly id: string; readonly kind: string; readonly attempt: number; readonly pid: number }[] = []
  readonly #listeners = new Set<() => void>()
  #live: number | undefined
  deaths = 0
  /** Another one takes the place of a worker that dies. */
  respawn = true

  constructor(world: TestJobs, leaseMs: number) {
    this.#world = world
    this.#leaseMs = leaseMs
  }

  spawn(): ChildProcess {
    const child = fork(program, [this.#world.location, String(this.#leaseMs)])
    this.#children.add(child)
    child.on('message', (message: WorkerMessage) => {
      if (message.began !== undefined) this.began.push({ ...message.began, pid: child.pid ?? 0 })
      if (message.live !== undefined) this.#live = message.live
      for (const listener of this.#listeners) listener()
    })
    child.once('exit', () => {
      this.#children.delete(child)
      this.deaths += 1
      if (this.respawn) this.spawn()
    })
    return child
  }

  /** Resolves when something the workers tell makes it true. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const listener = () => condition() && resolve()
    this.#listeners.add(listener)
    await promise
    this.#listeners.delete(listener)
  }

  async allEnded(): Promise<void> {
    this.#live = undefined
    await this.until(() => this.#live === 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.respawn = false
    const children = [...this.#children]
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(children.filter((child) => child.exitCode === null && child.signalCode === null).map((child) => once(child, 'exit')))
  }
}

/** What each job has written, and how often: the log has one entry for every time. */
async function effects(world: TestJobs): Promise<readonly { readonly entity_id: string; readonly times: number }[]> {
  return world.database.read((reader) => reader.all("SELECT entity_id, count(*) AS times FROM holdfast_changes WHERE entity = 'items' GROUP BY entity_id"))
}

test('JOB-21 Two processes and 1,000 jobs: each is run once', async () => {
  await using world = await openTestJobs()
  await using workers = new Workers(world, 60_000)
  await world.enqueue(Array.from({ length: 1_000 }, () => ({ kind: 'note', payload: null })))
  workers.spawn()
  workers.spawn()
  await workers.allEnded()
  assert.equal(workers.began.length, 1_000)
  assert.equal(new Set(workers.began.map(({ id }) => id)).size, 1_000)
  assert.equal(new Set(workers.began.map(({ pid }) => pid)).size, 2, 'both had a share')
  assert.ok((await world.jobs()).every(({ state, attempts }) => state === 'done' && attempts === 1))
  const made = await effects(world)
  assert.equal(made.length, 1_000)
  assert.ok(made.every(({ times }) => times === 1))
})

test('JOB-21 A process that is killed in the middle of a job: another completes it, and the attempt counted', async () => {
  await using world = await openTestJobs()
  await using workers = new Workers(world, 300)
  workers.respawn = false
  await world.enqueue([{ kind: 'hang', payload: null }])
  const first = workers.spawn()
  await workers.until(() => workers.began.length === 1)
  first.kill('SIGKILL')
  await once(first, 'exit')
  const second = workers.spawn()
  await workers.allEnded()
  assert.deepEqual(
    workers.began.map(({ attempt, pid }) => [attempt, pid]),
    [
      [1, first.pid],
      [2, second.pid],
    ],
  )
  assert.deepEqual(
    (await world.jobs()).map(({ state, attempts }) => [state, attempts]),
    [['done', 2]],
  )
  assert.deepEqual(
    (await effects(world)).map(({ times }) => times),
    [1],
  )
})

test('JOB-21 A job that kills its worker each time is dead after its attempts, while all others finish', async () => {
  await using world = await openTestJobs()
  await using workers = new Workers(world, 300)
  const notes = Array.from({ length: 100 }, () => ({ kind: 'note', payload: null }))
  await world.enqueue([...notes.slice(0, 50), { kind: 'poison', payload: null }, ...notes.slice(50)])
  workers.spawn()
  workers.spawn()
  await workers.allEnded()
  const jobs = await world.jobs()
  const poison = jobs.find(({ kind }) => kind === 'poison')
  assert.deepEqual([poison?.state, poison?.attempts, poison?.reason_code], ['dead', 3, 'worker_crashed'])
  assert.equal(workers.began.filter(({ kind }) => kind === 'poison').length, 3)
  assert.equal(workers.deaths, 3)
  assert.ok(jobs.every(({ kind, state }) => kind === 'poison' || state === 'done'))
  const made = await effects(world)
  assert.equal(made.length, 100)
  assert.ok(made.every(({ times }) => times === 1))
})
