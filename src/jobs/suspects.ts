import type { ExpiredJob } from './job-store.ts'

/** A lease that ran out, and when it was first seen so. */
interface Suspect {
  readonly leaseUntil: number
  readonly seenAt: number
}

/** A lease is over at once by the word of whoever took its holder's place. */
export const LEASE_OVER = 0

/**
 * Jobs whose lease ran out by the clock of this process. Another's clock may be behind, or this one has jumped: only a lease that is still not
 * renewed after a while has lost its holder.
 */
export class Suspects {
  readonly #waitMs: number
  #known = new Map<string, Suspect>()

  constructor(waitMs: number) {
    this.#waitMs = waitMs
  }

  /** Of those that are seen now, the ones without a holder. Those that are not seen any more are forgotten. */
  condemned(seen: readonly ExpiredJob[], now: number): readonly ExpiredJob[] {
    const known = this.#known
    this.#known = new Map()
    return seen.filter(({ job, leaseUntil }) => {
      const key = `${job.id} ${job.lease}`
      const before = known.get(key)
      // A clock that jumped back begins the wait anew.
      const seenAt = before?.leaseUntil === leaseUntil ? Math.min(before.seenAt, now) : now
      if (leaseUntil === LEASE_OVER || now - seenAt >= this.#waitMs) return true
      this.#known.set(key, { leaseUntil, seenAt })
      return false
    })
  }
}
