import type { Fields } from '../app/conflict-policy.ts'
import type { StoredRecord } from '../app/rule.ts'
import type { MutationError, Operation } from '../protocol/push.ts'

/** A mutation whose data has been normalised by the collection's schema: only the fields that were sent. */
export interface Mutation {
  readonly n?: number
  readonly collection: string
  readonly id: string
  readonly op: Operation
  /** The version the writer last saw, 0 for a record it believes new, `any` to act on whatever is there. */
  readonly base: number | 'any'
  readonly sent: Fields
  /** The whole record a put would make by itself, with defaults; absent when it would not be valid alone. */
  readonly complete?: Fields
  /** Made by a route, a rule or a job: it may set server fields and needs no role. */
  readonly trusted?: boolean
  /** Epoch milliseconds of the writer's clock; only `lastWriteWins` looks at it. */
  readonly at?: number
  readonly group?: string
  /** A route of an app may decide stale bases by its own contract. */
  readonly policy?: StalePolicy
  /** A route of an app may decide the whole write by its own contract, whatever its base. */
  readonly contract?: WriteContract
  /** What a route passes to the collection's rule. */
  readonly context?: Fields
}

/** Both sides of a write whose base is not the stored version. */
export interface StaleSides {
  readonly stored: StoredRecord
  readonly mutation: Mutation
  readonly now: number
}

/** Decides a write with a stale base: take it, keep what is stored, ask a person, or join as the collection says. */
export type StalePolicy = (sides: StaleSides) => 'client' | 'server' | 'conflict' | 'collection'

/** What a contract is shown under the space's lock. `stored` is undefined if there never was a record, or its tombstone was purged. */
export interface ContractSides {
  readonly stored: StoredRecord | undefined
  readonly mutation: Mutation
  readonly now: number
}

/**
 * `write` takes what was sent: over a tombstone that restores, and deleting what was never seen leaves a tombstone.
 * `keep` leaves the stored record and keeps the writer's side beside it. `stale` and `deleted` are conflicts, `ahead` and `missing` rejections.
 */
export type ContractDecision = 'write' | 'unchanged' | 'keep' | ConflictReason | 'ahead' | 'missing'

/** Decides a write in place of the engine's own table. Pure. */
export type WriteContract = (sides: ContractSides) => ContractDecision

/** What became of one mutation. `record` is the record as it is after the commit; undefined if there never was one. */
export type Outcome =
  | {
      readonly status: 'applied' | 'unchanged' | 'merged'
      readonly n?: number
      readonly record: StoredRecord | undefined
      /** The mutation had been decided before; `record` is as it is now, which may be later than that. */
      readonly replayed?: true
    }
  | { readonly status: 'conflict'; readonly n?: number; readonly record: StoredRecord | undefined; readonly conflictId: string | undefined; readonly reason: ConflictReason }
  | { readonly status: 'rejected'; readonly n?: number; readonly record: StoredRecord | undefined; readonly error: MutationError }

/** `stale`: both sides changed the same; `deleted`: one side deleted what the other edited. */
export type ConflictReason = 'stale' | 'deleted'

/** A mutation that could not even be read; it is kept as rejected with what was sent. */
export interface Unreadable {
  readonly unreadable: MutationError
  readonly n?: number
  readonly collection: string
  readonly id: string
  readonly op: string
  readonly group?: string
  readonly payload: string
}

export type PreparedMutation = Mutation | Unreadable
