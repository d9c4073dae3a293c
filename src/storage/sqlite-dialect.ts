import type { FieldKind } from '../app/inspect-field.ts'
import type { Dialect } from './dialect.ts'

const columnTypes: Readonly<Record<FieldKind, string>> = { text: 'TEXT', integer: 'INTEGER', real: 'REAL', boolean: 'INTEGER', json: 'TEXT' }

/** SQLite: truth values are 0 and 1, JSON is text, and the one writer needs no row locks. */
export const sqliteDialect: Dialect = {
  name: 'sqlite',
  columnType: (kind) => columnTypes[kind],
  schemaPlugins: [],
  indexColumn: (column) => column,
  referencesLater: false,
  inJsonArray: (column) => `${column} IN (SELECT value FROM json_each(?))`,
  lookUp: ({ select, table, column, where = 'TRUE' }) => `SELECT ${select} FROM "${table}" WHERE space = ?1 AND ${where} AND ${column} IN (SELECT value FROM json_each(?2))`,
  contains: (column) => `${column} LIKE ? ESCAPE '\\'`,
  includes: (column) => `instr(${column}, ?) > 0`,
  jsonText: (column, kind) => {
    if (kind === 'json') return `coalesce(${column}, 'null')`
    if (kind === 'boolean') return `CASE ${column} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END`
    return kind === 'integer' ? `coalesce(${column}, 'null')` : `json_quote(${column})`
  },
  // Rows of a subquery with a limit are added in its order. A blob is handed over as it is; a text would become a string first.
  joinedText: (text, separator, end) => `CAST(group_concat(${text}, ${separator}) || ${end} AS BLOB)`,
  orderedPart: (select) => select,
  forUpdate: '',
  lockForMigration: async () => {},
  columnsOf: async (reader, table) => {
    const rows = await reader.all<{ name: string; type: string }>('SELECT name, type FROM pragma_table_info(?)', [table])
    return new Map(rows.map(({ name, type }) => [name, type]))
  },
  tablesOf: async (reader, prefix) => {
    const rows = await reader.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, length(?)) = ? ORDER BY name", [prefix, prefix])
    return rows.map(({ name }) => name)
  },
  indexesOf: async (reader, table) => {
    const rows = await reader.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ?", [table])
    return new Set(rows.map(({ name }) => name))
  },
  keyOf: async (reader, table) => {
    const rows = await reader.all<{ name: string }>('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk', [table])
    return rows.map(({ name }) => name)
  },
  // SQLite notes the largest with every insert.
  continueCounting: async () => {},
}
