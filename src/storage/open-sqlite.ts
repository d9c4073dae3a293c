import { setTimeout as delay } from 'node:timers/promises'
import { type Database, type Reader, StorageUnavailable, type Transactor } from './database.ts'
import { SqliteConnection } from './sqlite-connection.ts'
import { sqliteDialect } from './sqlite-dialect.ts'

/** How long a write waits for another process that holds the file, in milliseconds. */
const LOCK_WAIT_MS_MAX = 10_000
const LOCK_RETRY_MS = 5
/** Works sharing one commit. Bounds how long readers of the event loop wait. */
const GROUP_MAX = 64
const READERS_MAX = 4

interface QueuedWork {
  readonly run: (tx: Transactor) => Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
}

interface FinishedWork {
  readonly settle: () => void
  readonly callbacks: readonly (() => void)[]
}

/**
 * Opens a SQLite file in WAL mode with `synchronous=FULL`. One connection writes, with group commit:
 * works that wait while a commit is made share the next one, each in a savepoint of its own.
 */
export function openSqlite(path: string): Database {
  const writer = new SqliteConnection(path, { readOnly: false })
  writer.execute('PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 0; PRAGMA cache_size = -65536')
  return new SqliteDatabase(path, writer)
}

class SqliteDatabase implements Database {
  readonly dialect = sqliteDialect
  readonly #path: string
  readonly #writer: SqliteConnection
  readonly #queue: QueuedWork[] = []
  readonly #idleReaders: SqliteConnection[] = []
  readonly #waitingReaders: ((connection: SqliteConnection) => void)[] = []
  #readers = 0
  #draining: Promise<void> | undefined
  #closed = false

  constructor(path: string, writer: SqliteConnection) {
    this.#path = path
    this.#writer = writer
  }

  async read<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
    const connection = await this.#acquireReader()
    try {
      connection.run('BEGIN')
      try {
        return await work(connection.transactor(() => {}))
      } finally {
        connection.run('COMMIT')
      }
    } finally {
      this.#releaseReader(connection)
    }
  }

  write<T>(work: (tx: Transactor) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new StorageUnavailable('The database is closed.'))
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ run: work, resolve: resolve as (value: unknown) => void, reject })
      this.#draining ??= this.#drain()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#draining
    for (const reader of this.#idleReaders) reader.close()
    this.#writer.close()
  }

  /** Commits group after group until nothing waits. */
  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      // Requests that have arrived but were not yet read join the group.
      await new Promise<void>((resolve) => setImmediate(resolve))
      const group = this.#queue.splice(0, GROUP_MAX)
      try {
        await this.#commit(group)
      } catch (error) {
        for (const work of group) work.reject(unavailable(error))
      }
    }
    this.#draining = undefined
  }

  async #commit(group: readonly QueuedWork[]): Promise<void> {
    await this.#begin()
    const finished: FinishedWork[] = []
    try {
      for (const work of group) finished.push(await this.#runOne(work))
      this.#writer.run('COMMIT')
    } catch (error) {
      this.#rollback()
      throw error
    }
    for (const { settle, callbacks } of finished) {
      settle()
      for (const callback of callbacks) callback()
    }
  }

  async #runOne(work: QueuedWork): Promise<FinishedWork> {
    const callbacks: (() => void)[] = []
    this.#writer.run('SAVEPOINT work')
    try {
      const value = await work.run(this.#writer.transactor((callback) => callbacks.push(callback)))
      this.#writer.run('RELEASE work')
      return { settle: () => work.resolve(value), callbacks }
    } catch (error) {
      if (isStorageFault(error)) throw error
      this.#writer.run('ROLLBACK TO work')
      this.#writer.run('RELEASE work')
      return { settle: () => work.reject(error), callbacks: [] }
    }
  }

  async #begin(): Promise<void> {
    const attempts = LOCK_WAIT_MS_MAX / LOCK_RETRY_MS
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#writer.run('BEGIN IMMEDIATE')
        return
      } catch (error) {
        if (!isBusy(error) || attempt >= attempts) throw error
        await delay(LOCK_RETRY_MS)
      }
    }
  }

  #rollback(): void {
    try {
      this.#writer.run('ROLLBACK')
    } catch {
      // SQLite has rolled back by itself after a full disk or an I/O error.
    }
  }

  async #acquireReader(): Promise<SqliteConnection> {
    const idle = this.#idleReaders.pop()
    if (idle !== undefined) return idle
    if (this.#readers < READERS_MAX) {
      this.#readers += 1
      return new SqliteConnection(this.#path, { readOnly: true })
    }
    return new Promise((resolve) => this.#waitingReaders.push(resolve))
  }

  #releaseReader(connection: SqliteConnection): void {
    const next = this.#waitingReaders.shift()
    if (next !== undefined) next(connection)
    else if (this.#closed) connection.close()
    else this.#idleReaders.push(connection)
  }
}

/** SQLite primary result codes (sqlite.org/rescode.html). */
const SQLITE_BUSY = 5
const faultCodes = new Set([SQLITE_BUSY, 6, 8, 10, 11, 13, 14, 26])

function resultCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0
}

function isBusy(error: unknown): boolean {
  return resultCode(error) === SQLITE_BUSY
}

/** Busy, locked, read-only, I/O, corrupt, full, cannot open, not a database: the whole commit is in doubt. */
function isStorageFault(error: unknown): boolean {
  return faultCodes.has(resultCode(error))
}

function unavailable(error: unknown): unknown {
  return isStorageFault(error) ? new StorageUnavailable('The database cannot take writes now.', { cause: error }) : error
}
