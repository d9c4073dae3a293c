import type { CompiledCollection } from '../app/compile-app.ts'
import type { StoredRecord } from '../app/rule.ts'
import type { Reader } from './database.ts'

/** One state that a record had, read back from the change log. */
export interface HistoryEntry {
  readonly version: number
  readonly operation: 'create' | 'update' | 'delete' | 'restore'
  readonly at: number
  readonly actorId: string
  readonly device: string | null
  /** Label of the writer's device, where the write carried one. */
  readonly deviceLabel: string | null
  /** The record as it was after this entry. */
  readonly record: StoredRecord
}

export interface HistoryPage {
  readonly limit: number
  /** Only entries with a smaller version. */
  readonly before?: number
}

/** States of a record, newest first; empty for a record that never existed. */
export async function recordHistory(_reader: Reader, _collection: CompiledCollection, _space: number, _id: string, _page: HistoryPage): Promise<HistoryEntry[]> {
  return []
}
