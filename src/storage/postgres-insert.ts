import type { Insert } from './database.ts'

const texts = new WeakMap<readonly string[], string>()

/** Text of an insert whose rows are one JSON parameter, so that it is one prepared statement for any number of rows. Kept per column list: callers make those once. */
export function insertText({ table, columns, replaceBy, skipDuplicates }: Insert): string {
  const known = texts.get(columns)
  if (known !== undefined) return known
  const names = columns.map((column) => `"${column}"`).join(', ')
  const text = `INSERT INTO "${table}" (${names}) SELECT ${names} FROM json_populate_recordset(NULL::"${table}", ?::json)${skipDuplicates === true ? ' ON CONFLICT DO NOTHING' : replacing(columns, replaceBy)}`
  texts.set(columns, text)
  return text
}

function replacing(columns: readonly string[], replaceBy: readonly string[] | undefined): string {
  if (replaceBy === undefined) return ''
  const key = replaceBy.map((column) => `"${column}"`).join(', ')
  const updates = columns.filter((column) => !replaceBy.includes(column)).map((column) => `"${column}" = excluded."${column}"`)
  return ` ON CONFLICT (${key}) DO UPDATE SET ${updates.join(', ')}`
}
