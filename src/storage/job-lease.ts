import { LeaseLost } from '../jobs/job-failure.ts'
import { jobLimits } from '../jobs/job-limits.ts'
import type { JobEnd, JobReason } from '../jobs/job-state.ts'
import type { ClaimedJob, ExpiredJob, PutBack } from '../jobs/job-store.ts'
import { LEASE_OVER } from '../jobs/suspects.ts'
import type { Reader, SqlValue, Transactor } from './database.ts'
import { claimedColumns, claimedJob, type ClaimedRow } from './job-rows.ts'
import { readSpaceState } from './space-state.ts'

/** A worker's hold on a job, checked in the transaction of what it writes. */
export interface JobHold {
  /** The job's own space, whatever space it writes to. */
  readonly space: number
  readonly id: string
  readonly lease: string
  /** The job ends with this commit. */
  readonly ending?: { readonly end: JobEnd; readonly reason: JobReason | undefined }
}

/** Only a running job has a lease. Its state is not asked for: an index by state must not be taken for a way to it. */
const isHeld = 'space = ? AND id = ? AND lease = ?'

/** Throws `LeaseLost` unless the job is still this worker's; until the transaction ends nobody can take it. */
export async function requireHeld(tx: Transactor, { space, id, lease }: JobHold): Promise<void> {
  const [row] = await tx.all(`SELECT id FROM holdfast_jobs WHERE ${isHeld}${tx.dialect.forUpdate}`, [space, id, lease])
  if (row === undefined) throw new LeaseLost()
}

/** A job's end without anything to be written beside it. */
export interface HeldEnd extends Omit<JobHold, 'ending'> {
  readonly ending: { readonly end: JobEnd; readonly reason: JobReason | undefined }
}

/** Ends a job whose lease is held. */
export async function endHeld(tx: Transactor, hold: HeldEnd, now: number): Promise<void> {
  const ended = await endAllHeld(tx, [hold], now)
  if (ended.size === 0) throw new LeaseLost()
}

/** Ends those of the jobs whose lease is held and answers their ids: one statement for all of one claim and space that end alike. */
export async function endAllHeld(tx: Transactor, holds: readonly HeldEnd[], now: number): Promise<ReadonlySet<string>> {
  const alike = Map.groupBy(holds, ({ space, lease, ending: { end, reason } }) => JSON.stringify([space, lease, end, reason?.code, reason?.message]))
  const rows = await Promise.all([...alike.values()].map((group) => endAlike(tx, group, now)))
  return new Set(rows.flat().map(({ id }) => id))
}

async function endAlike(tx: Transactor, group: readonly HeldEnd[], now: number): Promise<readonly { readonly id: string }[]> {
  const [first] = group
  if (first === undefined) return []
  const { space, lease, ending } = first
  const isDone = ending.end === 'done'
  const sql = `UPDATE holdfast_jobs SET state = ?, lease = NULL, lease_until = NULL, reason_code = ?, reason_message = ?, ended_at = ?${isDone ? ', progress = 1' : ''}
WHERE space = ? AND ${tx.dialect.inJsonArray('id')} AND lease = ? RETURNING id`
  return tx.all(sql, [ending.end, ...reasonValues(ending.reason), now, space, JSON.stringify(group.map(({ id }) => id)), lease])
}

/** Renews leases; answers the ids of the jobs that are still held. */
export async function extendLeases(tx: Transactor, jobs: readonly ClaimedJob[], leaseUntil: number): Promise<ReadonlySet<string>> {
  const alike = Map.groupBy(jobs, ({ space, lease }) => `${space} ${lease}`)
  const sql = `UPDATE holdfast_jobs SET lease_until = ? WHERE space = ? AND ${tx.dialect.inJsonArray('id')} AND lease = ? RETURNING id`
  const rows = await Promise.all([...alike.values()].map((group) => tx.all<{ id: string }>(sql, [leaseUntil, group[0]?.space ?? 0, JSON.stringify(group.map(({ id }) => id)), group[0]?.lease ?? ''])))
  return new Set(rows.flat().map(({ id }) => id))
}

export async function noteProgress(tx: Transactor, { space, id, lease }: ClaimedJob, { fraction, label }: { readonly fraction: number; readonly label: string | undefined }): Promise<boolean> {
  return (
    (await tx.run(`UPDATE holdfast_jobs SET progress = ?, progress_label = ? WHERE ${isHeld}`, [
      fraction,
      label === undefined ? null : storableText(label, jobLimits.PROGRESS_LABEL_CHARS_MAX),
      space,
      id,
      lease,
    ])) > 0
  )
}

/** Puts a held job back to wait, for its time or for a place. */
export async function putBackJob(tx: Transactor, { space, id, lease }: ClaimedJob, { runAt, now, reason, refund, alone }: PutBack): Promise<boolean> {
  const state = runAt <= now ? 'ready' : 'later'
  const sql = `UPDATE holdfast_jobs SET state = ?, run_at = ?, lease = NULL, lease_until = NULL, reason_code = ?, reason_message = ?, attempts = attempts - ?, alone = CASE WHEN ? = 1 THEN 1 ELSE alone END WHERE ${isHeld}`
  return (await tx.run(sql, [state, runAt, ...reasonValues(reason), refund ? 1 : 0, alone ? 1 : 0, space, id, lease])) > 0
}

/** Running jobs whose lease has run out, the oldest first. */
export async function expiredJobs(reader: Reader, now: number, limit: number): Promise<ExpiredJob[]> {
  const rows = await reader.all<ClaimedRow & { readonly lease_until: number }>(
    `SELECT ${claimedColumns}, lease_until FROM holdfast_jobs WHERE state = 'running' AND lease_until < ? ORDER BY lease_until LIMIT ?`,
    [now, limit],
  )
  return rows.map((row) => ({ job: claimedJob(row), leaseUntil: row.lease_until }))
}

/** Ends the leases that begin so. */
export async function expireLeases(tx: Transactor, holder: string): Promise<void> {
  await tx.run("UPDATE holdfast_jobs SET lease_until = ? WHERE state = 'running' AND substr(lease, 1, ?) = ?", [LEASE_OVER, holder.length, holder])
}

/** Jobs of a kind in a space that began since a time. One that was put back with its attempt has not begun, nor has one that was claimed and has not asked yet. */
export const beganText = `SELECT count(*) AS count FROM holdfast_jobs AS own JOIN holdfast_jobs AS other ON other.space = own.space AND other.kind = own.kind
WHERE own.space = ? AND own.id = ? AND other.started_at >= ? AND other.attempts > 0 AND NOT (other.state = 'running' AND other.attempts = 1 AND other.progress IS NULL)`

/** Jobs like this one that began since a time, with it. They ask one after the other under the space's lock, and asking marks a job as begun: no clock says which was first. */
export async function countBegan(tx: Transactor, { id, space, lease }: ClaimedJob, since: number): Promise<number> {
  await readSpaceState(tx, space, { lock: true })
  const marked = await tx.run(`UPDATE holdfast_jobs SET progress = coalesce(progress, 0) WHERE ${isHeld}`, [space, id, lease])
  if (marked === 0) throw new LeaseLost()
  const [row] = await tx.all<{ count: number }>(beganText, [space, id, since])
  return row?.count ?? 0
}

/** What somebody else's error says may hold anything; NUL and half characters cannot be stored. */
function storableText(text: string, charsMax: number): string {
  return text.replaceAll('\0', '').slice(0, charsMax).toWellFormed()
}

function reasonValues(reason: JobReason | undefined): [SqlValue, SqlValue] {
  if (reason === undefined) return [null, null]
  return [storableText(reason.code, jobLimits.REASON_CODE_CHARS_MAX), storableText(reason.message, jobLimits.REASON_MESSAGE_CHARS_MAX)]
}
