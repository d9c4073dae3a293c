import { RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible'
import { countInMemory, refuse, type Limiter } from './limit-store.ts'
import type { RateLimit } from './rate-limits.ts'

/** Whether the processes count together. Told when it changes. */
export type LimitEvent = { readonly action: 'limits.alone'; readonly level: 'warn'; readonly detail: string } | { readonly action: 'limits.shared'; readonly level: 'info'; readonly detail: string }

/** Watches over a store that processes share: while it cannot be asked, each counts by itself, and says so once. */
export class SharedCounting {
  readonly #store: string
  readonly #record: (event: LimitEvent) => void
  #alone = false

  /** `store` is the name of the store for the log. */
  constructor(store: string, record: (event: LimitEvent) => void) {
    this.#store = store
    this.#record = record
  }

  away(error: unknown): void {
    if (this.#alone) return
    this.#alone = true
    this.#record({
      action: 'limits.alone',
      level: 'warn',
      detail: `${this.#store} cannot be asked, so this process counts requests by itself: ${error instanceof Error ? error.message : String(error)}`,
    })
  }

  back(): void {
    if (!this.#alone) return
    this.#alone = false
    this.#record({ action: 'limits.shared', level: 'info', detail: `Requests are counted in ${this.#store} again.` })
  }

  /** A limiter that asks `shared`, and counts in memory while that fails. */
  limiter(shared: Pick<RateLimiterAbstract, 'consume'>, limit: RateLimit): Limiter {
    const own = countInMemory(limit)
    return {
      consume: async (key) => {
        const refused = await shared.consume(key).then(
          () => undefined,
          (thrown: unknown) => thrown,
        )
        if (refused !== undefined && !(refused instanceof RateLimiterRes)) {
          this.away(refused)
          await own.consume(key).catch(refuse)
          return
        }
        this.back()
        if (refused !== undefined) refuse(refused)
      },
    }
  }
}
