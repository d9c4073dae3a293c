import * as clientLimits from '../client-limits.ts'
import type { ClientChance, Clock, Connectivity, SyncOutcome, Trigger } from '../ports.ts'
import { backoffMs, isWaiting, RequestFailure } from './failure.ts'

export interface SyncLoopDeps {
  readonly clock: Clock
  readonly chance: ClientChance
  readonly connectivity: Connectivity
  /** Syncs once; why not, when it cannot. Throws what went wrong. */
  round(): Promise<SyncOutcome>
  /** Hears of everything that goes wrong, and of success (undefined). Must not throw. */
  settled(error: { readonly code: string; readonly message: string } | undefined): Promise<void>
  /** Hears when the next try is set, or that none is (null). */
  scheduled(retryAt: number | null): void
}

/** Calls off what is to come. */
type Cancel = () => void

/** Decides when to sync: one sync at a time, a trigger during one runs one more, failures wait longer each time. */
export class SyncLoop {
  readonly #deps: SyncLoopDeps
  #running: Promise<SyncOutcome> | undefined
  #next: Promise<SyncOutcome> | undefined
  #failures = 0
  /** Not before then, whatever asks: the server said so. */
  #throttledUntil = 0
  /** When the next try is set. */
  #retryAt: number | null = null
  /** Saves alone do not call for a sync before then. */
  #holdUntil = 0
  #saved: { readonly cancel: Cancel; readonly first: number } | undefined
  #timer: Cancel | undefined
  #connected: Cancel | undefined
  #closed = false
  /** No event stream tells of changes, so that the timer must. */
  polling = true

  constructor(deps: SyncLoopDeps) {
    this.#deps = deps
  }

  /** Something happened that calls for a sync; it begins now, soon, or when a wait is over. */
  trigger(trigger: Trigger): void {
    if (this.#closed) return
    if (trigger === 'save') this.#afterSave()
    else if (trigger === 'connectivity') {
      this.#connected?.()
      this.#connected = this.#deps.clock.after(clientLimits.CONNECTIVITY_DELAY_MS, () => void this.sync())
    } else void this.sync()
  }

  /** Syncs, after the one under way if there is one. Resolves when that is done. */
  sync(): Promise<SyncOutcome> {
    if (this.#closed) return Promise.resolve({ kind: 'waiting', reason: 'closed' })
    if (this.#running === undefined) return this.#run()
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      return this.#run()
    })
    return this.#next
  }

  /** Tries again at the given time, unless something else comes before. */
  wakeAt(at: number): void {
    if (this.#retryAt === null || at < this.#retryAt) this.#schedule(at)
  }

  /** Resolves when the sync under way has ended. */
  async close(): Promise<void> {
    this.#closed = true
    for (const cancel of [this.#saved?.cancel, this.#timer, this.#connected]) cancel?.()
    await this.#running
  }

  /** Ten saves in a burst are one sync: a second after the last, five after the first. */
  #afterSave(): void {
    const now = this.#deps.clock.now()
    if (isWaiting({ until: this.#holdUntil, now })) return
    const first = this.#saved?.first ?? now
    this.#saved?.cancel()
    const delay = Math.min(clientLimits.SAVE_DELAY_MS, Math.max(0, first + clientLimits.SAVE_DELAY_MS_MAX - now))
    const cancel = this.#deps.clock.after(delay, () => {
      this.#saved = undefined
      void this.sync()
    })
    this.#saved = { cancel, first }
  }

  #run(): Promise<SyncOutcome> {
    const running = this.#attempt().finally(() => {
      this.#running = undefined
      // While nothing fails the clock brings a sync now and then; more often while nobody rings.
      if (!this.#closed && this.#timer === undefined) this.#setTimer(this.polling ? clientLimits.POLL_MS : clientLimits.TIMER_MS)
    })
    this.#running = running
    return running
  }

  async #attempt(): Promise<SyncOutcome> {
    const { clock, connectivity } = this.#deps
    if (!connectivity.online()) return { kind: 'waiting', reason: 'offline' }
    if (isWaiting({ until: this.#throttledUntil, now: clock.now() })) return { kind: 'waiting', reason: 'throttled' }
    this.#unschedule()
    this.#saved?.cancel()
    this.#saved = undefined
    try {
      const outcome = await this.#deps.round()
      if (outcome.kind === 'synced') {
        this.#failures = 0
        this.#holdUntil = 0
        await this.#deps.settled(undefined)
      }
      return outcome
    } catch (error) {
      return this.#failed(error)
    }
  }

  async #failed(error: unknown): Promise<SyncOutcome> {
    const { clock, chance } = this.#deps
    const failure = error instanceof RequestFailure ? error.failure : undefined
    const says = { code: error instanceof RequestFailure ? error.code : 'client.failed', message: error instanceof Error ? error.message : String(error) }
    switch (failure?.kind) {
      case 'offline':
        return { kind: 'waiting', reason: 'offline' }
      case 'stopped':
        return { kind: 'waiting', reason: 'closed' }
      case 'sign-in':
        await this.#deps.settled(says)
        return { kind: 'waiting', reason: 'sign-in' }
      case 'throttled':
        this.#throttledUntil = clock.now() + failure.retryAfterMs
        await this.#deps.settled(says)
        this.#hold(this.#throttledUntil)
        return { kind: 'waiting', reason: 'throttled' }
      case 'no-access':
        await this.#deps.settled(says)
        this.#hold(clock.now() + clientLimits.RETRY_AFTER_MS_MAX)
        return { kind: 'failed', ...says }
      case 'transient':
      case 'refused':
      case 'too-large':
      case 'resync':
      case undefined:
        if (this.#closed) return { kind: 'waiting', reason: 'closed' }
        this.#failures += 1
        await this.#deps.settled(says)
        this.#hold(clock.now() + backoffMs(this.#failures, chance.fraction()))
        return { kind: 'failed', ...says }
    }
  }

  #hold(until: number): void {
    this.#holdUntil = until
    this.#schedule(until)
  }

  #schedule(at: number): void {
    this.#retryAt = at
    this.#setTimer(Math.max(0, at - this.#deps.clock.now()))
    this.#deps.scheduled(at)
  }

  #unschedule(): void {
    this.#timer?.()
    this.#timer = undefined
    if (this.#retryAt === null) return
    this.#retryAt = null
    this.#deps.scheduled(null)
  }

  #setTimer(delayMs: number): void {
    this.#timer?.()
    this.#timer = this.#deps.clock.after(delayMs, () => {
      this.#timer = undefined
      void this.sync()
    })
  }
}
