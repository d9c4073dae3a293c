import { jobLimits } from '../jobs/job-limits.ts'
import type { Claim, ClaimedJob, ClaimWish, WaitingWork } from '../jobs/job-store.ts'
import type { Reader, Transactor } from './database.ts'
import { claimedColumns, claimedJob, type ClaimedRow } from './job-rows.ts'

/** Whether a claim would find something, and when the next job comes due. */
export async function lookForWork(reader: Reader, now: number): Promise<WaitingWork> {
  const [row] = await reader.all<{ ready: number; next_at: number | null; expired: number }>(
    `SELECT (SELECT count(*) FROM (SELECT 1 FROM holdfast_jobs WHERE state = 'ready' LIMIT 1) AS found) AS ready,
(SELECT min(run_at) FROM holdfast_jobs WHERE state = 'later') AS next_at,
(SELECT count(*) FROM (SELECT 1 FROM holdfast_jobs WHERE state = 'running' AND lease_until < ? LIMIT 1) AS found) AS expired`,
    [now],
  )
  return { ready: row !== undefined && row.ready > 0, expired: row !== undefined && row.expired > 0, nextAt: row?.next_at ?? undefined }
}

/**
 * Takes due jobs: for each wish, one space after the other from where the last claim stopped (`turns`), so that nobody's backlog holds up
 * another's job. On PostgreSQL rows that another process is taking are passed over; on SQLite the one writer is alone anyway.
 */
export async function claimJobs(tx: Transactor, claim: Claim, turns: Map<string, number>): Promise<ClaimedJob[]> {
  if (claim.promotes) await promote(tx, claim.now)
  const claimed: ClaimedJob[] = []
  const places = { ...claim.places }
  for (const wish of claim.wishes) {
    const count = Math.min(wish.count, places[wish.pool])
    if (count === 0) continue
    const jobs = await claimWish(tx, claim, { ...wish, count }, turns)
    places[wish.pool] -= Math.min(count, jobs.length)
    claimed.push(...jobs)
  }
  return claimed
}

/** Takes those that may wait for a place together with the others; what that leaves out is taken for the free places alone. */
async function claimWish(tx: Transactor, claim: Claim, wish: ClaimWish, turns: Map<string, number>): Promise<ClaimedJob[]> {
  const { count, ahead, attemptsMax } = wish
  if (ahead === 0) return claimInTurn(tx, claim, { wish, count, attemptsBelow: ANY_ATTEMPTS }, turns)
  const jobs = await claimInTurn(tx, claim, { wish, count: count + ahead, attemptsBelow: attemptsMax - 1 }, turns)
  const left = Math.min(count, count + ahead - jobs.length)
  return left === 0 ? jobs : [...jobs, ...(await claimInTurn(tx, claim, { wish, count: left, attemptsBelow: ANY_ATTEMPTS }, turns))]
}

/** More than any job has. */
const ANY_ATTEMPTS = 1_000_000_000

interface Taking {
  readonly wish: ClaimWish
  readonly count: number
  readonly attemptsBelow: number
}

/** Jobs of spaces in turn, the spaces' first ones before their second ones. */
async function claimInTurn(tx: Transactor, claim: Claim, taking: Taking, turns: Map<string, number>): Promise<ClaimedJob[]> {
  const { wish, count } = taking
  const key = `${wish.app}/${wish.kind}/${isAlone(wish)}`
  const spaces = await spacesInTurn(tx, wish, { after: turns.get(key) ?? 0, limit: count })
  const last = spaces.at(-1)
  if (last === undefined) return []
  turns.set(key, last)
  const share = Math.floor(count / spaces.length)
  const rest = count % spaces.length
  // Asked together: a database at the other end of a network answers them in one round trip.
  const taken = await Promise.all(spaces.map((space, index) => claimInSpace(tx, claim, taking, { space, count: share + (index < rest ? 1 : 0) })))
  return Array.from({ length: share + 1 }, (_, turn) => taken.flatMap((jobs) => jobs[turn] ?? [])).flat()
}

/** Value of the column `alone` of the jobs that a wish means. */
function isAlone({ pool }: ClaimWish): number {
  return pool === 'alone' ? 1 : 0
}

/** Jobs whose time has come wait for a place from now on. */
async function promote(tx: Transactor, now: number): Promise<void> {
  await tx.run(
    `WITH due AS MATERIALIZED (SELECT space, id FROM holdfast_jobs WHERE state = 'later' AND run_at <= ? ORDER BY run_at LIMIT ?${skipLocked(tx)})
UPDATE holdfast_jobs SET state = 'ready' WHERE (space, id) IN (SELECT space, id FROM due)`,
    [now, jobLimits.BATCH_ROWS_MAX],
  )
}

const readyJobs = "FROM holdfast_jobs WHERE app = ? AND kind = ? AND alone = ? AND state = 'ready'"

/** Spaces with a waiting job of this kind, at most as many as there are places: those behind `after`, then from the start. One index probe each. */
async function spacesInTurn(tx: Transactor, wish: ClaimWish, { after, limit: count }: { readonly after: number; readonly limit: number }): Promise<number[]> {
  const { app, kind } = wish
  const key = [app, kind, isAlone(wish)]
  const next = `(SELECT space ${readyJobs} AND space > walk.space ORDER BY space LIMIT 1)`
  const sql = `WITH RECURSIVE walk(space, steps) AS (
SELECT CAST(? AS BIGINT), 0 UNION ALL SELECT ${next}, steps + 1 FROM walk WHERE walk.space IS NOT NULL AND steps < ?
) SELECT space FROM walk WHERE steps > 0 AND space IS NOT NULL ORDER BY steps`
  const behind = await tx.all<{ space: number }>(sql, [after, ...key, count])
  const before = behind.length < count && after > 0 ? await tx.all<{ space: number }>(sql, [0, ...key, count - behind.length]) : []
  return [...new Set([...behind, ...before].map(({ space }) => space))]
}

async function claimInSpace(
  tx: Transactor,
  { lease, now, leaseUntil }: Claim,
  { wish, attemptsBelow }: Taking,
  { space, count }: { readonly space: number; readonly count: number },
): Promise<ClaimedJob[]> {
  const sql = `WITH picked AS MATERIALIZED (SELECT id ${readyJobs} AND space = ? ORDER BY run_at, id LIMIT ?${skipLocked(tx)})
UPDATE holdfast_jobs SET state = 'running', attempts = attempts + 1, lease = ?, lease_until = ?, started_at = ?, progress = NULL, progress_label = NULL
WHERE space = ? AND id ${among(tx, 'picked')} AND attempts < ? RETURNING ${claimedColumns}`
  const rows = await tx.all<ClaimedRow>(sql, [wish.app, wish.kind, isAlone(wish), space, count, lease, leaseUntil, now, space, attemptsBelow])
  // Which of them was returned first is left open by both databases; ids ascend with time.
  return rows.map(claimedJob).toSorted((one, other) => (one.id < other.id ? -1 : 1))
}

/** Rows that the statement has picked and locked, looked up by their key whatever the planner takes the table for. */
function among({ dialect }: Transactor, picked: string): string {
  return dialect.name === 'postgres' ? `= ANY(ARRAY(SELECT id FROM ${picked}))` : `IN (SELECT id FROM ${picked})`
}

function skipLocked({ dialect }: Transactor): string {
  return dialect.forUpdate === '' ? '' : `${dialect.forUpdate} SKIP LOCKED`
}
