import type { CompiledCollection } from '../app/compile-app.ts'
import type { StoredRecord } from '../app/rule.ts'
import type { Reader, SqlValue } from './database.ts'
import type { Dialect } from './dialect.ts'
import { readPage, type Page } from './page.ts'
import { recordList } from './read-records.ts'

/** `null` asks whether there is a value at all. */
export type FilterOperator = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte' | 'in' | 'contains' | 'null'

/** One condition on a column, with its values as they stand in the database. */
export interface ColumnFilter {
  readonly column: string
  readonly operator: FilterOperator
  readonly values: readonly SqlValue[]
}

export interface RecordList {
  readonly space: number
  readonly filters: readonly ColumnFilter[]
  readonly sort: { readonly column: string; readonly descending: boolean }
  /** The last row of the page before; undefined for the first page. */
  readonly after: { readonly value: SqlValue; readonly id: string } | undefined
  readonly limit: number
}

/** Live records that pass the filters, in order; ties by id, and a missing value before any other. A page never counts rows to skip. */
export async function listRecords(reader: Reader, collection: CompiledCollection, list: RecordList): Promise<Page<StoredRecord>> {
  const { column, descending } = list.sort
  const where = conditions(reader.dialect, list)
  const behind = list.after === undefined ? { text: '', values: [] } : behindText(list.sort, list.after)
  const direction = descending ? 'DESC' : 'ASC'
  // Nulls first when ascending is SQLite's own order, so that an index still serves it.
  const order = column === 'id' ? `"id" ${direction}` : `"${column}" ${direction} NULLS ${descending ? 'LAST' : 'FIRST'}, "id" ${direction}`
  const text = `FROM "${collection.table}" WHERE ${where.text}${behind.text} ORDER BY ${order} LIMIT ?`
  return readPage(recordList(reader, collection, { text, values: [...where.values, ...behind.values] }), list.limit)
}

/** How many live records pass the filters. */
export async function countListed(reader: Reader, collection: CompiledCollection, list: Pick<RecordList, 'space' | 'filters'>): Promise<number> {
  const where = conditions(reader.dialect, list)
  const [row] = await reader.all<{ count: number }>(`SELECT count(*) AS count FROM "${collection.table}" WHERE ${where.text}`, where.values)
  return row?.count ?? 0
}

interface Condition {
  readonly text: string
  readonly values: readonly SqlValue[]
}

function conditions(dialect: Dialect, { space, filters }: Pick<RecordList, 'space' | 'filters'>): Condition {
  const texts = ['space = ?', 'deleted_at IS NULL', ...filters.map((filter) => filterText(dialect, filter))]
  return { text: texts.join(' AND '), values: [space, ...filters.flatMap(({ operator, values }) => (operator === 'null' ? [] : values))] }
}

const comparisons = { eq: '=', ne: 'IS DISTINCT FROM', lt: '<', lte: '<=', gt: '>', gte: '>=' } as const

function filterText(dialect: Dialect, { column, operator, values }: ColumnFilter): string {
  switch (operator) {
    case 'null':
      return `"${column}" IS ${values[0] === 1 ? '' : 'NOT '}NULL`
    case 'in':
      return `"${column}" IN (${values.map(() => '?').join(', ')})`
    case 'contains':
      return dialect.contains(`"${column}"`)
    case 'eq':
    case 'ne':
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return `"${column}" ${comparisons[operator]} ?`
  }
}

/** A LIKE pattern that finds the text anywhere, with its own wildcards taken literally. */
export function containsPattern(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
}

/** Rows that come after the last one of the page before. */
function behindText({ column, descending }: RecordList['sort'], { value, id }: NonNullable<RecordList['after']>): Condition {
  const past = descending ? '<' : '>'
  if (column === 'id') return { text: ` AND "id" ${past} ?`, values: [id] }
  if (value === null) {
    const sameValue = `("${column}" IS NULL AND "id" ${past} ?)`
    return { text: descending ? ` AND ${sameValue}` : ` AND (${sameValue} OR "${column}" IS NOT NULL)`, values: [id] }
  }
  const later = `"${column}" ${past} ? OR ("${column}" = ? AND "id" ${past} ?)`
  return { text: descending ? ` AND (${later} OR "${column}" IS NULL)` : ` AND (${later})`, values: [value, value, id] }
}
