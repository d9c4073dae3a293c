import type { CompiledCollection } from '../app/compile-app.ts'
import type { RecordFilter, StoredRecord } from '../app/rule.ts'
import type { Reader, SqlValue } from './database.ts'
import { readPage, type Page, type PagedList } from './page.ts'
import { recordBytes } from './record-json.ts'
import { columnFromField, recordFromRow, selectList, type RecordRow } from './record-rows.ts'

/** One record, live or tombstone. */
export async function getRecord(reader: Reader, collection: CompiledCollection, space: number, id: string): Promise<StoredRecord | undefined> {
  const [row] = await reader.all<RecordRow>(`SELECT ${selectList(collection)} FROM "${collection.table}" WHERE space = ? AND id = ?`, [space, id])
  return row === undefined ? undefined : recordFromRow(collection, row)
}

/** Records and tombstones by id; unknown ids are left out. */
export async function getRecords(reader: Reader, collection: CompiledCollection, space: number, ids: readonly string[]): Promise<StoredRecord[]> {
  if (ids.length === 0) return []
  const rows = await reader.all<RecordRow>(reader.dialect.lookUp({ select: selectList(collection), table: collection.table, column: 'id' }), [space, JSON.stringify(ids)])
  return rows.map((row) => recordFromRow(collection, row))
}

/** Bytes of the texts of records by id, read without the texts. */
export async function recordSizes(reader: Reader, collection: CompiledCollection, space: number, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (ids.length === 0) return new Map()
  const rows = await reader.all<{ id: string; bytes: number }>(reader.dialect.lookUp({ select: `id, ${recordBytes(collection)} AS bytes`, table: collection.table, column: 'id' }), [
    space,
    JSON.stringify(ids),
  ])
  return new Map(rows.map(({ id, bytes }) => [id, bytes]))
}

export interface Scan {
  readonly space: number
  /** Only versions above this one. */
  readonly after: number
  readonly limit: number
}

/** Records and tombstones of one collection in the order of their versions: one indexed range, whatever the size. */
export async function scanRecords(reader: Reader, collection: CompiledCollection, { space, after, limit }: Scan): Promise<Page<StoredRecord>> {
  const range = { text: `FROM "${collection.table}" WHERE space = ? AND version > ? ORDER BY version LIMIT ?`, values: [space, after] }
  return readPage(recordList(reader, collection, range), limit)
}

/** Records by the end of a statement, which is cut off by its last parameter. */
export function recordList(reader: Reader, collection: CompiledCollection, { text, values }: { readonly text: string; readonly values: readonly SqlValue[] }): PagedList<StoredRecord> {
  return {
    sizes: (count) => reader.all<{ bytes: number }>(`SELECT ${recordBytes(collection)} AS bytes ${text}`, [...values, count]),
    rows: async (count) => (await reader.all<RecordRow>(`SELECT ${selectList(collection)} ${text}`, [...values, count])).map((row) => recordFromRow(collection, row)),
  }
}

export interface Find {
  readonly space: number
  readonly filters: readonly RecordFilter[]
  readonly limit: number
}

/** Records and tombstones whose fields fit the filters, by id. Declare an index on the fields that are looked up; live records are found by their members without one. */
export async function findRecords(reader: Reader, collection: CompiledCollection, { space, filters, limit }: Find): Promise<StoredRecord[]> {
  const values: SqlValue[] = [space]
  const isLive = filters.some((filter) => 'isDeleted' in filter && !filter.isDeleted)
  const conditions = filters.map((filter) => {
    if ('isDeleted' in filter) return ` AND deleted_at IS ${filter.isDeleted ? 'NOT ' : ''}NULL`
    const field = collection.fieldByName.get(filter.field)
    if (field === undefined) throw new Error(`${collection.name} has no field "${filter.field}".`)
    if ('includes' in filter && isLive && field === collection.members) {
      values.push(space, collection.name, filter.includes)
      return ' AND id IN (SELECT record FROM holdfast_list_members WHERE space = ? AND collection = ? AND member = ?)'
    }
    if ('includes' in filter) {
      values.push(JSON.stringify(filter.includes))
      return ` AND ${reader.dialect.includes(`"${field.column}"`)}`
    }
    if ('below' in filter) {
      values.push(filter.below)
      return ` AND "${field.column}" < ?`
    }
    const { equals } = filter
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
