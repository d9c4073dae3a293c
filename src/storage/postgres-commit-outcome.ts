import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { StorageUnavailable } from './database.ts'
import { isOrderlyEnd } from './postgres-faults.ts'

export interface CommitDoubt {
  /** How the connection was lost while the server was asked to commit. */
  readonly lost: unknown
  /** How long to find out, in milliseconds. */
  readonly msMax: number
}

const PAUSE_MS = 100

/**
 * What became of a transaction whose commit was not answered. `aborted` is certain, and the work may run again. `committed` is
 * believed only after an orderly end of the connection: a server that crashed may have given the number of a lost transaction to
 * another one. In every other case nobody knows, and this throws; the writer asks again and is answered by its mutation numbers.
 */
export async function commitOutcome(pool: pg.Pool, id: string, { lost, msMax }: CommitDoubt): Promise<'committed' | 'aborted'> {
  for (const until = performance.now() + msMax; performance.now() < until;) {
    const status = await statusOf(pool, id)
    if (status === 'aborted') return 'aborted'
    if (status === 'committed' && isOrderlyEnd(lost)) return 'committed'
    if (status === 'committed' || status === 'forgotten') break
    await delay(PAUSE_MS)
  }
  throw new StorageUnavailable('The connection was lost while a commit was under way, and its outcome is not known.', { cause: lost })
}

type Status = 'committed' | 'aborted' | 'in progress' | 'forgotten' | 'recovering' | 'unreachable'

/** A standby that takes over may have the commit in what it has not read yet, so it is asked again when it has. */
const question = "SELECT CASE WHEN pg_is_in_recovery() THEN 'recovering' ELSE coalesce(pg_xact_status($1::xid8), 'forgotten') END AS status"

async function statusOf(pool: pg.Pool, id: string): Promise<Status> {
  try {
    const { rows } = await pool.query<{ status: Status }>(question, [id])
    return rows[0]?.status ?? 'unreachable'
  } catch (error) {
    // 22023: the number has not been given out, so the server lost the transaction in a crash.
    return error instanceof Error && 'code' in error && error.code === '22023' ? 'aborted' : 'unreachable'
  }
}
