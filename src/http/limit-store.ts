import { RateLimiterMemory, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible'
import { Problem } from '../protocol/problem.ts'
import type { RateLimit, RateLimits } from './rate-limits.ts'

/** Counts what each key uses up. */
export interface Limiter {
  /** Takes one of the key's requests. Throws `rate.limited` when none is left. */
  consume(key: string): Promise<void>
}

/** Where requests are counted. */
export interface LimitStore extends AsyncDisposable {
  /** `name` tells limits apart that count the same keys: one of the platform's, or an app's. */
  limiterOf(name: keyof RateLimits | `app.${string}`, limit: RateLimit): Limiter
}

/** Counts in this process alone. */
export const memoryLimits: LimitStore = {
  limiterOf: (_, limit) => limiterIn(countInMemory(limit)),
  [Symbol.asyncDispose]: async () => {},
}

export function countInMemory({ requestsMax, windowS }: RateLimit): RateLimiterMemory {
  return new RateLimiterMemory({ points: requestsMax, duration: windowS })
}

export function limiterIn(counter: RateLimiterAbstract): Limiter {
  return { consume: (key) => counter.consume(key).then(nothing, refuse) }
}

/** Turns what a counter throws into the refusal that a caller is told; a fault of the counter stays what it is. */
export function refuse(thrown: unknown): never {
  if (!(thrown instanceof RateLimiterRes)) throw thrown
  throw new Problem('rate.limited', { retryAfterS: Math.max(1, Math.ceil(thrown.msBeforeNext / 1_000)) })
}

function nothing(): void {}
