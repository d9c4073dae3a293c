import type { CompiledCollection } from '../app/compile-app.ts'
import type { RuleOperation, StoredRecord } from '../app/rule.ts'
import type { Fields } from '../app/conflict-policy.ts'
import type { JsonValue } from '../lib/json.ts'
import { limits } from '../protocol/limits.ts'
import type { Reader } from './database.ts'
import { otherRequests } from './other-requests.ts'
import type { Page } from './page.ts'
import { readEntry, type LogEntry } from './read-entry.ts'
import { getRecord } from './read-records.ts'

/** One state that a record had, read back from the change log. */
export interface HistoryEntry {
  readonly version: number
  readonly operation: RuleOperation
  /** Epoch milliseconds. */
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

/** Entries walked over to reach a page; a record that was written more often shows its newest states. */
const STEPS_MAX = 20_000
/** Characters of entries after which other requests have their turn. */
const TURN_CHARS = 1_048_576
/** What an entry costs besides its characters, in characters. */
const ENTRY_CHARS = 4_096

/**
 * States of a record, newest first, made by taking back one entry of the log after the other. It ends where the log begins, but
 * always shows the present state; empty for a record that never existed.
 */
export async function recordHistory(reader: Reader, collection: CompiledCollection, space: number, id: string, page: HistoryPage): Promise<Page<HistoryEntry>> {
  const { limit, before = Number.MAX_SAFE_INTEGER } = page
  const stored = await getRecord(reader, collection, space, id)
  const rows: HistoryEntry[] = []
  const fields: Record<string, JsonValue> = { ...stored?.fields }
  let version = stored?.version
  let [chars, turn] = [0, 0]
  for (let step = 0; version !== undefined && step < STEPS_MAX; step += 1) {
    const entry: LogEntry | undefined = await readEntry(reader, space, version)
    const state = entry === undefined ? (stored?.version === version ? presentState(stored) : undefined) : stateOf(entry, { id, createdAt: stored?.createdAt ?? entry.at, fields: { ...fields } })
    if (state !== undefined && state.version < before) {
      chars += charsOf(collection, fields)
      if (rows.length === limit || (chars > limits.PAGE_BYTES_MAX && rows.length > 0)) return { rows, more: true }
      rows.push(state)
    }
    if (entry === undefined) break
    for (const [name, [old]] of Object.entries(entry.changes)) fields[name] = old
    version = entry.detail.previous
    turn += entry.chars + ENTRY_CHARS
    if (turn < TURN_CHARS) continue
    turn = 0
    await otherRequests()
  }
  return { rows, more: false }
}

/** Characters of a state's texts. */
function charsOf({ fields: declared }: CompiledCollection, fields: Fields): number {
  return declared.reduce((sum, { name, kind }) => sum + (kind === 'text' ? String(fields[name] ?? '').length : kind === 'json' ? JSON.stringify(fields[name] ?? null).length : 0), 0)
}

function stateOf({ version, at, actorType, actorId, action, detail }: LogEntry, { id, createdAt, fields }: Pick<StoredRecord, 'id' | 'createdAt' | 'fields'>): HistoryEntry {
  const operation = action.slice(action.lastIndexOf('.') + 1) as RuleOperation
  const device = detail.device ?? null
  const deletedAt = operation === 'delete' ? at : null
  return {
    version,
    operation,
    at,
    actorId,
    device,
    deviceLabel: detail.label ?? null,
    record: { id, version, createdAt, updatedAt: at, deletedAt, author: `${actorType}:${actorId}`, device, fields },
  }
}

/** The state that is stored, where the entry that made it has been forgotten. */
function presentState(record: StoredRecord): HistoryEntry {
  const { version, updatedAt: at, createdAt, deletedAt, author, device } = record
  const operation = deletedAt !== null ? 'delete' : createdAt === at ? 'create' : 'update'
  return { version, operation, at, actorId: author.slice(author.indexOf(':') + 1), device, deviceLabel: null, record }
}
