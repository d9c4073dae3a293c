import type { JobRequest, JobTarget } from 'holdfast/server'

/** Kind of the one job that asks a provider about an item. Its key is the item's id. */
export const ENRICH = 'vault.enrich'

/** `first`: the item waits for it. `again`: it stays as it is, and the result becomes a proposal. */
export type Run = 'first' | 'again'

/** One live job per item: a second one while it lives changes nothing. */
export function enrichJob(itemId: string, run: Run = 'first'): JobRequest {
  return { kind: ENRICH, payload: { itemId, run }, uniqueKey: itemId, record: { collection: 'items', id: itemId } }
}

export function enrichTarget(itemId: string): JobTarget {
  return { kind: ENRICH, uniqueKey: itemId }
}
