import type { ChangedRecord } from './ports.ts'
import type { Session } from './session.ts'

/** Small rows beside the data, by key. */
export type SettingRow = PlaceRow | NumbersRow | SyncRow

/** Who works with one app, and space, of one server on this device. Each principal has a partition of its own. */
export interface PlaceRow {
  readonly kind: 'place'
  /** Partition in use. */
  readonly active: string
  readonly partitions: readonly { readonly id: string; readonly owner: string | null }[]
  readonly session?: Session
}

/** The next mutation number; it only grows. */
export interface NumbersRow {
  readonly kind: 'numbers'
  readonly n: number
}

/** Where the sync of a partition stands. */
export interface SyncRow {
  readonly kind: 'sync'
  /** Names this copy of the data to the server. */
  readonly clientId: string
  readonly cursor?: string
  /** From the last push, until a page was read behind it: shows the server what it had. */
  readonly proof?: string
  /** Highest version read. */
  readonly version: number
  /** Older cursors, newest first, to go back to when the server was restored. */
  readonly ladder: readonly Rung[]
  /** A first sync, or a reload, under way. */
  readonly snapshot?: SnapshotPlace
  /** Counts full reloads; records carry the number of the last one that saw them. */
  readonly reload: number
  /** Everything is to be read again, once the server has shown that it is still the one that was read from: else it is a restore. */
  readonly reloadWanted?: true
  /** A reload under way ends with removing what the server does not have any more. */
  readonly sweep?: true
  /** The server was restored: what it lost is offered again when all of it has been read. */
  readonly recovery?: Recovery
  readonly paused?: true
  /** Records of which refused edits were thrown away here, until the server knows it. */
  readonly discards?: readonly ChangedRecord[]
  /** The server says that there is no such space for this account. */
  readonly lost?: true
  /** Collections that the account may not read, as the server said with the last full reading. */
  readonly unreadable?: readonly string[]
  /** Epoch milliseconds of this device's clock. */
  readonly lastSuccessAt?: number
  readonly lastError?: SyncFailure
}

/** A point that was read completely. */
export interface Rung {
  readonly cursor: string
  readonly version: number
  readonly at: number
}

export interface SnapshotPlace {
  /** Version of the last record received; 0 to begin. */
  readonly after: number
  /** Version at which the reading began: what was deleted before is nothing to this reader. */
  readonly began?: number
  readonly epoch?: string
  readonly done: number
  readonly count?: number
}

/**
 * After a restore the server has everything up to some version and lost what came after; what was written since has versions
 * above all that were lost.
 */
export interface Recovery {
  /** The server is known to have everything up to here. */
  readonly kept: number
  /** Highest version that this device knew before. */
  readonly known: number
  /** Read on from an older cursor, not from the start: records that are not mentioned may be there. */
  readonly rewound: boolean
}

export interface SyncFailure {
  readonly at: number
  readonly code: string
  readonly message: string
}
