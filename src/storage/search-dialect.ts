import type { Dialect } from './dialect.ts'
import type { Reader, Transactor } from './database.ts'

/** How a database finds entries by their grams. */
export interface SearchDialect {
  createTables(tx: Transactor): Promise<void>
  /** Columns of the primary key of the index. */
  readonly key: readonly string[]
  /** Columns by which an index of this form is told from one of an earlier form. */
  readonly marks: readonly string[]
  putGrams(tx: Transactor, entry: SearchEntry, grams: ReadonlySet<number>): Promise<void>
  removeGrams(tx: Transactor, entry: SearchEntry): Promise<void>
  /** Has the statements of this transaction read by the indexes of the search. */
  begin(reader: Reader): Promise<unknown>
  /** `SELECT` of the `entry` of all that has grams, of one parameter: what `gramQuery` makes. */
  readonly entriesWithGrams: string
  /** Condition on `search` that takes one parameter: what `gramQuery` makes. */
  readonly hasGrams: string
  gramQuery(grams: readonly number[]): string
  /** Expression for a set of numbers as one text, which `readEntries` reads; of those that fit the condition alone where there is one. */
  entriesText(column: string, condition?: string): string
  /** Table of one column `entry`, of one parameter: what `entriesParameter` makes. */
  readonly givenEntries: string
  entriesParameter(entries: readonly number[]): string
  /** Expression that is above 0 where `column` contains the text of one parameter. */
  contains(column: string): string
}

/** An entry of the index. */
export interface SearchEntry {
  readonly space: number
  /** Its number. */
  readonly entry: number
}

const columns = `{first}space BIGINT NOT NULL, collection {text} NOT NULL, record {text} NOT NULL, version BIGINT NOT NULL, listed_by {text}, listed_at BIGINT, head {text} NOT NULL, body {text} NOT NULL, {last} (space, collection, record)`

/** Has all that a list needs, so that the texts are read of nothing but what a term may stand in. In SQLite the entry is in every index. */
function createListedIndex(more: string): string {
  return `CREATE INDEX holdfast_search_listed ON holdfast_search (space, collection, listed_by, listed_at, record)${more} WHERE listed_by IS NOT NULL`
}

function createTable(parts: { readonly first: string; readonly text: string; readonly last: string }): string {
  return `CREATE TABLE holdfast_search (${columns.replaceAll(/\{(first|text|last)\}/g, (_, name: keyof typeof parts) => parts[name])})`
}

/** SQLite: an FTS5 table that keeps nothing but which entries have a gram; grams are its words. */
const sqliteSearch: SearchDialect = {
  createTables: async (tx) => {
    await tx.run(createTable({ first: 'entry INTEGER PRIMARY KEY AUTOINCREMENT, ', text: 'TEXT', last: 'UNIQUE' }))
    await tx.run(createListedIndex(''))
    await tx.run("CREATE VIRTUAL TABLE holdfast_search_grams USING fts5(grams, content='', contentless_delete=1, detail=none, tokenize='ascii')")
  },
  key: ['entry'],
  marks: ['entry', 'listed_by'],
  putGrams: async (tx, { entry }, grams) => {
    await tx.run('INSERT OR REPLACE INTO holdfast_search_grams (rowid, grams) VALUES (?, ?)', [entry, [...grams].map(gramWord).join(' ')])
  },
  removeGrams: async (tx, { entry }) => void (await tx.run('DELETE FROM holdfast_search_grams WHERE rowid = ?', [entry])),
  begin: async () => {},
  entriesWithGrams: 'SELECT rowid AS entry FROM holdfast_search_grams WHERE holdfast_search_grams MATCH ?',
  hasGrams: 'search.entry IN (SELECT rowid FROM holdfast_search_grams WHERE holdfast_search_grams MATCH ?)',
  gramQuery: (grams) => grams.map(gramWord).join(' '),
  entriesText: (column, condition) => `json_group_array(${column})${condition === undefined ? '' : ` FILTER (WHERE ${condition})`}`,
  givenEntries: '(SELECT value AS entry FROM json_each(?))',
  entriesParameter: (entries) => `[${entries.join(',')}]`,
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

/** PostgreSQL: the grams are an array with an inverted index; no extension is needed. */
const postgresSearch: SearchDialect = {
  createTables: async (tx) => {
    // Entries have a number that is no key, as one would have to contain the space; it is not the table's own, which may be made anew in partitions.
    await tx.run('CREATE SEQUENCE IF NOT EXISTS holdfast_search_entries')
    await tx.run(
      createTable({ first: "entry BIGINT NOT NULL DEFAULT nextval('holdfast_search_entries'), ", text: 'TEXT COLLATE "C"', last: "gram_numbers BIGINT[] NOT NULL DEFAULT '{}', PRIMARY KEY" }),
    )
    // Grams are read through their index alone: kept beside the row they leave room for its text, which is read often.
    await tx.run('ALTER TABLE holdfast_search ALTER COLUMN gram_numbers SET STORAGE EXTERNAL, ALTER COLUMN body SET STORAGE MAIN')
    await tx.run(createListedIndex(' INCLUDE (entry)'))
    await tx.run('CREATE INDEX holdfast_search_by_entry ON holdfast_search (entry)')
    await tx.run('CREATE INDEX holdfast_search_by_grams ON holdfast_search USING gin (gram_numbers)')
  },
  key: ['space', 'collection', 'record'],
  marks: ['entry', 'listed_by', 'gram_numbers'],
  putGrams: async (tx, { space, entry }, grams) => {
    await tx.run('UPDATE holdfast_search SET gram_numbers = CAST(? AS BIGINT[]) WHERE space = ? AND entry = ?', [arrayText([...grams]), space, entry])
  },
  // They are part of the entry's row, which is gone.
  removeGrams: async () => {},
  // Left to itself, PostgreSQL reads the grams of every row where many rows have a gram: ten times as much as the texts.
  begin: (reader) => reader.all("SELECT set_config('enable_seqscan', 'off', true)"),
  entriesWithGrams: 'SELECT entry FROM holdfast_search WHERE gram_numbers @> CAST(? AS BIGINT[])',
  hasGrams: 'search.gram_numbers @> CAST(? AS BIGINT[])',
  gramQuery: arrayText,
  entriesText: (column, condition) => `coalesce(CAST(array_agg(${column})${condition === undefined ? '' : ` FILTER (WHERE ${condition})`} AS TEXT), '{}')`,
  givenEntries: '(SELECT unnest(CAST(? AS BIGINT[])) AS entry)',
  entriesParameter: arrayText,
  contains: (column) => `strpos(${column}, ?)`,
}

function arrayText(numbers: readonly number[]): string {
  return `{${numbers.join(',')}}`
}

/** Reads what `entriesText` gives, of either database. */
export function readEntries(text: string): number[] {
  return JSON.parse(`[${text.slice(1, -1)}]`) as number[]
}

export const searchDialects: Readonly<Record<Dialect['name'], SearchDialect>> = { sqlite: sqliteSearch, postgres: postgresSearch }
