import type { Insert, SqlValue } from './database.ts'

interface Texts {
  readonly one: string
  /** Of many rows, by which columns hold text. */
  readonly many: Map<string, string>
  /** Columns in which text was seen; a column that holds text never holds anything else. */
  readonly textual: boolean[]
}

/** Kept per column list: callers make those once. */
const textsByColumns = new WeakMap<readonly string[], Texts>()

/** One statement for all rows of an insert. Many rows are one JSON array a column, so that it is the same prepared statement for any number of them. */
export function insertStatement(insert: Insert): { readonly sql: string; readonly values: readonly SqlValue[] } {
  const { columns, rows } = insert
  const texts = textsOf(insert)
  const [first = []] = rows
  if (rows.length === 1) return { sql: texts.one, values: first }
  const lists = columns.map((_column, index) => rows.map((row) => row[index] ?? null))
  for (const [index, list] of lists.entries()) texts.textual[index] ||= list.some((value) => typeof value === 'string')
  const kinds = texts.textual.map(Number).join('')
  const known = texts.many.get(kinds)
  const sql = known ?? manyText(insert, texts.textual)
  if (known === undefined) texts.many.set(kinds, sql)
  return { sql, values: lists.map((list) => JSON.stringify(list)) }
}

function textsOf(insert: Insert): Texts {
  const { columns } = insert
  const known = textsByColumns.get(columns)
  if (known !== undefined) return known
  const one = `${head(insert)} VALUES (${columns.map(() => '?').join(', ')})${tail(insert)}`
  const made = { one, many: new Map(), textual: columns.map(() => false) }
  textsByColumns.set(columns, made)
  return made
}

/** PostgreSQL turns numeric into the type of any column by itself, and a null in it into text too. */
function manyText(insert: Insert, textual: readonly boolean[]): string {
  const values = textual.map((isText, index) => (isText ? `c${index}` : `c${index}::numeric`))
  const lists = textual.map(() => 'json_array_elements_text(?::json)')
  return `${head(insert)} SELECT ${values.join(', ')} FROM ROWS FROM (${lists.join(', ')}) AS given (${textual.map((_isText, index) => `c${index}`).join(', ')})${tail(insert)}`
}

function head({ table, columns }: Insert): string {
  return `INSERT INTO "${table}" (${columns.map((column) => `"${column}"`).join(', ')})`
}

function tail({ columns, replaceBy, skipDuplicates }: Insert): string {
  if (skipDuplicates === true) return ' ON CONFLICT DO NOTHING'
  if (replaceBy === undefined) return ''
  const key = replaceBy.map((column) => `"${column}"`).join(', ')
  const updates = columns.filter((column) => !replaceBy.includes(column)).map((column) => `"${column}" = excluded."${column}"`)
  return ` ON CONFLICT (${key}) DO UPDATE SET ${updates.join(', ')}`
}
