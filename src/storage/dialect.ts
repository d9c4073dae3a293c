import type { KyselyPlugin } from 'kysely'
import type { FieldKind } from '../app/inspect-field.ts'
import type { Reader, Transactor } from './database.ts'

export interface LookUp {
  readonly select: string
  readonly table: string
  /** Second in an index behind the space, or behind `where`. */
  readonly column: string
  /** Further condition. */
  readonly where?: string
}

/** What differs between the databases. Everything else is one text for both. */
export interface Dialect {
  readonly name: 'sqlite' | 'postgres'
  columnType(kind: FieldKind): string
  /** What turns the column types of a written migration into this database's own. */
  readonly schemaPlugins: readonly KyselyPlugin[]
  /** A column as an index lists it, so that the index serves lists that begin with missing values. */
  indexColumn(column: string): string
  /** Whether a table can only refer to tables that are there, and gets its references afterwards. SQLite cannot add them, and need not. */
  readonly referencesLater: boolean
  /** Expression that is true when `column` is one of the texts in a JSON array given as one parameter. */
  inJsonArray(column: string): string
  /** Statement that reads rows of one space, given as `?1`, whose `column` is one of the texts in a JSON array, given as `?2`: each looked up by itself, however many rows the space has. */
  lookUp(look: LookUp): string
  /** Condition that a column contains the text of one LIKE parameter; A to Z match in either case, other letters as written. */
  contains(column: string): string
  /** Condition that a column contains the text of one parameter as it is written. */
  includes(column: string): string
  /** Expression for a column's value as JSON text; `null` for a missing one. */
  jsonText(column: string, kind: FieldKind): string
  /** Expression that joins the texts of ordered rows with a separator and ends them, best as bytes that need not become a string. */
  joinedText(text: string, separator: string, end: string): string
  /** A part of a UNION ALL that is ordered by its first column and cut off at `limit` as a whole. */
  orderedPart(select: string, limit: string): string
  /** Lock on a selected row until the transaction ends; empty where one writer is all there is. */
  readonly forUpdate: string
  /** Makes every other process that migrates wait until the transaction ends. */
  lockForMigration(tx: Transactor): Promise<void>
  /** Names and declared types of a table's columns; empty when there is no such table. */
  columnsOf(reader: Reader, table: string): Promise<ReadonlyMap<string, string>>
  /** Names of the tables that begin with `prefix`. */
  tablesOf(reader: Reader, prefix: string): Promise<readonly string[]>
  /** Names of a table's indexes. */
  indexesOf(reader: Reader, table: string): Promise<ReadonlySet<string>>
  /** Columns of a table's primary key, in order. */
  keyOf(reader: Reader, table: string): Promise<readonly string[]>
  /** Has a key that counts up by itself go on behind the largest there is. */
  continueCounting(tx: Transactor, table: string, column: string): Promise<void>
}
