import type { AckedRow, AsideRow, ConflictRow, LocalRecord, OutboxRow, RejectedRow } from '../model.ts'
import type { SettingRow } from '../settings.ts'

/** What is kept on a device, by table. Every key is ASCII text, in code-unit order. */
export interface Tables {
  readonly records: LocalRecord
  readonly outbox: OutboxRow
  readonly conflicts: ConflictRow
  readonly rejected: RejectedRow
  readonly acked: AckedRow
  readonly aside: AsideRow
  readonly settings: SettingRow
}

export type TableName = keyof Tables
export const tableNames = ['records', 'outbox', 'conflicts', 'rejected', 'acked', 'aside', 'settings'] as const satisfies readonly TableName[]

export interface Entry<Value> {
  readonly key: string
  readonly value: Value
}

export interface Range {
  /** Keys above this. */
  readonly after: string
  /** Keys below this. */
  readonly before: string
  readonly limit: number
}

export interface StoreReader {
  get<Name extends TableName>(table: Name, keys: readonly string[]): Promise<(Tables[Name] | undefined)[]>
  /** Entries by key, ascending. */
  range<Name extends TableName>(table: Name, range: Range): Promise<readonly Entry<Tables[Name]>[]>
  count(table: TableName, range: Omit<Range, 'limit'>): Promise<number>
}

export interface StoreWriter extends StoreReader {
  put<Name extends TableName>(table: Name, entries: readonly Entry<Tables[Name]>[]): Promise<void>
  remove(table: TableName, keys: readonly string[]): Promise<void>
}

/**
 * Where a client keeps its data: ordered keys in a few tables, and transactions over all of them. Work handed to `read` and
 * `write` awaits nothing but the transaction it is given. A write whose work throws changes nothing; one that resolves is durable.
 */
export interface Store {
  read<Result>(work: (reader: StoreReader) => Promise<Result>): Promise<Result>
  write<Result>(work: (writer: StoreWriter) => Promise<Result>, options?: WriteOptions): Promise<Result>
  close(): Promise<void>
}

export interface WriteOptions {
  /** The server has it as well: it may be lost with the power, as long as all of it is. */
  readonly repeatable?: boolean
}

/** Opens a store. Called again when what it opened was closed by somebody else, such as a browser that needs the room. */
export interface OpenStore {
  (): Promise<Store>
  /** Names the place when other tabs open it as well; absent when it is this program's alone. */
  readonly sharedAs?: string
}

/** The device has no room left for what was to be written; nothing was. */
export class StorageFullError extends Error {
  override readonly name = 'StorageFullError'
}

/** The local database was written by a newer version of the program. It is left as it is. */
export class NewerStoreError extends Error {
  override readonly name = 'NewerStoreError'

  constructor(found: number, known: number) {
    super(`The local database has format ${found}; this program knows ${known}. Update the program; the data stays as it is.`)
  }
}

/** The store was closed, by `close` or by whoever owns the place it is kept. */
export class StoreClosedError extends Error {
  override readonly name = 'StoreClosedError'
}
