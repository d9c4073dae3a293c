import type { JobState } from '../jobs/job-state.ts'
import type { SeenJob } from '../realtime/watching-doorbell.ts'
import type { Reader } from './database.ts'

/** What ended or began so long ago has been seen by whoever looks a few times a second, in milliseconds. */
const LATE_MS = 10_000
/** Jobs of each sort in one look. Whoever shows more of them is told of a part, and looks from time to time. */
const LOOK_MAX = 1_000

interface LateRow {
  readonly space: number
  readonly id: string
  readonly state: JobState
  readonly mark: string
}

/** Jobs that run, and those that ended lately or have begun lately and wait again. */
export async function lateJobs(reader: Reader, now: number): Promise<SeenJob[]> {
  const columns = 'space, id, state, attempts, run_at, started_at, progress, progress_label'
  const sorts = [
    `SELECT ${columns} FROM holdfast_jobs WHERE state = 'running' ORDER BY lease_until LIMIT ${LOOK_MAX}`,
    `SELECT ${columns} FROM holdfast_jobs WHERE ended_at >= ? ORDER BY ended_at DESC LIMIT ${LOOK_MAX}`,
    `SELECT * FROM (SELECT ${columns} FROM holdfast_jobs WHERE state = 'later' ORDER BY run_at LIMIT ${LOOK_MAX}) AS soon WHERE started_at >= ?`,
  ]
  const mark = "state || ' ' || attempts || ' ' || run_at || ' ' || coalesce(progress, 0) || ' ' || coalesce(progress_label, '')"
  const sql = sorts.map((sort, index) => `SELECT space, id, state, ${mark} AS mark FROM (${sort}) AS sort${index}`).join(' UNION ALL ')
  const rows = await reader.all<LateRow>(sql, [now - LATE_MS, now - LATE_MS])
  return rows.map(({ state, ...row }) => ({ ...row, isRunning: state === 'running', isStopped: state === 'cancelled' || state === 'skipped' }))
}
