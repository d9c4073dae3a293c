import type { Fields } from '../app/conflict-policy.ts'
import type { MutationError, Operation, WireRecord } from '../protocol/push.ts'

/** A record on this device. */
export interface LocalRecord {
  /** Version of the server's state as last heard; 0 when the server is not known to have it. */
  readonly version: number
  /** What the app sees; null when there is nothing to see. */
  readonly shown: Fields | null
  /** What the server has at `version`, null for nothing or a tombstone. Absent: the same as `shown`. */
  readonly server?: Fields | null
  /** Numbers of the outbox rows of this record, in order. Absent: none. */
  readonly pending?: readonly number[]
  /** There is an open conflict; then `shown` is this device's side. */
  readonly conflict?: true
  readonly origin?: RecordOrigin
  /** The last full reload that saw the record. */
  readonly reload?: number
}

/** Who wrote the server's state, when. Times are epoch milliseconds of the server. */
export interface RecordOrigin {
  readonly createdAt: number
  readonly updatedAt: number
  readonly author: string
  readonly device: string | null
}

/** An edit that the server has not accepted yet. Once sent it is never changed but for its base. */
export interface OutboxRow {
  /** The mutation's number, given when it was enqueued. */
  readonly n: number
  readonly collection: string
  readonly id: string
  readonly op: Operation
  /** A put's whole record, a patch's changed fields; absent for a delete. */
  readonly data?: Fields
  /** Version of the record that the edit was made on. */
  readonly base: number
  /** The record as it was when the edit was made; null when there was none. */
  readonly baseFields: Fields | null
  /** Epoch milliseconds of this device's clock. */
  readonly at: number
  /** Mutations of one transaction; they are accepted together or not at all. */
  readonly group?: string
  /** Who made the edit: nobody else ever sends it. Null before the first sign-in. */
  readonly owner: string | null
  readonly sent?: true
  /** After a restore it offers again what the device had: of the whole record, or of the fields that it names, all that was accepted before. */
  readonly offers?: 'record' | 'edit'
  /** Version of the record that it was made on, where a restore has put it on an older one. */
  readonly saw?: number
  /** It decides a conflict, which the server keeps open until it accepts an edit of the record. */
  readonly decides?: true
  /** How often it alone made the server fail. */
  readonly attempts?: number
  /** Parked until then, epoch milliseconds. */
  readonly retryAt?: number
}

/** Both sides of an edit that met another one, until somebody chooses. A side is null where it has no record. */
export interface ConflictRow {
  readonly collection: string
  readonly id: string
  /** The server's row of this conflict, where it has one. */
  readonly conflictId?: string
  readonly base: Fields | null
  readonly baseVersion: number
  readonly mine: Fields | null
  readonly theirs: Fields | null
  readonly theirsVersion: number
  /** When this side was written, by this device's clock in epoch milliseconds. */
  readonly mineAt: number
  /** When the other side was written, by the server's clock in epoch milliseconds; 0 when that is not known. */
  readonly theirsAt: number
  /** When it was first noticed, epoch milliseconds. */
  readonly at: number
}

/** An edit that the server refused; kept until it is mended and sent again, or discarded. */
export interface RejectedRow {
  readonly n: number
  readonly collection: string
  readonly id: string
  readonly op: Operation
  readonly data?: Fields
  /** The record as the device showed it with this edit; null for a delete. */
  readonly shown: Fields | null
  /** What the edit was made on; absent in rows that an earlier version of the client has put aside. */
  readonly base?: number
  readonly baseFields?: Fields | null
  readonly decides?: true
  readonly group?: string
  readonly owner: string | null
  readonly error: MutationError
  readonly at: number
}

/** An accepted edit, kept for a while in case the server is restored to a time before it. */
export interface AckedRow {
  readonly n: number
  readonly collection: string
  readonly id: string
  readonly op: Operation
  readonly data?: Fields
  /** What a deletion took away. */
  readonly deleted?: Fields
  readonly base: number
  /** Version that the server gave. */
  readonly version: number
  /** Epoch milliseconds of this device's clock. */
  readonly at: number
}

/** A record of the server that could not be applied here, with the reason; tried again when something may have changed. */
export interface AsideRow {
  readonly record: WireRecord
  readonly reason: string
  readonly at: number
}
