import type { FieldKind } from '../app/inspect-field.ts'
import type { Dialect } from './dialect.ts'

const columnTypes: Readonly<Record<FieldKind, string>> = { text: 'TEXT', integer: 'INTEGER', real: 'REAL', boolean: 'INTEGER', json: 'TEXT' }

/** SQLite: truth values are 0 and 1, JSON is text, and the one writer needs no row locks. */
export const sqliteDialect: Dialect = {
  name: 'sqlite',
  columnType: (kind) => columnTypes[kind],
  inJsonArray: (column) => `${column} IN (SELECT value FROM json_each(?))`,
  asJson: (column, kind) => {
    if (kind === 'json') return `json(${column})`
    if (kind === 'boolean') return `CASE ${column} WHEN 1 THEN json('true') WHEN 0 THEN json('false') END`
    return column
  },
  jsonObject: (members) => `json_object(${members.map(([name, expression]) => `'${name}', ${expression}`).join(', ')})`,
  jsonText: (expression) => expression,
  forUpdate: '',
  columnsOf: async (reader, table) => {
    const rows = await reader.all<{ name: string; type: string }>('SELECT name, type FROM pragma_table_info(?)', [table])
    return new Map(rows.map(({ name, type }) => [name, type]))
  },
  tablesOf: async (reader, prefix) => {
    const rows = await reader.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, length(?)) = ? ORDER BY name", [prefix, prefix])
    return rows.map(({ name }) => name)
  },
}
