import type { Dialect } from './dialect.ts'
import type { Reader, SqlValue, Transactor } from './database.ts'

/** How a database finds entries by their grams. */
export interface SearchDialect {
  createTables(tx: Transactor): Promise<void>
  /** Columns of the primary key of the index. */
  readonly key: readonly string[]
  /** Grams of records of a space, each named once; those that have no entry are left out. The grams of a long text are far longer than it: they are asked for one by one. */
  putGrams(tx: Transactor, space: number, records: Iterable<RecordGrams>): Promise<void>
  removeGrams(tx: Transactor, space: number, entries: readonly number[]): Promise<void>
  /** Grams as one text: as they are kept, and as all of them are asked for. */
  gramsText(grams: Iterable<number>): string
  /** Has the statements of this transaction read by the indexes of the search. */
  begin(reader: Reader): Promise<unknown>
  /** `SELECT` of the `entry` of all that has grams, of one parameter: what `gramsText` makes. */
  readonly entriesWithGrams: string
  /** Expression for a set of numbers as one text, which `readEntries` reads; of those that fit the condition alone where there is one. */
  entriesText(column: string, condition?: string): string
  /** Table of one column `entry`, of one parameter: what `entriesParameter` makes. */
  readonly givenEntries: string
  entriesParameter(entries: readonly number[]): string
  /** `FROM` the same parameter: the rows of these entries, each looked up by itself. */
  givenRows(row: string): string
  /** Joins the links, `link`, of the records of a space and a collection, which are the next two parameters, that have a member. */
  joinLinks(member: string): string
  /** Joins the row, `item`, of the record that `id` names, of a space and a collection, which are the next two parameters. */
  joinItem(id: string): string
  /** Expression that is above 0 where `column` contains the text of one parameter. */
  contains(column: string): string
}

export interface RecordGrams {
  readonly collection: string
  readonly record: string
  /** What `gramsText` makes. */
  readonly grams: string
}

/** Columns of the index behind `entry`, and their types; {text} is the type of a text in this database. */
const columnTypes = {
  space: 'BIGINT NOT NULL',
  collection: '{text} NOT NULL',
  record: '{text} NOT NULL',
  version: 'BIGINT NOT NULL',
  listed_by: '{text}',
  listed_at: 'BIGINT',
  head: '{text} NOT NULL',
  body: '{text} NOT NULL',
}

/** Columns that a write gives; the entry gets its number from the database. */
export const writtenColumns: readonly string[] = Object.keys(columnTypes)

/** Columns of the index, by which this form is told from an earlier one. */
export const searchColumns: readonly string[] = ['entry', ...writtenColumns]

/** Has all that a list needs, so that the texts are read of nothing but what a term may stand in. In SQLite the entry is in every index. */
function createListedIndex(more: string): string {
  return `CREATE INDEX holdfast_search_listed ON holdfast_search (space, collection, listed_by, listed_at, record)${more} WHERE listed_by IS NOT NULL`
}

function createTable({ entry, text, key }: { readonly entry: string; readonly text: string; readonly key: string }): string {
  const columns = Object.entries(columnTypes).map(([name, type]) => `${name} ${type.replace('{text}', text)}`)
  return `CREATE TABLE holdfast_search (entry ${entry}, ${columns.join(', ')}, ${key} (space, collection, record))`
}

const sqliteGiven = '(SELECT value AS entry FROM json_each(?))'

/** SQLite: an FTS5 table that keeps nothing but which entries have a gram; grams are its words. */
const sqliteSearch: SearchDialect = {
  createTables: async (tx) => {
    await tx.run(createTable({ entry: 'INTEGER PRIMARY KEY AUTOINCREMENT', text: 'TEXT', key: 'UNIQUE' }))
    await tx.run(createListedIndex(''))
    await tx.run("CREATE VIRTUAL TABLE holdfast_search_grams USING fts5(grams, content='', contentless_delete=1, detail=none, tokenize='ascii')")
  },
  key: ['entry'],
  putGrams: async (tx, space, records) => {
    for (const { collection, record, grams } of records) {
      const [row] = await tx.all<{ entry: number }>('SELECT entry FROM holdfast_search WHERE space = ? AND collection = ? AND record = ?', [space, collection, record])
      if (row !== undefined) await tx.run('INSERT OR REPLACE INTO holdfast_search_grams (rowid, grams) VALUES (?, ?)', [row.entry, grams])
    }
  },
  removeGrams: async (tx, _space, entries) => {
    for (const entry of entries) await tx.run('DELETE FROM holdfast_search_grams WHERE rowid = ?', [entry])
  },
  gramsText: (grams) => Array.from(grams, gramWord).join(' '),
  begin: async () => {},
  entriesWithGrams: 'SELECT rowid AS entry FROM holdfast_search_grams WHERE holdfast_search_grams MATCH ?',
  entriesText: (column, condition) => `json_group_array(${column})${condition === undefined ? '' : ` FILTER (WHERE ${condition})`}`,
  givenEntries: sqliteGiven,
  entriesParameter: (entries) => `[${entries.join(',')}]`,
  givenRows: (row) => `${sqliteGiven} AS given CROSS JOIN holdfast_search AS ${row} ON ${row}.entry = given.entry`,
  joinLinks: (member) => `CROSS JOIN holdfast_list_members AS link ON link.space = ? AND link.collection = ? AND link.member = ${member}`,
  joinItem: (id) => `CROSS JOIN holdfast_search AS item ON item.space = ? AND item.collection = ? AND item.record = ${id}`,
  contains: (column) => `instr(${column}, ?)`,
}

/** Letters and digits alone, so that nothing in it is an operator. Looked up by halves of 16 bits: a record has a thousand of them. */
function gramWord(gram: number): string {
  if (halves.length === 0) for (let half = 0; half < 65_536; half += 1) halves.push(half.toString(36).padStart(4, '0'))
  const [high, low] = [Math.floor(gram / 0x1_0000_0000), gram >>> 0]
  return `${(high >>> 16).toString(36)}${halves[high & 0xffff]}${halves[low >>> 16]}${halves[low & 0xffff]}`
}

/** Half words by their 16 bits. */
const halves: string[] = []

/** Length of the grams that one statement writes, where several records have them together. */
export const GRAMS_CHARS_AT_ONCE = 4_194_304

const putPostgresGrams = `INSERT INTO holdfast_search_grams (space, entry, gram_numbers)
SELECT CAST(? AS BIGINT), found.entry, CAST(given.grams AS BIGINT[])
FROM ROWS FROM (json_array_elements_text(CAST(? AS JSON)), json_array_elements_text(CAST(? AS JSON)), unnest(CAST(? AS TEXT[]))) AS given (collection, record, grams)
CROSS JOIN LATERAL (SELECT entry FROM holdfast_search WHERE space = ? AND collection = given.collection AND record = given.record OFFSET 0) AS found
ON CONFLICT (space, entry) DO UPDATE SET gram_numbers = excluded.gram_numbers`

function gramValues(space: number, records: readonly RecordGrams[]): SqlValue[] {
  const columns = [records.map(({ collection }) => collection), records.map(({ record }) => record)]
  return [space, ...columns.map((column) => JSON.stringify(column)), `{${records.map(({ grams }) => `"${grams}"`).join(',')}}`, space]
}

const postgresGiven = '(SELECT unnest(CAST(? AS BIGINT[])) AS entry)'

/**
 * PostgreSQL: the grams are an array with an inverted index; no extension is needed. They have a table of their own, whose rows are small: what has a
 * gram that most entries have is read from a twentieth of the pages.
 */
const postgresSearch: SearchDialect = {
  createTables: async (tx) => {
    // Entries have a number that is no key, as one would have to contain the space; it is not the table's own, which may be made anew in partitions.
    await tx.run('CREATE SEQUENCE IF NOT EXISTS holdfast_search_entries')
    await tx.run(createTable({ entry: "BIGINT NOT NULL DEFAULT nextval('holdfast_search_entries')", text: 'TEXT COLLATE "C"', key: 'PRIMARY KEY' }))
    await tx.run('CREATE TABLE holdfast_search_grams (space BIGINT NOT NULL, entry BIGINT NOT NULL, gram_numbers BIGINT[] NOT NULL, PRIMARY KEY (space, entry))')
    // Grams are read through their index alone, and so lie beside their row; texts are read often.
    await tx.run('ALTER TABLE holdfast_search_grams ALTER COLUMN gram_numbers SET STORAGE EXTERNAL')
    await tx.run('ALTER TABLE holdfast_search ALTER COLUMN body SET STORAGE MAIN')
    await tx.run(createListedIndex(' INCLUDE (entry)'))
    await tx.run('CREATE INDEX holdfast_search_by_entry ON holdfast_search (entry)')
    await tx.run('CREATE INDEX holdfast_search_by_grams ON holdfast_search_grams USING gin (gram_numbers)')
  },
  key: ['space', 'collection', 'record'],
  putGrams: async (tx, space, records) => {
    let piece: RecordGrams[] = []
    let chars = 0
    for (const one of records) {
      // Many long texts have more than a string can hold, and than a statement has time for.
      if (piece.length > 0 && chars + one.grams.length > GRAMS_CHARS_AT_ONCE) {
        await tx.run(putPostgresGrams, gramValues(space, piece))
        piece = []
        chars = 0
      }
      piece.push(one)
      chars += one.grams.length
    }
    if (piece.length > 0) await tx.send(putPostgresGrams, gramValues(space, piece))
  },
  removeGrams: async (tx, space, entries) => {
    if (entries.length > 0) await tx.send('DELETE FROM holdfast_search_grams WHERE space = ? AND entry = ANY (CAST(? AS BIGINT[]))', [space, arrayText(entries)])
  },
  gramsText: arrayText,
  // Left to itself, PostgreSQL reads the grams of every row where many rows have a gram: ten times as much as the texts.
  begin: (reader) => reader.all("SELECT set_config('enable_seqscan', 'off', true)"),
  entriesWithGrams: 'SELECT entry FROM holdfast_search_grams WHERE gram_numbers @> CAST(? AS BIGINT[])',
  entriesText: (column, condition) => `coalesce(CAST(array_agg(${column})${condition === undefined ? '' : ` FILTER (WHERE ${condition})`} AS TEXT), '{}')`,
  givenEntries: postgresGiven,
  entriesParameter: arrayText,
  // What has an offset stays a query of its own: before there are statistics, a plan for all of it may read the whole index for each entry.
  givenRows: (row) => `${postgresGiven} AS given CROSS JOIN LATERAL (SELECT * FROM holdfast_search WHERE entry = given.entry OFFSET 0) AS ${row}`,
  joinLinks: (member) => `CROSS JOIN LATERAL (SELECT record FROM holdfast_list_members WHERE space = ? AND collection = ? AND member = ${member} OFFSET 0) AS link`,
  joinItem: (id) => `CROSS JOIN LATERAL (SELECT entry FROM holdfast_search WHERE space = ? AND collection = ? AND record = ${id} OFFSET 0) AS item`,
  contains: (column) => `strpos(${column}, ?)`,
}

function arrayText(numbers: Iterable<number>): string {
  return `{${[...numbers].join(',')}}`
}

/** Reads what `entriesText` gives, of either database. */
export function readEntries(text: string): number[] {
  return JSON.parse(`[${text.slice(1, -1)}]`) as number[]
}

export const searchDialects: Readonly<Record<Dialect['name'], SearchDialect>> = { sqlite: sqliteSearch, postgres: postgresSearch }
