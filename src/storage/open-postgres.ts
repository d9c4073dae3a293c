import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { type Database, type Reader, type ReadOptions, StorageUnavailable, type Transactor, type WriteOptions } from './database.ts'
import { endWorks, finishWorks, type FinishedWork, newHooks } from './finished-work.ts'
import { commitOutcome } from './postgres-commit-outcome.ts'
import { PostgresConnection } from './postgres-connection.ts'
import { postgresDialect } from './postgres-dialect.ts'
import { faultOf, isConnectionLost } from './postgres-faults.ts'
import { GrowingTables } from './postgres-statistics.ts'
import { postgresTypes } from './postgres-types.ts'

export interface PostgresOptions {
  /** Connections of this process. All processes together stay below the server's `max_connections`. */
  readonly connectionsMax: number
  /** How long a caller waits for a free connection, or for a new one, in milliseconds. */
  readonly connectMsMax: number
  /** How long work waits for the works before it in its space, in milliseconds. */
  readonly queueMsMax: number
  /** Longest run of one statement, in milliseconds. */
  readonly statementMsMax: number
  /** How long a statement may stay without an answer, in milliseconds, before its connection counts as lost: more than the server gives it. */
  readonly silenceMsMax: number
  /** Longest wait for another writer of the same space, in milliseconds. */
  readonly lockMsMax: number
  /** After this long between two statements, in milliseconds, a transaction is given up, so that a stopped process holds no lock. */
  readonly idleMsMax: number
  /** How long work is tried again after faults that are not its own, in milliseconds: a restart of the server fits in. */
  readonly retryMsMax: number
}

export const postgresDefaults: PostgresOptions = {
  connectionsMax: 10,
  connectMsMax: 10_000,
  queueMsMax: 10_000,
  statementMsMax: 30_000,
  silenceMsMax: 40_000,
  lockMsMax: 10_000,
  idleMsMax: 15_000,
  retryMsMax: 10_000,
}

/** Works of one space that share a transaction. Bounds how long the space stays locked. */
const GROUP_MAX = 64
/** Works of one space that wait for the next transactions; whoever comes beyond them is told to come back. */
const WAITING_MAX = 1_000
const RETRY_FIRST_MS = 20
const RETRY_MS_MAX = 500

interface QueuedWork {
  readonly run: (tx: Transactor) => Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
  /** When it came, by the process's own clock in milliseconds. */
  readonly since: number
  readonly unhurried: boolean
}

/**
 * Opens a PostgreSQL database. Works of different spaces run in parallel; those of one space that wait while it is being written
 * share the next transaction. Work is run again after a deadlock or a lost connection, never once it may have been committed.
 */
export function openPostgres(url: string, options: PostgresOptions = postgresDefaults): Database {
  return new PostgresDatabase(url, options)
}

class PostgresDatabase implements Database {
  readonly dialect = postgresDialect
  readonly #pool: pg.Pool
  readonly #options: PostgresOptions
  readonly #growing: GrowingTables
  readonly #connections = new WeakMap<pg.PoolClient, PostgresConnection>()
  readonly #queues = new Map<number, QueuedWork[]>()
  readonly #running = new Set<Promise<void>>()
  #closed = false

  constructor(url: string, options: PostgresOptions) {
    this.#options = options
    this.#pool = new pg.Pool({
      connectionString: url,
      application_name: 'holdfast',
      max: options.connectionsMax,
      connectionTimeoutMillis: options.connectMsMax,
      idleTimeoutMillis: 30_000,
      statement_timeout: options.statementMsMax,
      query_timeout: options.silenceMsMax,
      lock_timeout: options.lockMsMax,
      idle_in_transaction_session_timeout: options.idleMsMax,
      keepAlive: true,
      pipeline: true,
      types: postgresTypes,
    })
    this.#growing = new GrowingTables(this.#pool)
    // A connection may break while nobody uses it, and between two statements: the next statement says so.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', (client) => client.on('error', () => {}))
  }

  async read<T>(work: (reader: Reader) => Promise<T>, { oneStatement = false }: ReadOptions = {}): Promise<T> {
    if (this.#closed) throw new StorageUnavailable('The database is closed.')
    return this.#retrying(async () => {
      const client = await this.#pool.connect()
      const connection = this.#connectionOf(client)
      if (oneStatement) return readAlone(client, connection, work)
      connection.begin('ISOLATION LEVEL REPEATABLE READ READ ONLY')
      try {
        return await work(connection.transactor(newHooks()))
      } finally {
        // The caller has its answer; the connection is free once the server has let go of the snapshot.
        connection.rollback().then(
          () => client.release(),
          () => client.release(true),
        )
      }
    })
  }

  write<T>(work: (tx: Transactor) => Promise<T>, { space, unhurried = false }: WriteOptions = {}): Promise<T> {
    if (this.#closed) return Promise.reject(new StorageUnavailable('The database is closed.'))
    return new Promise<T>((resolve, reject) => {
      const queued: QueuedWork = { run: work, resolve: resolve as (value: unknown) => void, reject, since: performance.now(), unhurried }
      const queue = space === undefined ? undefined : this.#queues.get(space)
      if (queue !== undefined) {
        if (queue.length < WAITING_MAX) queue.push(queued)
        else reject(new StorageUnavailable('Too many writes wait for this space.'))
        return
      }
      if (space !== undefined) this.#queues.set(space, [queued])
      const running = space === undefined ? this.#runGroup(() => [queued]) : this.#drain(space)
      this.#running.add(running)
      void running.finally(() => this.#running.delete(running))
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all(this.#running)
    await this.#growing.close()
    await this.#pool.end()
  }

  /** Commits group after group of one space until nothing waits. */
  async #drain(space: number): Promise<void> {
    const queue = this.#queues.get(space) ?? []
    while (queue.length > 0) {
      // Requests that have arrived but were not yet read join the group.
      await new Promise<void>((resolve) => setImmediate(resolve))
      await this.#runGroup(() => queue.splice(0, GROUP_MAX))
      // Where each group waits for a lock or a connection, the last would wait for all of them.
      const oldest = performance.now() - this.#options.queueMsMax
      const inTime = queue.findIndex(({ since }) => since >= oldest)
      for (const { reject } of queue.splice(0, inTime === -1 ? queue.length : inTime)) reject(new StorageUnavailable('The writes before this one took too long.'))
    }
    this.#queues.delete(space)
  }

  /** Runs works in one transaction; when that fails, each in one of its own, so that none harms another. */
  async #runGroup(take: () => readonly QueuedWork[]): Promise<void> {
    let group: readonly QueuedWork[] | undefined
    try {
      const finished = await this.#retrying(async () => {
        const client = await this.#pool.connect()
        // What has arrived while all connections were busy comes along.
        group ??= take()
        return this.#commit(client, group)
      })
      finishWorks(finished)
      this.#growing.noteWrite()
    } catch (error) {
      group ??= take()
      if (group.length === 1 || faultOf(error) !== 'own' || error instanceof StorageUnavailable) {
        for (const work of group) work.reject(unavailable(error))
        return
      }
      for (const work of group) await this.#runGroup(() => [work])
    }
  }

  async #commit(client: pg.PoolClient, group: readonly QueuedWork[]): Promise<readonly FinishedWork[]> {
    const connection = this.#connectionOf(client)
    const finished: FinishedWork[] = []
    connection.begin('ISOLATION LEVEL READ COMMITTED', { unhurried: group.some(({ unhurried }) => unhurried) })
    const identified = connection.run('SELECT pg_current_xact_id()::text AS id')
    identified.catch(() => {})
    try {
      for (const { run, resolve } of group) {
        const hooks = newHooks()
        const value = await run(connection.transactor(hooks))
        finished.push({ settle: () => resolve(value), hooks })
      }
      await endWorks(finished)
      await identified
    } catch (error) {
      // Nobody waits for the rollback. A server that cannot write may write after a new connection: another one has taken over.
      const broken = faultOf(error) !== 'own'
      connection.rollback().then(
        () => client.release(broken),
        () => client.release(true),
      )
      throw error
    }
    const id = String((await identified).rows[0]?.['id'])
    try {
      await connection.commit()
    } catch (error) {
      client.release(faultOf(error) !== 'own')
      if (!isConnectionLost(error)) throw error
      if ((await commitOutcome(this.#pool, id, { lost: error, msMax: this.#options.retryMsMax })) === 'aborted') throw error
      return finished
    }
    client.release()
    return finished
  }

  /** Runs work again after faults that are not its own, with growing pauses. */
  async #retrying<T>(work: () => Promise<T>): Promise<T> {
    const until = performance.now() + this.#options.retryMsMax
    for (let pauseMs = RETRY_FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, RETRY_MS_MAX)) {
      try {
        return await work()
      } catch (error) {
        if (this.#closed || faultOf(error) !== 'again' || performance.now() >= until) throw unavailable(error)
      }
      await delay(pauseMs)
    }
  }

  #connectionOf(client: pg.PoolClient): PostgresConnection {
    const known = this.#connections.get(client)
    if (known !== undefined) return known
    const made = new PostgresConnection(client)
    this.#connections.set(client, made)
    return made
  }
}

/** A statement without a transaction around it: to begin and end one costs as much again as the statement. */
async function readAlone<T>(client: pg.PoolClient, connection: PostgresConnection, work: (reader: Reader) => Promise<T>): Promise<T> {
  try {
    const result = await work(connection.single())
    client.release()
    return result
  } catch (error) {
    client.release(faultOf(error) !== 'own')
    throw error
  }
}

function unavailable(error: unknown): unknown {
  return faultOf(error) === 'own' ? error : new StorageUnavailable('The database cannot be used now.', { cause: error })
}
