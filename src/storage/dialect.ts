import type { FieldKind } from '../app/inspect-field.ts'
import type { Reader } from './database.ts'

/** What differs between the databases. Everything else is one text for both. */
export interface Dialect {
  readonly name: 'sqlite' | 'postgres'
  columnType(kind: FieldKind): string
  /** Expression that is true when `column` is one of the texts in a JSON array given as one parameter. */
  inJsonArray(column: string): string
  /** Expression of JSON type for a column of this kind. */
  asJson(column: string, kind: FieldKind): string
  /** Expression that builds a JSON object from names and JSON expressions. */
  jsonObject(members: readonly (readonly [name: string, expression: string])[]): string
  /** Text of a JSON expression. */
  jsonText(expression: string): string
  /** Lock on a selected row until the transaction ends; empty where one writer is all there is. */
  readonly forUpdate: string
  /** Names and declared types of a table's columns; empty when there is no such table. */
  columnsOf(reader: Reader, table: string): Promise<ReadonlyMap<string, string>>
  /** Names of the tables that begin with `prefix`. */
  tablesOf(reader: Reader, prefix: string): Promise<readonly string[]>
}
