import pg from 'pg'
import { RateLimiterPostgres } from 'rate-limiter-flexible'
import { digestOf } from './limit-key.ts'
import { LIMITS_TABLE } from '../storage/limits-table.ts'
import { SharedCounting, type LimitEvent } from './insured-limits.ts'
import { memoryLimits, type LimitStore } from './limit-store.ts'
import type { RateLimits } from './rate-limits.ts'

/** Connections for counting, beside those of the database: sign-ins are few, and each takes one for a moment. */
const CONNECTIONS_MAX = 2
/** Longest wait for an answer, milliseconds; a sign-in that waits longer is counted by its own process. */
const ANSWER_MS_MAX = 2_000
/** Rest between two removals of what is over, milliseconds. */
const CLEAR_MS = 300_000

/** Not logged: a crash of the database empties it and nobody minds, and no request waits for the disk. */
const tableText = `CREATE UNLOGGED TABLE IF NOT EXISTS ${LIMITS_TABLE} (key TEXT PRIMARY KEY, points INTEGER NOT NULL, expire BIGINT)`
/** Two processes made it at once: PostgreSQL says either. */
const madeMeanwhile: ReadonlySet<unknown> = new Set(['23505', '42P07'])

/** Limits that guess-work runs into. Those of ordinary requests stay with their process: a round trip for each would cost more than it guards. */
const shared: ReadonlySet<string> = new Set<keyof RateLimits>(['wrongCredential', 'signInByAddress', 'signInByAccount'])

/** Counts sign-ins and wrong credentials in a table for all processes on one PostgreSQL. */
export function openPostgresLimits(url: string, record: (event: LimitEvent) => void): LimitStore {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'holdfast limits',
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: ANSWER_MS_MAX,
    statement_timeout: ANSWER_MS_MAX,
    query_timeout: ANSWER_MS_MAX,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  })
  // A connection may break while nobody uses it: the next question says so.
  pool.on('error', () => {})
  const counting = new SharedCounting('PostgreSQL', record)
  let made: Promise<void> | undefined
  const makeTable = () => {
    made ??= createTable(pool).catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
  const counterOf = (name: string, points: number, duration: number) =>
    new RateLimiterPostgres({
      storeClient: pool,
      storeType: 'pool',
      tableName: LIMITS_TABLE,
      tableCreated: true,
      clearExpiredByTimeout: false,
      keyPrefix: name,
      points,
      duration,
      inMemoryBlockOnConsumed: points,
    })
  const clearing = setInterval(() => void pool.query(`DELETE FROM ${LIMITS_TABLE} WHERE expire < extract(epoch FROM now()) * 1000`).catch(() => {}), CLEAR_MS)
  clearing.unref()
  return {
    limiterOf: (name, limit) => {
      if (!shared.has(name)) return memoryLimits.limiterOf(name, limit)
      const counter = counterOf(name, limit.requestsMax, limit.windowS)
      return counting.limiter({ consume: async (key) => makeTable().then(() => counter.consume(digestOf(key))) }, limit)
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(clearing)
      await pool.end()
    },
  }
}

async function createTable(pool: pg.Pool): Promise<void> {
  try {
    await pool.query(tableText)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && madeMeanwhile.has(error.code))) throw error
  }
}
