import type { Chance } from '../lib/chance.ts'
import type { JobDefinitions, Lane } from './define-job.ts'
import type { JobEvent } from './job-event.ts'
import { JobFailure } from './job-failure.ts'
import { jobLimits } from './job-limits.ts'
import type { ClaimedJob, JobStore } from './job-store.ts'
import { Places, type PlacedJob } from './places.ts'
import { failJob, giveBack, runJob } from './run-job.ts'
import { Schedules } from './schedules.ts'
import { StopReason } from './stop-reason.ts'
import { Suspects } from './suspects.ts'

export interface RunnerOptions {
  /** Jobs that one process runs at once, by lane. */
  readonly places: Readonly<Record<Lane, number>>
  /** Longest time between two looks, in milliseconds: news may be lost, looking is the truth. */
  readonly pollMs: number
  /** How long a claim holds without a sign of life, in milliseconds. Renewed three times in that time. */
  readonly leaseMs: number
  /** How long jobs may go on when the process is told to stop, in milliseconds. */
  readonly graceMs: number
  /** Time between two removals of what was kept long enough, in milliseconds. */
  readonly sweepMs: number
  /** Whose its leases are: what all that come after one another in this place have in common. */
  readonly holder: 'server' | 'worker'
}

export const runnerDefaults: RunnerOptions = { places: { quick: 8, slow: 4, bulk: 2 }, pollMs: 1_000, leaseMs: 60_000, graceMs: 10_000, sweepMs: 600_000, holder: 'worker' }

/** What an app asks of the workers of its process; they are shared with the other apps. */
export interface RunnerWish extends Partial<Pick<RunnerOptions, 'pollMs' | 'leaseMs' | 'graceMs'>> {
  readonly places?: Partial<Readonly<Record<Lane, number>>>
}

/** Joins what apps ask for: the shortest times, the most places. The defaults hold where no app says anything; places never go below them. */
export function joinWishes(wishes: readonly RunnerWish[]): RunnerOptions {
  const shortest = (name: 'pollMs' | 'leaseMs' | 'graceMs') => {
    const times = wishes.flatMap((wish) => wish[name] ?? [])
    return times.length === 0 ? runnerDefaults[name] : Math.min(...times)
  }
  const most = (lane: Lane) => Math.max(runnerDefaults.places[lane], ...wishes.map(({ places }) => places?.[lane] ?? 0))
  return {
    ...runnerDefaults,
    places: { quick: most('quick'), slow: most('slow'), bulk: most('bulk') },
    pollMs: shortest('pollMs'),
    leaseMs: shortest('leaseMs'),
    graceMs: shortest('graceMs'),
  }
}

export interface RunnerDeps {
  readonly store: JobStore
  /** Definitions by app. */
  readonly jobs: ReadonlyMap<string, JobDefinitions>
  readonly chance: Chance
  /** Calls when jobs have come due or were ended from outside; answers how to stop listening. */
  listen(listener: (news: { readonly stopped: readonly string[] }) => void): () => void
  record(event: JobEvent): void
  readonly options?: Partial<RunnerOptions>
}

/** A job that this process holds: it waits for a place, runs, or its end is being stored. */
interface HeldJob extends PlacedJob {
  readonly claimedAt: number
  readonly stop: AbortController
  readonly ended: PromiseWithResolvers<void>
}

/** Works on the jobs of a process: `runOnce` looks, recovers and claims; `start` repeats it in one loop until `close`. */
export class JobRunner implements AsyncDisposable {
  readonly #deps: RunnerDeps
  readonly #options: RunnerOptions
  readonly #schedules: Schedules
  readonly #places: Places<HeldJob>
  readonly #suspects: Suspects
  readonly #held = new Map<string, HeldJob>()
  readonly #unlisten: () => void
  #loop: Promise<void> | undefined
  #heart: NodeJS.Timeout | undefined
  #closing = false
  #woken = false
  #wake: (() => void) | undefined
  /** Whether jobs may wait for a place that somebody has now. */
  #isShort = false
  #nextAt: number | undefined
  #sweepAt = 0

  constructor(deps: RunnerDeps) {
    this.#deps = deps
    this.#options = { ...runnerDefaults, ...deps.options }
    this.#schedules = new Schedules(deps.jobs)
    this.#places = new Places(deps.jobs, this.#options.places)
    this.#suspects = new Suspects(this.#options.leaseMs / 2)
    this.#unlisten = deps.listen(({ stopped }) => {
      for (const id of stopped) this.#held.get(id)?.stop.abort(new StopReason('gone'))
      this.#wakeUp()
    })
  }

  /** Ends the leases that the holder before this one has left. Only where it is known to be gone; others that work beside it keep theirs. */
  async takeOver(): Promise<void> {
    await this.#deps.store.expireHeld(`${this.#options.holder} `)
  }

  /** Begins the loop and the heartbeat. */
  start(): void {
    this.#heart = setInterval(() => void this.heartbeat().catch((error: unknown) => this.#failed('jobs.heartbeat_failed', error)), this.#options.leaseMs / 3)
    this.#loop = this.#run()
  }

  /** One round: due schedules, jobs of dead workers, and as many claims as there are places. Answers how many jobs it started. */
  async runOnce(): Promise<number> {
    const { store, chance } = this.#deps
    await this.#schedules.runOnce(store, chance.now())
    await this.#sweep()
    const { ready, expired, nextAt } = await store.look(chance.now())
    this.#nextAt = nextAt
    const recovered = expired && (await this.#recover())
    const now = chance.now()
    await this.#giveBack((held) => now - held.claimedAt > jobLimits.AHEAD_MS_MAX)
    const promotes = nextAt !== undefined && nextAt <= now
    this.#isShort = false
    if (!ready && !promotes && !recovered) return 0
    const isEnding = this.#held.size >= jobLimits.ENDING_MAX
    const wishes = isEnding ? [] : this.#places.wishes()
    this.#isShort = isEnding || this.#places.isShort
    if (wishes.length === 0) return 0
    const claimed = await store.claim({ wishes, places: this.#places.free(), promotes, lease: `${this.#options.holder} ${chance.id()}`, now, leaseUntil: now + this.#options.leaseMs })
    this.#isShort ||= claimed.length > 0
    for (const job of claimed) this.#hold(job, now)
    this.#begin()
    return claimed.length
  }

  /** Renews the leases of what runs here, and stops what is no longer this worker's. */
  async heartbeat(): Promise<void> {
    const held = [...this.#held.values()]
    if (held.length === 0) return
    const still = await this.#deps.store.extend(
      held.map(({ job }) => job),
      this.#deps.chance.now() + this.#options.leaseMs,
    )
    for (const { job, stop } of held) if (!still.has(job.id)) stop.abort(new StopReason('gone'))
  }

  /** Resolves when everything that runs now has ended. */
  async settled(): Promise<void> {
    await Promise.all([...this.#held.values()].map(({ ended }) => ended.promise))
  }

  /** Claims nothing more, lets jobs go on for the grace, then puts them back with their attempt. */
  async close(): Promise<void> {
    this.#closing = true
    this.#unlisten()
    this.#wakeUp()
    await this.#loop
    await this.#giveBack(() => true)
    const grace = setTimeout(() => {
      for (const { stop } of this.#held.values()) stop.abort(new StopReason('closing'))
    }, this.#options.graceMs)
    await this.settled()
    clearTimeout(grace)
    clearInterval(this.#heart)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #run(): Promise<void> {
    while (!this.#closing) {
      const started = await this.runOnce().catch((error: unknown) => this.#failed('jobs.round_failed', error))
      // As long as there are both jobs and places the next round follows at once.
      if (started === 0 || this.#places.wishes().length === 0) await this.#sleep()
      // Jobs that end together free their places before the next claim, which then shares their commit.
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }

  #hold(job: ClaimedJob, claimedAt: number): void {
    const definition = this.#deps.jobs.get(job.app)?.[job.kind]
    if (definition === undefined) throw new Error(`${job.app} has no jobs of the kind "${job.kind}".`)
    const held: HeldJob = { job, definition, claimedAt, stop: new AbortController(), ended: Promise.withResolvers() }
    this.#held.set(job.id, held)
    this.#places.wait(held)
  }

  /** Begins what waits as long as there are places. */
  #begin(): void {
    if (this.#closing) return
    for (let held = this.#places.take(); held !== undefined; held = this.#places.take()) void this.#attempt(held)
  }

  async #attempt(held: HeldJob): Promise<void> {
    const { job, definition, stop } = held
    const { chance } = this.#deps
    const limit = setTimeout(() => stop.abort(new StopReason('timeout')), Math.min(definition.timeoutMs, jobLimits.TIMER_MS_MAX))
    const began = chance.now()
    const onRan = () => {
      this.#places.leave(held, chance.now() - began)
      this.#begin()
      if (this.#isShort) this.#wakeUp()
    }
    const waits = await runJob(this.#deps, { job, definition, signal: stop.signal, onRan }).catch((error: unknown) => this.#failed('jobs.end_failed', error) > 0)
    clearTimeout(limit)
    this.#letGo(held)
    if (this.#isShort || waits) this.#wakeUp()
  }

  #letGo(held: HeldJob): void {
    if (this.#held.get(held.job.id) === held) this.#held.delete(held.job.id)
    held.ended.resolve()
  }

  /** Gives back what waits here for a place, so that others can take it. */
  async #giveBack(matches: (held: HeldJob) => boolean): Promise<void> {
    await Promise.all(
      this.#places.release(matches).map(async (held) => {
        await giveBack(this.#deps, held.job).catch((error: unknown) => this.#failed('jobs.end_failed', error))
        this.#letGo(held)
      }),
    )
  }

  /** Jobs whose worker has died used an attempt; they are tried again one at a time, so that the one to blame dies alone. Answers whether there were any. */
  async #recover(): Promise<boolean> {
    const { store, chance, jobs } = this.#deps
    const condemned = this.#suspects.condemned(await store.expired(chance.now(), jobLimits.BATCH_ROWS_MAX), chance.now())
    for (const { job } of condemned) {
      const definition = jobs.get(job.app)?.[job.kind]
      // The heartbeat sees to what runs here: a process that was stopped for a while is not dead.
      if (definition === undefined || this.#held.get(job.id)?.job.lease === job.lease) continue
      await failJob(this.#deps, { job, definition }, { failure: new JobFailure('worker_crashed', 'The process that worked on it ended.'), crashed: true })
    }
    return condemned.length > 0
  }

  async #sweep(): Promise<void> {
    const now = this.#deps.chance.now()
    if (now < this.#sweepAt) return
    const removed = await this.#deps.store.sweep(now)
    // A full batch means that there is more.
    this.#sweepAt = removed >= jobLimits.BATCH_ROWS_MAX ? now : now + this.#options.sweepMs
  }

  /** Until woken, the next due time, or the poll, whichever is first. */
  async #sleep(): Promise<void> {
    const now = this.#deps.chance.now()
    // What is due already waits for a place, which wakes the loop when it is freed.
    const times = [this.#nextAt, this.#schedules.nextAt].filter((time) => time !== undefined).filter((time) => time > now)
    const wait = Math.min(this.#options.pollMs, ...times.map((time) => time - now))
    if (!this.#woken && !this.#closing) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, wait)
      this.#wake = resolve
      await promise
      clearTimeout(timer)
      this.#wake = undefined
    }
    this.#woken = false
  }

  #wakeUp(): void {
    this.#woken = true
    this.#wake?.()
  }

  #failed(action: string, error: unknown): 0 {
    this.#deps.record({ action, level: 'warn', detail: { error: String(error) } })
    return 0
  }
}
