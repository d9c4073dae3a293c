import { jobLimits } from './job-limits.ts'

export interface FailedAttempt {
  /** Attempts so far, from 1. */
  readonly attempts: number
  readonly backoffMs: readonly number[]
  /** Least wait that the failure itself asks for. */
  readonly afterMs: number
  /** From 0 to 1, at random. */
  readonly chance: number
}

/** Milliseconds until the next attempt: the wait of this attempt, spread by chance, and no less than what the failure asks for. */
export function backoffOf({ attempts, backoffMs, afterMs, chance }: FailedAttempt): number {
  const wait = backoffMs[Math.min(attempts, backoffMs.length) - 1] ?? 0
  const spread = wait * (1 + jobLimits.JITTER_SHARE * (2 * chance - 1))
  return Math.round(Math.min(Math.max(spread, afterMs), jobLimits.RETRY_MS_MAX))
}
