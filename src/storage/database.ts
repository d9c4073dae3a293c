import type { Kysely } from 'kysely'
import type { Dialect } from './dialect.ts'
import type { Tables } from './tables.ts'

/** A value that a statement takes or gives. Truth values and JSON are converted by the dialect. */
export type SqlValue = string | number | null

/** Rows to add in one statement, all with the same columns. */
export interface Insert {
  readonly table: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly SqlValue[])[]
  /** On an existing row with this key every other column is replaced. Without it a duplicate fails. */
  readonly replaceBy?: readonly string[]
  /** Rows that a unique index does not allow are left out. */
  readonly skipDuplicates?: true
}

/** Sees one committed state of the database. Valid only inside the `work` it was given to. */
export interface Reader {
  readonly dialect: Dialect
  /** Typed queries on the platform's own tables. */
  readonly query: Pick<Kysely<Tables>, 'selectFrom' | 'fn'>
  /** Runs a statement with `?` placeholders; it is prepared once per connection. */
  all<Row>(sql: string, values?: readonly SqlValue[]): Promise<Row[]>
}

/** Writes inside one transaction. Nothing outside the database may be awaited while it is open. */
export interface Transactor extends Reader {
  readonly query: Kysely<Tables>
  run(sql: string, values?: readonly SqlValue[]): Promise<number>
  /** Runs a statement whose answer nobody needs: a database behind a network is not waited for. Its failure fails the transaction. */
  send(sql: string, values?: readonly SqlValue[]): Promise<void>
  insertMany(insert: Insert): Promise<void>
  /** Runs with the last statements of the transaction, behind all works that share it, in the order given. Its failure fails the work. */
  beforeCommit(work: () => Promise<void>): void
  /** Called once, after the commit, when the work is durable; never when it was rolled back. */
  afterCommit(callback: () => void): void
}

export interface WriteOptions {
  /** The one space whose lock the work takes. Works of one space share transactions; different spaces are written in parallel. */
  readonly space?: number
  /** No statement of it has a time limit: a migration. Not together with a space, whose others would wait. */
  readonly unhurried?: boolean
}

export interface ReadOptions {
  /** The work runs one statement, which sees one committed state by itself. A second one is refused. */
  readonly oneStatement?: boolean
}

/**
 * The port to the database. Work given to `write` while another commit is being made shares the next one.
 * Work may be run again after a fault of the database, so it leaves nothing behind but its result.
 */
export interface Database {
  readonly dialect: Dialect
  read<T>(work: (reader: Reader) => Promise<T>, options?: ReadOptions): Promise<T>
  /** Resolves when the work is durable. If `work` throws, nothing of it stays and others go on. */
  write<T>(work: (tx: Transactor) => Promise<T>, options?: WriteOptions): Promise<T>
  /** Another number than before when another process has written since; only where a database cannot tell its processes itself. */
  othersVersion?(): number
  close(): Promise<void>
}

/** The database cannot take writes now: full, read-only, damaged or locked for too long. */
export class StorageUnavailable extends Error {
  override readonly name = 'StorageUnavailable'
}
