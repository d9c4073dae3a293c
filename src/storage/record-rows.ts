import type { CompiledCollection, CompiledField } from '../app/compile-app.ts'
import type { StoredRecord } from '../app/rule.ts'
import type { JsonValue } from '../lib/json.ts'
import type { WireRecord } from '../protocol/push.ts'
import type { SqlValue } from './database.ts'

/** A row of a collection's table. */
export type RecordRow = Readonly<Record<string, SqlValue>>

/** Columns that the platform keeps on every collection, in the order of the table. */
export const syncColumns = ['space', 'id', 'version', 'created_at', 'updated_at', 'deleted_at', 'author', 'device'] as const

/** Quoted list of every column that a record is read from. */
export function selectList(collection: CompiledCollection): string {
  return [...syncColumns.slice(1), ...collection.fields.map((field) => field.column)].map((column) => `"${column}"`).join(', ')
}

export function recordFromRow(collection: CompiledCollection, row: RecordRow): StoredRecord {
  const fields: Record<string, JsonValue> = {}
  for (const field of collection.fields) fields[field.name] = fieldFromColumn(field, row[field.column] ?? null)
  return {
    id: row['id'] as string,
    version: row['version'] as number,
    createdAt: row['created_at'] as number,
    updatedAt: row['updated_at'] as number,
    deletedAt: row['deleted_at'] as number | null,
    author: row['author'] as string,
    device: row['device'] as string | null,
    fields,
  }
}

/** Values of one row in the order of `syncColumns` and then the collection's fields. */
export function rowFromRecord(collection: CompiledCollection, space: number, record: StoredRecord): SqlValue[] {
  const row: SqlValue[] = [space, record.id, record.version, record.createdAt, record.updatedAt, record.deletedAt, record.author, record.device]
  for (const field of collection.fields) row.push(columnFromField(field, record.fields[field.name] ?? null))
  return row
}

/** How a field's value stands in its column. */
export function columnFromField(field: CompiledField, value: JsonValue): SqlValue {
  if (value === null) return null
  switch (field.kind) {
    case 'json':
      return JSON.stringify(value)
    case 'boolean':
      return value === true ? 1 : 0
    case 'text':
    case 'integer':
    case 'real':
      return value as string | number
  }
}

function fieldFromColumn(field: CompiledField, value: SqlValue): JsonValue {
  if (value === null) return null
  if (field.kind === 'json') return JSON.parse(value as string) as JsonValue
  if (field.kind === 'boolean') return value === 1
  return value
}

/** A record as push answers and REST show it; a tombstone carries no data. */
export function wireRecord(collection: string, record: StoredRecord): WireRecord {
  const deleted = record.deletedAt !== null
  return {
    collection,
    id: record.id,
    version: record.version,
    deleted,
    data: deleted ? null : record.fields,
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    author: record.author,
    device: record.device,
  }
}
