import type { CompiledCollection } from '../app/compile-app.ts'
import type { RecordFilter, StoredRecord } from '../app/rule.ts'
import type { Reader, SqlValue } from './database.ts'
import { columnFromField, recordFromRow, selectList, type RecordRow } from './record-rows.ts'

/** One record, live or tombstone. */
export async function getRecord(reader: Reader, collection: CompiledCollection, space: number, id: string): Promise<StoredRecord | undefined> {
  const [row] = await reader.all<RecordRow>(`SELECT ${selectList(collection)} FROM "${collection.table}" WHERE space = ? AND id = ?`, [space, id])
  return row === undefined ? undefined : recordFromRow(collection, row)
}

/** Records and tombstones by id; unknown ids are left out. */
export async function getRecords(reader: Reader, collection: CompiledCollection, space: number, ids: readonly string[]): Promise<StoredRecord[]> {
  if (ids.length === 0) return []
  const sql = `SELECT ${selectList(collection)} FROM "${collection.table}" WHERE space = ? AND ${reader.dialect.inJsonArray('id')}`
  const rows = await reader.all<RecordRow>(sql, [space, JSON.stringify(ids)])
  return rows.map((row) => recordFromRow(collection, row))
}

export interface Scan {
  readonly space: number
  /** Only versions above this one. */
  readonly after: number
  readonly limit: number
}

/** Records and tombstones of one collection in the order of their versions: one indexed range, whatever the size. */
export async function scanRecords(reader: Reader, collection: CompiledCollection, { space, after, limit }: Scan): Promise<StoredRecord[]> {
  const sql = `SELECT ${selectList(collection)} FROM "${collection.table}" WHERE space = ? AND version > ? ORDER BY version LIMIT ?`
  const rows = await reader.all<RecordRow>(sql, [space, after, limit])
  return rows.map((row) => recordFromRow(collection, row))
}

export interface Find {
  readonly space: number
  readonly filters: readonly RecordFilter[]
  readonly limit: number
}

/** Records and tombstones whose fields equal the filters, by id. Declare an index on the fields that are looked up. */
export async function findRecords(reader: Reader, collection: CompiledCollection, { space, filters, limit }: Find): Promise<StoredRecord[]> {
  const values: SqlValue[] = [space]
  const conditions = filters.map(({ field: name, equals }) => {
    const field = collection.fieldByName.get(name)
    if (field === undefined) throw new Error(`${collection.name} has no field "${name}".`)
    if (equals === null) return ` AND "${field.column}" IS NULL`
    values.push(columnFromField(field, equals))
    return ` AND "${field.column}" = ?`
  })
  const sql = `SELECT ${selectList(collection)} FROM "${collection.table}" WHERE space = ?${conditions.join('')} ORDER BY id LIMIT ?`
  const rows = await reader.all<RecordRow>(sql, [...values, limit])
  return rows.map((row) => recordFromRow(collection, row))
}

/** Number of live records. */
export async function countRecords(reader: Reader, collection: CompiledCollection, space: number): Promise<number> {
  const [row] = await reader.all<{ count: number }>(`SELECT count(*) AS count FROM "${collection.table}" WHERE space = ? AND deleted_at IS NULL`, [space])
  return row?.count ?? 0
}
