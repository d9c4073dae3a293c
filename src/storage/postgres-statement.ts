/** A statement as PostgreSQL takes it: `$1` placeholders, and a name under which each connection keeps it prepared. */
export interface PostgresStatement {
  readonly text: string
  /** Undefined when there are too many different texts to keep. */
  readonly name: string | undefined
}

/** Texts kept prepared. Each costs some memory in each connection's server process. */
const STATEMENTS_MAX = 1_000

const statements = new Map<string, PostgresStatement>()

/** Turns `?` placeholders into `$1`, `$2` …, and `?3` into `$3`, once per text. No text holds a question mark in quotes: values are always parameters. */
export function postgresStatement(sql: string): PostgresStatement {
  const known = statements.get(sql)
  if (known !== undefined) return known
  let count = 0
  const text = sql.replaceAll(/\?(\d*)/g, (_placeholder, number: string) => {
    count += 1
    return `$${number === '' ? count : number}`
  })
  if (statements.size >= STATEMENTS_MAX) return { text, name: undefined }
  const made = { text, name: `holdfast_${statements.size}` }
  statements.set(sql, made)
  return made
}
