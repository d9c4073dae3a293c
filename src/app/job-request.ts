import type { JsonValue } from '../lib/json.ts'

/** Work that follows a commit: it is stored with the write, in the same transaction, and runs behind it. */
export interface JobRequest {
  readonly kind: string
  readonly payload: JsonValue
  /** While a job of this kind and key waits or runs in the space, another one is not added. */
  readonly uniqueKey?: string
  /** Not before this time, epoch milliseconds; at once when absent or past. */
  readonly runAt?: number
  /** The record that the job is a step of: it shows in the record's work. */
  readonly record?: { readonly collection: string; readonly id: string }
}

/** A job by what it was made for. */
export interface JobTarget {
  readonly kind: string
  readonly uniqueKey: string
}
