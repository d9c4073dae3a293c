import { createHash, type Hash } from 'node:crypto'
import type { Reader, SqlValue } from './database.ts'

/** A table as both databases have it. */
export interface MovedTable {
  readonly name: string
  readonly columns: readonly string[]
  /** Columns of the primary key, in order. */
  readonly key: readonly string[]
}

export interface RowRange {
  /** Key of the last row before the page; undefined to begin. */
  readonly after: readonly SqlValue[] | undefined
  /** Only spaces above the first and up to the second; undefined for all rows. */
  readonly spaces?: readonly [above: number, upTo: number] | undefined
  readonly limit: number
}

type Row = Readonly<Record<string, SqlValue>>

/** One page of a table's rows by key, as lists of values in the order of the columns. */
export async function readRows(reader: Reader, { name, columns, key }: MovedTable, { after, spaces, limit }: RowRange): Promise<SqlValue[][]> {
  const list = (names: readonly string[]) => names.map((column) => `"${column}"`).join(', ')
  const conditions: string[] = []
  const values: SqlValue[] = []
  if (spaces !== undefined) {
    conditions.push('"space" > ? AND "space" <= ?')
    values.push(...spaces)
  }
  if (after !== undefined) {
    conditions.push(`(${list(key)}) > (${key.map(() => '?').join(', ')})`)
    values.push(...after)
  }
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  const rows = await reader.all<Row>(`SELECT ${list(columns)} FROM "${name}"${where} ORDER BY ${list(key)} LIMIT ?`, [...values, limit])
  return rows.map((row) => columns.map((column) => row[column] ?? null))
}

/** The key of a row that was read. */
export function keyOfRow({ columns, key }: MovedTable, row: readonly SqlValue[]): SqlValue[] {
  return key.map((column) => row[columns.indexOf(column)] ?? null)
}

/** Number and content of a table's rows. */
export interface TableDigest {
  readonly rows: number
  /** SHA-256 over all rows in the order of their keys. */
  readonly sha256: string
}

/** Adds rows up to a digest that is the same in both databases. */
export class RowDigest {
  readonly #hash: Hash = createHash('sha256')
  #rows = 0

  add(rows: readonly (readonly SqlValue[])[]): void {
    for (const row of rows) this.#hash.update(`${JSON.stringify(row)}\n`)
    this.#rows += rows.length
  }

  end(): TableDigest {
    return { rows: this.#rows, sha256: this.#hash.digest('hex') }
  }
}
