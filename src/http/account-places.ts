import type { FastifyReply } from 'fastify'
import type { Principal } from '../auth/principal.ts'
import { Problem } from '../protocol/problem.ts'

/** One beyond the limit may come back when another has ended: seconds to wait. */
const RETRY_PLACE_S = 30

/** Takes a place of the account, and answers how to give it back; that may be called twice. Throws `rate.limited` when all are taken. */
export type TakePlace = (principal: Principal) => () => void

/** A bounded number of places for each account: what holds a socket for long is counted. */
export function createPlaces({ max, what }: { readonly max: number; readonly what: string }): TakePlace {
  const taken = new Map<string, number>()
  return ({ actor }) => {
    const account = `${actor.type}:${actor.id}`
    const count = taken.get(account) ?? 0
    if (count >= max) throw new Problem('rate.limited', { detail: `At most ${max} ${what} at once.`, retryAfterS: RETRY_PLACE_S })
    taken.set(account, count + 1)
    let isGivenBack = false
    return () => {
      if (isGivenBack) return
      isGivenBack = true
      const left = (taken.get(account) ?? 1) - 1
      if (left === 0) taken.delete(account)
      else taken.set(account, left)
    }
  }
}

/** Calls when the answer is over, or at once when the client has gone away already. */
export function whenOver({ raw }: FastifyReply, end: () => void): void {
  if (raw.closed) end()
  else raw.once('close', end)
}
