import { statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type Database, type Reader, StorageUnavailable, type Transactor } from './database.ts'
import { endWorks, finishWorks, type FinishedWork, newHooks } from './finished-work.ts'
import { SqliteConnection } from './sqlite-connection.ts'
import { sqliteDialect } from './sqlite-dialect.ts'

/** How long a write waits for another process that holds the file, in milliseconds. */
const LOCK_WAIT_MS_MAX = 10_000
const LOCK_RETRY_MS = 5
/** Works sharing one commit. Bounds how long readers of the event loop wait. */
const GROUP_MAX = 64
/** Time after which a commit takes no further work, milliseconds: while works run, nothing else of the process does. */
const GROUP_MS_MAX = 20
const READERS_MAX = 4

interface QueuedWork {
  readonly run: (tx: Transactor) => Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
}

/** A read transaction, and how many works are in it. */
interface Snapshot {
  readonly connection: SqliteConnection
  works: number
}

/**
 * Opens a SQLite file in WAL mode with `synchronous=FULL`. One connection writes, with group commit:
 * works that wait while a commit is made share the next one, each in a savepoint of its own. `clock` tells how long a commit takes.
 */
export function openSqlite(path: string, clock: Pick<Performance, 'now'> = performance): Database {
  const writer = new SqliteConnection(path, { readOnly: false })
  writer.execute('PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 0; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY')
  return new SqliteDatabase(path, writer, clock)
}

class SqliteDatabase implements Database {
  readonly dialect = sqliteDialect
  readonly #path: string
  /** Which file the path named when it was opened. */
  readonly #file: string | undefined
  readonly #writer: SqliteConnection
  readonly #clock: Pick<Performance, 'now'>
  readonly #queue: QueuedWork[] = []
  readonly #idleReaders: SqliteConnection[] = []
  readonly #waitingReaders: ((connection: SqliteConnection) => void)[] = []
  #readers = 0
  /** What reads join: begun in this turn of the event loop, with nothing committed since. */
  #snapshot: Snapshot | undefined
  #draining: Promise<void> | undefined
  #closed = false

  constructor(path: string, writer: SqliteConnection, clock: Pick<Performance, 'now'>) {
    this.#path = path
    this.#file = fileAt(path)
    this.#clock = clock
    this.#writer = writer
  }

  /** Reads of one turn share a transaction: to begin and end one costs more than to read a record. */
  async read<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
    const snapshot = this.#snapshot ?? this.#beginSnapshot(await this.#acquireReader())
    snapshot.works += 1
    try {
      return await work(snapshot.connection.transactor(newHooks()))
    } finally {
      snapshot.works -= 1
      this.#endSnapshot(snapshot)
    }
  }

  write<T>(work: (tx: Transactor) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new StorageUnavailable('The database is closed.'))
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ run: work, resolve: resolve as (value: unknown) => void, reject })
      this.#draining ??= this.#drain()
    })
  }

  /** SQLite leaves out what the connection itself has committed, and nobody else of this process writes. */
  othersVersion(): number {
    const [row] = this.#closed ? [] : this.#writer.all<{ data_version: number }>('PRAGMA data_version')
    return row?.data_version ?? 0
  }

  /** Closing again changes nothing. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#draining
    this.#closeSnapshot(this.#snapshot)
    for (const reader of this.#idleReaders) reader.close()
    this.#writer.close()
  }

  /** Commits group after group until nothing waits. */
  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      // Requests that have arrived but were not yet read join the group.
      await new Promise<void>((resolve) => setImmediate(resolve))
      const group = this.#queue.splice(0, GROUP_MAX)
      await this.#commitGroup(group)
    }
    this.#draining = undefined
  }

  /** Commits works together. What the commit itself refuses, such as a reference left open, is one work's fault: then each is run alone. */
  async #commitGroup(group: QueuedWork[]): Promise<void> {
    let finished: readonly FinishedWork[]
    try {
      finished = await this.#commit(group)
    } catch (error) {
      if (group.length === 1 || error instanceof StorageUnavailable || isStorageFault(error)) {
        for (const work of group) work.reject(unavailable(error))
        return
      }
      for (const work of group) await this.#commitGroup([work])
      return
    }
    finishWorks(finished)
  }

  /** Works for which there is no time in this commit go back to the head of the queue. */
  async #commit(group: QueuedWork[]): Promise<readonly FinishedWork[]> {
    this.#requireFile()
    await this.#begin()
    const started = this.#clock.now()
    const finished: FinishedWork[] = []
    try {
      for (let index = 0; index < group.length; index += 1) {
        if (index > 0 && this.#clock.now() - started > GROUP_MS_MAX) this.#queue.unshift(...group.splice(index))
        const work = group[index]
        if (work !== undefined) finished.push(await (group.length === 1 ? this.#runAlone(work) : this.#runOne(work)))
      }
      await endWorks(finished)
      this.#writer.run('COMMIT')
      this.#closeSnapshot(this.#snapshot)
    } catch (error) {
      this.#rollback()
      throw error
    }
    return finished
  }

  async #runAlone(work: QueuedWork): Promise<FinishedWork> {
    const hooks = newHooks()
    const value = await work.run(this.#writer.transactor(hooks))
    return { settle: () => work.resolve(value), hooks }
  }

  async #runOne(work: QueuedWork): Promise<FinishedWork> {
    const hooks = newHooks()
    this.#writer.run('SAVEPOINT work')
    try {
      const value = await work.run(this.#writer.transactor(hooks))
      this.#writer.run('RELEASE work')
      return { settle: () => work.resolve(value), hooks }
    } catch (error) {
      if (isStorageFault(error)) throw error
      this.#writer.run('ROLLBACK TO work')
      this.#writer.run('RELEASE work')
      return { settle: () => work.reject(error), hooks: newHooks() }
    }
  }

  /** SQLite goes on writing into a file that was removed, or moved away from under its name: what it then keeps is gone with the process. */
  #requireFile(): void {
    if (fileAt(this.#path) !== this.#file) throw new StorageUnavailable('The database file is no longer where it was opened.')
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

  #beginSnapshot(connection: SqliteConnection): Snapshot {
    // One that had to wait for a connection may find another snapshot here.
    this.#closeSnapshot(this.#snapshot)
    connection.run('BEGIN')
    const snapshot = { connection, works: 0 }
    this.#snapshot = snapshot
    setImmediate(() => this.#closeSnapshot(snapshot))
    return snapshot
  }

  /** No further work joins it. */
  #closeSnapshot(snapshot: Snapshot | undefined): void {
    if (snapshot === undefined || snapshot !== this.#snapshot) return
    this.#snapshot = undefined
    this.#endSnapshot(snapshot)
  }

  #endSnapshot(snapshot: Snapshot): void {
    if (snapshot.works > 0 || snapshot === this.#snapshot) return
    snapshot.connection.run('COMMIT')
    this.#releaseReader(snapshot.connection)
  }

  async #acquireReader(): Promise<SqliteConnection> {
    if (this.#closed) throw new StorageUnavailable('The database is closed.')
    const idle = this.#idleReaders.pop()
    if (idle !== undefined) return idle
    if (this.#readers < READERS_MAX) {
      // Another file under the name is not what others are reading.
      this.#requireFile()
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

/** Which file a path names: one that was put there later is another. */
function fileAt(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined
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
