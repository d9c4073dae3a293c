import { createQueue } from '../../lib/create-queue.ts'
import { NewerStoreError, StorageFullError, StoreClosedError, tableNames, type Entry, type OpenStore, type Range, type Store, type StoreWriter, type TableName, type Tables } from './store.ts'
import { currentFormat, formatNumber, migrateStore, type StoreFormat } from './store-format.ts'

export type SqlParameter = string | number

/** What a store needs of an SQLite library; answers may come at once or later. */
export interface SqliteDriver {
  /** Runs statements without parameters. */
  exec(sql: string): void | Promise<void>
  run(sql: string, parameters: readonly SqlParameter[]): void | Promise<void>
  all(sql: string, parameters: readonly SqlParameter[]): readonly Readonly<Record<string, unknown>>[] | Promise<readonly Readonly<Record<string, unknown>>[]>
  close(): void | Promise<void>
}

/** Keys of one statement. */
const KEYS_MAX = 500

/** A store in an SQLite database, through any driver. The connection belongs to the store alone. */
export function sqliteStore(openDriver: () => SqliteDriver | Promise<SqliteDriver>, format: StoreFormat = currentFormat): OpenStore {
  return async () => {
    const driver = await openDriver()
    try {
      await driver.exec('PRAGMA journal_mode = WAL')
      await driver.exec('PRAGMA synchronous = FULL')
      await driver.exec('PRAGMA busy_timeout = 5000')
      const store = new SqliteStore(driver)
      await store.prepare(format)
      return store
    } catch (error) {
      await driver.close()
      throw error
    }
  }
}

class SqliteStore implements Store {
  readonly #driver: SqliteDriver
  readonly #enqueue = createQueue()
  #closed = false

  constructor(driver: SqliteDriver) {
    this.#driver = driver
  }

  /** Makes the tables of a new database and brings an old one to the format. */
  async prepare(format: StoreFormat): Promise<void> {
    await this.#transaction('BEGIN IMMEDIATE', async (writer) => {
      const [row] = await this.#driver.all('PRAGMA user_version', [])
      const found = Number(row?.['user_version'] ?? 0)
      const number = formatNumber(format)
      if (found > number) throw new NewerStoreError(found, number)
      for (const table of tableNames) await this.#driver.exec(`CREATE TABLE IF NOT EXISTS ${table} (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`)
      if (found > 0) await migrateStore(writer, format, found)
      if (found !== number) await this.#driver.exec(`PRAGMA user_version = ${number}`)
    })
  }

  /** One connection serves reads and writes in turn, so that nobody sees half a transaction. */
  read<Result>(work: (reader: StoreWriter) => Promise<Result>): Promise<Result> {
    return this.#transaction('BEGIN', work)
  }

  write<Result>(work: (writer: StoreWriter) => Promise<Result>): Promise<Result> {
    return this.#transaction('BEGIN IMMEDIATE', work)
  }

  async close(): Promise<void> {
    await this.#enqueue(async () => {
      if (this.#closed) return
      this.#closed = true
      await this.#driver.close()
    })
  }

  #transaction<Result>(begin: string, work: (writer: StoreWriter) => Promise<Result>): Promise<Result> {
    return this.#enqueue(async () => {
      if (this.#closed) throw new StoreClosedError('The store is closed.')
      await this.#driver.exec(begin)
      try {
        const result = await work(new SqliteTransaction(this.#driver))
        await this.#driver.exec('COMMIT')
        return result
      } catch (error) {
        await this.#rollBack()
        throw isFull(error) ? new StorageFullError('The disk is full.', { cause: error }) : error
      }
    })
  }

  /** SQLite has rolled back by itself after some errors; then there is nothing to roll back. */
  async #rollBack(): Promise<void> {
    try {
      await this.#driver.exec('ROLLBACK')
    } catch {
      // The first error is the one to report.
    }
  }
}

/** Each statement as one text, so that a driver which keeps prepared ones finds it quickly. */
const statements = Object.fromEntries(
  tableNames.map((table) => [
    table,
    {
      get: `SELECT value FROM ${table} WHERE key = ?`,
      getMany: `SELECT key, value FROM ${table} WHERE key IN (SELECT value FROM json_each(?))`,
      range: `SELECT key, value FROM ${table} WHERE key > ? AND key < ? ORDER BY key LIMIT ?`,
      count: `SELECT count(*) AS count FROM ${table} WHERE key > ? AND key < ?`,
      put: `INSERT INTO ${table} (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      remove: `DELETE FROM ${table} WHERE key = ?`,
    },
  ]),
) as Record<TableName, Record<'get' | 'getMany' | 'range' | 'count' | 'put' | 'remove', string>>

class SqliteTransaction implements StoreWriter {
  readonly #driver: SqliteDriver

  constructor(driver: SqliteDriver) {
    this.#driver = driver
  }

  async get<Name extends TableName>(table: Name, keys: readonly string[]): Promise<(Tables[Name] | undefined)[]> {
    if (keys.length === 1) {
      const [row] = await this.#driver.all(statements[table].get, [...keys])
      return [valueOf<Name>(row)]
    }
    const found = new Map<string, Tables[Name] | undefined>()
    for (let start = 0; start < keys.length; start += KEYS_MAX) {
      const some = keys.slice(start, start + KEYS_MAX)
      const rows = await this.#driver.all(statements[table].getMany, [JSON.stringify(some)])
      for (const row of rows) found.set(String(row['key']), valueOf<Name>(row))
    }
    return keys.map((key) => found.get(key))
  }

  async range<Name extends TableName>(table: Name, { after, before, limit }: Range): Promise<readonly Entry<Tables[Name]>[]> {
    const rows = await this.#driver.all(statements[table].range, [after, before, limit])
    return rows.map((row) => ({ key: String(row['key']), value: valueOf<Name>(row) as Tables[Name] }))
  }

  async count(table: TableName, { after, before }: Omit<Range, 'limit'>): Promise<number> {
    const [row] = await this.#driver.all(statements[table].count, [after, before])
    return Number(row?.['count'] ?? 0)
  }

  async put<Name extends TableName>(table: Name, entries: readonly Entry<Tables[Name]>[]): Promise<void> {
    const sql = statements[table].put
    for (const { key, value } of entries) await this.#driver.run(sql, [key, JSON.stringify(value)])
  }

  async remove(table: TableName, keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#driver.run(statements[table].remove, [key])
  }
}

function valueOf<Name extends TableName>(row: Readonly<Record<string, unknown>> | undefined): Tables[Name] | undefined {
  return row === undefined ? undefined : (JSON.parse(String(row['value'])) as Tables[Name])
}

function isFull(error: unknown): boolean {
  return error instanceof Error && /database or disk is full/i.test(error.message)
}
