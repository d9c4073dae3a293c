import type { Fields } from '../../app/conflict-policy.ts'
import type { CollectionInfo } from '../collection-info.ts'
import type { ConflictRow, LocalRecord, OutboxRow, RecordOrigin } from '../model.ts'
import { applyRows } from './apply-row.ts'

/**
 * One record with everything on this device that depends on it. Each step of the sync takes a chain and answers the next one;
 * what was stored and what is to be stored differ by nothing else.
 */
export interface Chain {
  readonly collection: CollectionInfo
  readonly id: string
  /** The server's state as last heard; fields are null for nothing or a tombstone. */
  readonly version: number
  readonly server: Fields | null
  readonly origin: RecordOrigin | undefined
  /** In the order in which they were made. Only the first may have been sent. */
  readonly rows: readonly OutboxRow[]
  readonly conflict: ConflictRow | undefined
  readonly reload: number | undefined
}

/** What the app sees: this device's side while there is a conflict, else the server's state with the edits on top. */
export function shownOf(chain: Pick<Chain, 'server' | 'rows' | 'conflict'>): Fields | null {
  return chain.conflict === undefined ? applyRows(chain.server, chain.rows) : chain.conflict.mine
}

/** The chain in a conflict whose other side is the server's state as last heard. */
export function facing(chain: Chain, conflict: ConflictRow): Chain {
  return { ...chain, conflict: { ...conflict, theirs: chain.server, theirsVersion: chain.version, theirsAt: chain.origin?.updatedAt ?? 0 } }
}

export interface StoredChain {
  readonly record: LocalRecord | undefined
  readonly rows: readonly OutboxRow[]
  readonly conflict: ConflictRow | undefined
}

export function chainOf(collection: CollectionInfo, id: string, { record, rows, conflict }: StoredChain): Chain {
  const server = record === undefined ? null : record.server === undefined ? record.shown : record.server
  return { collection, id, version: record?.version ?? 0, server, origin: record?.origin, rows, conflict, reload: record?.reload }
}

/** The record to store; undefined when nothing is left to know about it. */
export function recordOf(chain: Chain): LocalRecord | undefined {
  const { version, server, origin, rows, conflict, reload } = chain
  if (version === 0 && rows.length === 0 && conflict === undefined) return undefined
  const settled = rows.length === 0 && conflict === undefined
  return {
    version,
    shown: settled ? server : shownOf(chain),
    ...(settled ? {} : { server }),
    ...(rows.length === 0 ? {} : { pending: rows.map(({ n }) => n) }),
    ...(conflict === undefined ? {} : { conflict: true }),
    ...(origin === undefined ? {} : { origin }),
    ...(reload === undefined ? {} : { reload }),
  }
}
