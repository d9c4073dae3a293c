import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { Kysely, type CompiledQuery, type DatabaseConnection } from 'kysely'
import { connectionDialect } from './connection-dialect.ts'
import type { Insert, SqlValue, Transactor } from './database.ts'
import type { CommitHooks } from './finished-work.ts'
import { sqliteDialect } from './sqlite-dialect.ts'
import type { Tables } from './tables.ts'

const STATEMENTS_MAX = 500
/** Rows of one INSERT: more save nothing. */
const ROWS_AT_ONCE_MAX = 20
/** Parameters of one statement (sqlite.org/limits.html). */
const PARAMETERS_MAX = 32_766

/** One SQLite connection: runs statements synchronously behind promises and keeps each prepared. */
export class SqliteConnection {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly query: Kysely<Tables>

  constructor(path: string, options: { readonly readOnly: boolean }) {
    this.#database = new DatabaseSync(path, { readOnly: options.readOnly, enableForeignKeyConstraints: true, timeout: 0 })
    const connection: DatabaseConnection = {
      executeQuery: async (compiled) => this.#execute(compiled),
      streamQuery: () => {
        throw new Error('Read in pages: a stream would hold the connection.')
      },
    }
    this.query = new Kysely<Tables>({ dialect: connectionDialect('sqlite', connection) })
  }

  execute(sql: string): void {
    this.#database.exec(sql)
  }

  all<Row>(sql: string, values: readonly SqlValue[] = []): Row[] {
    return this.#prepared(sql).all(...values) as Row[]
  }

  run(sql: string, values: readonly SqlValue[] = []): number {
    return Number(this.#prepared(sql).run(...values).changes)
  }

  insertMany(insert: Insert): void {
    const { rows } = insert
    const texts = insertTextsOf(insert)
    let next = 0
    if (rows.length >= texts.rowsAtOnce) {
      const many = this.#prepared(texts.many)
      for (; next + texts.rowsAtOnce <= rows.length; next += texts.rowsAtOnce) many.run(...rows.slice(next, next + texts.rowsAtOnce).flat())
    }
    if (next === rows.length) return
    const one = this.#prepared(texts.one)
    for (; next < rows.length; next += 1) one.run(...(rows[next] ?? []))
  }

  /** The same operations as a `Transactor`; `hooks` collects what is left for the commit. */
  transactor(hooks: CommitHooks): Transactor {
    return {
      dialect: sqliteDialect,
      query: this.query,
      all: async <Row>(sql: string, values?: readonly SqlValue[]) => this.all<Row>(sql, values),
      run: async (sql, values) => this.run(sql, values),
      send: async (sql, values = []) => void this.run(sql, values),
      insertMany: async (insert) => this.insertMany(insert),
      beforeCommit: (work) => void hooks.before.push(work),
      afterCommit: (callback) => void hooks.after.push(callback),
    }
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }

  #execute(compiled: CompiledQuery) {
    const statement = this.#prepared(compiled.sql)
    const values = compiled.parameters as SqlValue[]
    if (statement.columns().length > 0) return { rows: statement.all(...values) as never[] }
    const { changes, lastInsertRowid } = statement.run(...values)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    if (this.#statements.size >= STATEMENTS_MAX) this.#statements.clear()
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

interface InsertTexts {
  readonly one: string
  /** For `rowsAtOnce` rows. */
  readonly many: string
  readonly rowsAtOnce: number
}

const insertTexts = new WeakMap<readonly string[], InsertTexts>()

/** Texts of the insert, kept per column list: callers make those once. */
function insertTextsOf({ table, columns, replaceBy, skipDuplicates }: Insert): InsertTexts {
  const known = insertTexts.get(columns)
  if (known !== undefined) return known
  const names = columns.map((column) => `"${column}"`)
  const row = `(${columns.map(() => '?').join(', ')})`
  const updates = columns.filter((column) => !replaceBy?.includes(column)).map((column) => `"${column}" = excluded."${column}"`)
  const replacing = replaceBy === undefined ? '' : ` ON CONFLICT (${replaceBy.map((column) => `"${column}"`).join(', ')}) DO UPDATE SET ${updates.join(', ')}`
  const onConflict = skipDuplicates === true ? ' ON CONFLICT DO NOTHING' : replacing
  const head = `INSERT INTO "${table}" (${names.join(', ')}) VALUES `
  const rowsAtOnce = Math.min(ROWS_AT_ONCE_MAX, Math.floor(PARAMETERS_MAX / columns.length))
  const texts = { one: `${head}${row}${onConflict}`, many: `${head}${Array.from({ length: rowsAtOnce }, () => row).join(', ')}${onConflict}`, rowsAtOnce }
  insertTexts.set(columns, texts)
  return texts
}
