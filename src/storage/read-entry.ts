import type { JsonValue } from '../lib/json.ts'
import type { EntryDetail } from './change-log.ts'
import type { Reader } from './database.ts'

/** One entry of a space's change log, read back. */
export interface LogEntry {
  readonly version: number
  readonly at: number
  readonly actorType: 'user' | 'key' | 'system'
  readonly actorId: string
  readonly action: string
  readonly changes: Readonly<Record<string, readonly [JsonValue, JsonValue]>>
  readonly detail: EntryDetail
  /** Length of its text. */
  readonly chars: number
}

interface EntryRow {
  readonly version: number
  readonly at: number
  readonly actor_type: 'user' | 'key' | 'system'
  readonly actor_id: string
  readonly action: string
  readonly changes: string
  readonly detail: string
}

/** The entry that made a version; undefined when it has been purged. */
export async function readEntry(reader: Reader, space: number, version: number): Promise<LogEntry | undefined> {
  const sql = 'SELECT version, at, actor_type, actor_id, action, changes, detail FROM holdfast_changes WHERE space = ? AND version = ?'
  const [row] = await reader.all<EntryRow>(sql, [space, version])
  if (row === undefined) return undefined
  return {
    version: row.version,
    at: row.at,
    actorType: row.actor_type,
    actorId: row.actor_id,
    action: row.action,
    changes: JSON.parse(row.changes) as LogEntry['changes'],
    detail: JSON.parse(row.detail) as EntryDetail,
    chars: row.changes.length,
  }
}

/** When the entry that made a version was written, by its writer's clock where that is known; undefined when it has been purged. */
export async function readEntryTime(reader: Reader, space: number, version: number): Promise<number | undefined> {
  const [row] = await reader.all<Pick<EntryRow, 'at' | 'detail'>>('SELECT at, detail FROM holdfast_changes WHERE space = ? AND version = ?', [space, version])
  return row === undefined ? undefined : ((JSON.parse(row.detail) as EntryDetail).at ?? row.at)
}
