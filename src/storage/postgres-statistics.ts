import type { Pool } from 'pg'
import { faultOf } from './postgres-faults.ts'

/** How long after a write growing tables are looked for, in milliseconds. */
const LOOK_MS = 2_000

/** Tables that have three times as many rows as when they were last looked at; a few hundred rows are read through as quickly as looked up. */
const grownTables = `SELECT quote_ident(pg_class.relname) AS name FROM pg_stat_user_tables AS counted JOIN pg_class ON pg_class.oid = counted.relid
WHERE counted.schemaname = current_schema() AND counted.n_live_tup > 500 + 2 * greatest(pg_class.reltuples, 0)`

/**
 * Has the statistics of growing tables made anew. PostgreSQL does so by itself, but a minute or more late: until then each connection keeps the plans that
 * it made while the tables were empty, where one index seems as good as another, and reads a whole space to find one record.
 */
export class GrowingTables {
  readonly #pool: Pool
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /** Something was written: looks for tables that have grown, a while later and once for all that is written meanwhile. */
  noteWrite(): void {
    this.#timer ??= setTimeout(() => {
      this.#looking = this.#look()
    }, LOOK_MS).unref()
  }

  /** Resolves when nothing runs. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#looking
  }

  /** A database that is gone or busy, of which its writers hear themselves, is asked again behind the next write; any other failure is told and ends it. */
  async #look(): Promise<void> {
    try {
      const { rows } = await this.#pool.query<{ name: string }>(grownTables)
      for (const { name } of rows) await this.#pool.query(`ANALYZE ${name}`)
    } catch (error) {
      if (faultOf(error) === 'own') {
        process.emitWarning(error instanceof Error ? error : String(error))
        return
      }
    }
    this.#timer = undefined
  }
}
