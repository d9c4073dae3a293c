import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { Kysely, type CompiledQuery, type DatabaseConnection } from 'kysely'
import { connectionDialect } from './connection-dialect.ts'
import type { Insert, SqlValue, Transactor } from './database.ts'
import { sqliteDialect } from './sqlite-dialect.ts'
import type { Tables } from './tables.ts'

const STATEMENTS_MAX = 500

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
    const statement = this.#prepared(insertText(insert))
    for (const row of insert.rows) statement.run(...row)
  }

  /** The same operations as a `Transactor`; `afterCommit` collects what to call. */
  transactor(afterCommit: (callback: () => void) => void): Transactor {
    return {
      dialect: sqliteDialect,
      query: this.query,
      all: async <Row>(sql: string, values?: readonly SqlValue[]) => this.all<Row>(sql, values),
      run: async (sql, values) => this.run(sql, values),
      insertMany: async (insert) => this.insertMany(insert),
      afterCommit,
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

const insertTexts = new WeakMap<readonly string[], string>()

/** Text of the insert, kept per column list: callers make those once. */
function insertText({ table, columns, replaceBy }: Insert): string {
  const known = insertTexts.get(columns)
  if (known !== undefined) return known
  const names = columns.map((column) => `"${column}"`)
  const placeholders = columns.map(() => '?').join(', ')
  const updates = columns.filter((column) => !replaceBy?.includes(column)).map((column) => `"${column}" = excluded."${column}"`)
  const onConflict = replaceBy === undefined ? '' : ` ON CONFLICT (${replaceBy.map((column) => `"${column}"`).join(', ')}) DO UPDATE SET ${updates.join(', ')}`
  const text = `INSERT INTO "${table}" (${names.join(', ')}) VALUES (${placeholders})${onConflict}`
  insertTexts.set(columns, text)
  return text
}
