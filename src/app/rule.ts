import type { SpaceRole } from './collection.ts'
import type { Fields } from './conflict-policy.ts'
import type { JobRequest, JobTarget } from './job-request.ts'

/** Who acts: taken from the credential alone. */
export interface Actor {
  readonly type: 'user' | 'key' | 'system'
  readonly id: string
  readonly name: string
}

/** Who acts, where and with which right. `space` is the integer key of the space. */
export interface Scope {
  readonly actor: Actor
  readonly device: string | null
  readonly app: string
  readonly space: number
  readonly role: SpaceRole
  readonly requestId: string
  /** A label for people that the writer gave for the device; grants nothing. */
  readonly deviceLabel?: string
}

/** A record as stored. `deletedAt` is null for a live one; a tombstone keeps its fields until it is purged. */
export interface StoredRecord {
  readonly id: string
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly deletedAt: number | null
  readonly author: string
  readonly device: string | null
  readonly fields: Fields
}

/** `includes` means a field that is a list of ids, one of which it is: live records are found by an index where the list is the collection's `members`, else all are looked at. `below` means a field that is a number, and smaller. `isDeleted` leaves out live records or tombstones. */
export type RecordFilter =
  | { readonly field: string; readonly equals: string | number | boolean | null }
  | { readonly field: string; readonly includes: string }
  | { readonly field: string; readonly below: number }
  | { readonly isDeleted: boolean }

/** Reads the space inside the commit: sees what earlier mutations of the same commit did. */
export interface SpaceReader {
  get(collection: string, id: string): Promise<StoredRecord | undefined>
  /** Live records and tombstones whose fields fit the filters, at most `limit`, by id. */
  find(collection: string, filters: readonly RecordFilter[], limit: number): Promise<readonly StoredRecord[]>
}

export type RuleOperation = 'create' | 'update' | 'delete' | 'restore'

/** One decided write, before it is stored. `next` is the record's fields as they would be. */
export interface RuleContext {
  readonly operation: RuleOperation
  readonly id: string
  readonly stored: StoredRecord | undefined
  readonly next: Fields
  /** The fields the writer sent, normalised; empty for a delete. */
  readonly sent: Fields
  /** What a route of the app passes along with its mutation; undefined for push and REST. */
  readonly context: Fields | undefined
  readonly scope: Scope
  readonly now: number
  readonly reader: SpaceReader
}

/** A mutation that a rule adds to the commit; it passes the same rules, with the system's rights. */
export interface RuleMutation {
  readonly collection: string
  readonly id: string
  readonly op: 'put' | 'patch' | 'delete'
  readonly data?: Fields
  readonly context?: Fields
}

export type RuleOutcome =
  | {
      readonly kind: 'accept'
      readonly fields?: Fields
      readonly also?: readonly RuleMutation[]
      /** Work that follows this write, and work that it makes unnecessary; neither when the write turns out to change nothing. */
      readonly jobs?: readonly JobRequest[]
      readonly stops?: readonly JobTarget[]
    }
  | { readonly kind: 'refuse'; readonly code: string; readonly message: string; readonly fields?: readonly { path: string; message: string }[] }

/** A collection's rule: runs under the space's lock for every writer alike. */
export type Rule = (context: RuleContext) => RuleOutcome | Promise<RuleOutcome>
