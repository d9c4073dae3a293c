import { Kysely, type CompiledQuery, type DatabaseConnection } from 'kysely'
import type { ClientBase, QueryResult } from 'pg'
import { connectionDialect } from './connection-dialect.ts'
import type { Insert, Reader, SqlValue, Transactor } from './database.ts'
import { type CommitHooks, newHooks } from './finished-work.ts'
import { postgresDialect } from './postgres-dialect.ts'
import { insertStatement } from './postgres-insert.ts'
import { postgresStatement } from './postgres-statement.ts'
import type { Tables } from './tables.ts'

type Row = Record<string, SqlValue>

/** Of a statement that may take as long as it needs, in milliseconds: the longest that a timer can wait. */
const UNHURRIED_MS_MAX = 2 ** 31 - 1

/**
 * One PostgreSQL connection. Statements are sent without waiting for the answers of earlier ones and run in the order they were
 * sent, so that what is not asked about costs no round trip.
 */
export class PostgresConnection {
  readonly #client: ClientBase
  readonly #query: Kysely<Tables>
  /** Takes the place of the limit that the connection was made with. */
  #limit: { readonly query_timeout?: number } = {}
  #statementsLeft = Number.POSITIVE_INFINITY
  /** Why the open transaction is lost; later statements only say that it is. */
  #failure: { readonly cause: unknown } | undefined

  constructor(client: ClientBase) {
    this.#client = client
    const connection: DatabaseConnection = {
      executeQuery: async (compiled) => this.#execute(compiled),
      streamQuery: () => {
        throw new Error('Read in pages: a stream would hold the connection.')
      },
    }
    this.#query = new Kysely<Tables>({ dialect: connectionDialect('postgres', connection) })
  }

  /** A reader for one statement without a transaction. */
  single(): Reader {
    this.#failure = undefined
    this.#limit = {}
    this.#statementsLeft = 1
    return this.transactor(newHooks())
  }

  /** Begins a transaction. Does not wait: what is wrong shows with the next answer. */
  begin(mode: string, { unhurried = false }: { readonly unhurried?: boolean } = {}): void {
    this.#failure = undefined
    this.#statementsLeft = Number.POSITIVE_INFINITY
    this.#limit = unhurried ? { query_timeout: UNHURRIED_MS_MAX } : {}
    this.#sendBehind(`BEGIN ${mode}`)
    if (!unhurried) return
    this.#sendBehind('SET LOCAL statement_timeout = 0')
    this.#sendBehind('SET LOCAL lock_timeout = 0')
  }

  /** Ends the transaction; throws why when the server did not keep it. */
  async commit(): Promise<void> {
    const { command } = await this.#client.query({ text: 'COMMIT', ...this.#limit })
    if (this.#failure !== undefined) throw this.#failure.cause
    if (command !== 'COMMIT') throw new Error('The transaction was rolled back.')
  }

  async rollback(): Promise<void> {
    await this.#client.query('ROLLBACK')
  }

  /** Sends a statement whose answer nobody needs; its failure surfaces with the next answer, or with the commit. */
  #sendBehind(text: string): void {
    this.#client.query({ text, ...this.#limit }).catch((error: unknown) => this.#fail(error))
  }

  async run(sql: string, values: readonly SqlValue[] = []): Promise<QueryResult<Row>> {
    const { text, name } = postgresStatement(sql)
    return this.#send(text, name, values)
  }

  /** The same operations as a `Transactor`; `hooks` collects what is left for the commit. */
  transactor(hooks: CommitHooks): Transactor {
    return {
      dialect: postgresDialect,
      query: this.#query,
      all: async <Answer>(sql: string, values?: readonly SqlValue[]) => (await this.run(sql, values)).rows as Answer[],
      run: async (sql, values) => (await this.run(sql, values)).rowCount ?? 0,
      send: async (sql, values = []) => this.#sendUnheard(sql, values),
      insertMany: async (insert) => this.#insertMany(insert),
      beforeCommit: (work) => void hooks.before.push(work),
      afterCommit: (callback) => void hooks.after.push(callback),
    }
  }

  /** Sends all rows as one statement. Nobody needs the answer, so the next statement follows at once. */
  #insertMany(insert: Insert): void {
    if (insert.rows.length === 0) return
    const { sql, values } = insertStatement(insert)
    this.#sendUnheard(sql, values)
  }

  #sendUnheard(sql: string, values: readonly SqlValue[]): void {
    const { text, name } = postgresStatement(sql)
    // The failure is noted where it arrives.
    this.#send(text, name, values).catch(() => {})
  }

  async #execute({ sql, parameters }: CompiledQuery) {
    const { text, name } = postgresStatement(sql)
    const { rows, rowCount } = await this.#send(text, name, parameters as SqlValue[])
    return { rows: rows as never[], numAffectedRows: BigInt(rowCount ?? 0) }
  }

  async #send(text: string, name: string | undefined, values: readonly SqlValue[]): Promise<QueryResult<Row>> {
    if (this.#statementsLeft === 0) throw new Error('A read that was announced as one statement has run another.')
    this.#statementsLeft -= 1
    try {
      const result = await this.#client.query<Row>({ text, ...(name === undefined ? {} : { name }), ...this.#limit, values: values as SqlValue[] })
      // Where the transaction did not begin, the server has taken this for one of its own.
      if (this.#failure !== undefined) throw this.#failure.cause
      return result
    } catch (error) {
      this.#fail(error)
      throw this.#failure?.cause
    }
  }

  #fail(cause: unknown): void {
    this.#failure ??= { cause }
  }
}
