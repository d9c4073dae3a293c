import type { FieldKind } from '../app/inspect-field.ts'
import type { Dialect } from './dialect.ts'
import { PostgresSchemaPlugin } from './postgres-schema-plugin.ts'

/** Text is compared by bytes, as in SQLite, whatever the locale of the database. */
const TEXT = 'TEXT COLLATE "C"'

const columnTypes: Readonly<Record<FieldKind, string>> = { text: TEXT, integer: 'BIGINT', real: 'DOUBLE PRECISION', boolean: 'SMALLINT', json: TEXT }

/** Held by the one process that migrates; the number only has to be nobody else's. */
const MIGRATION_LOCK = 4_846_030_112

/** PostgreSQL: truth values are 0 and 1 and JSON is text here too, so that both databases hold the same bytes. */
export const postgresDialect: Dialect = {
  name: 'postgres',
  columnType: (kind) => columnTypes[kind],
  schemaPlugins: [new PostgresSchemaPlugin()],
  indexColumn: (column) => `${column} NULLS FIRST`,
  referencesLater: true,
  inJsonArray: (column) => `${column} = ANY(ARRAY(SELECT json_array_elements_text(?::json)))`,
  // Left to itself, PostgreSQL may read a whole space through another of its indexes where its statistics say that spaces are small. What has an
  // offset stays a query of its own, run for each text.
  lookUp: ({ select, table, column, where = 'TRUE' }) =>
    `SELECT found.* FROM (SELECT DISTINCT json_array_elements_text(?2::json) AS text) AS wanted CROSS JOIN LATERAL (SELECT ${select} FROM "${table}" WHERE space = ?1 AND ${where} AND ${column} = wanted.text OFFSET 0) AS found`,
  contains: (column) => `${column} ILIKE ? ESCAPE '\\'`,
  includes: (column) => `position(? in ${column}) > 0`,
  jsonText: (column, kind) => {
    if (kind === 'json') return `coalesce(${column}, 'null')`
    if (kind === 'boolean') return `CASE ${column} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END`
    return kind === 'integer' ? `coalesce(${column}::text, 'null')` : `coalesce(to_json(${column})::text, 'null')`
  },
  // Rows of a subquery with a limit are added in its order; one asked for here would be a second sort.
  joinedText: (text, separator, end) => `string_agg(${text}, ${separator}::text) || ${end}::text`,
  // Only a part that is cut off itself is read in the order of its index; otherwise all of it is read, built and sorted.
  orderedPart: (select, limit) => `SELECT * FROM (${select} ORDER BY 1 LIMIT ${limit}) AS part`,
  forUpdate: ' FOR UPDATE',
  lockForMigration: async (tx) => {
    await tx.all('SELECT pg_advisory_xact_lock(?)', [MIGRATION_LOCK])
  },
  columnsOf: async (reader, table) => {
    const sql = `SELECT attname AS name, upper(format_type(atttypid, atttypmod)) || CASE WHEN collname = 'C' THEN ' COLLATE "C"' ELSE '' END AS type
FROM pg_attribute LEFT JOIN pg_collation ON pg_collation.oid = attcollation
WHERE attrelid = to_regclass(quote_ident(?)) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`
    const rows = await reader.all<{ name: string; type: string }>(sql, [table])
    return new Map(rows.map(({ name, type }) => [name, type]))
  },
  tablesOf: async (reader, prefix) => {
    // Partitions are part of their table.
    const sql = `SELECT relname::text AS name FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND starts_with(relname::text, ?) ORDER BY relname::text COLLATE "C"`
    const rows = await reader.all<{ name: string }>(sql, [prefix])
    return rows.map(({ name }) => name)
  },
  indexesOf: async (reader, table) => {
    const rows = await reader.all<{ name: string }>('SELECT indexname AS name FROM pg_indexes WHERE schemaname = current_schema() AND tablename = ?', [table])
    return new Set(rows.map(({ name }) => name))
  },
  keyOf: async (reader, table) => {
    const sql = `SELECT attname AS name FROM pg_index CROSS JOIN unnest(indkey) WITH ORDINALITY AS part (number, place)
JOIN pg_attribute ON attrelid = indrelid AND attnum = part.number WHERE indrelid = to_regclass(quote_ident(?)) AND indisprimary ORDER BY place`
    const rows = await reader.all<{ name: string }>(sql, [table])
    return rows.map(({ name }) => name)
  },
  continueCounting: async (tx, table, column) => {
    await tx.all(`SELECT setval(pg_get_serial_sequence(?, ?), (SELECT coalesce(max("${column}"), 0) + 1 FROM "${table}"), false)`, [table, column])
  },
}
