import type { JobState } from '../jobs/job-state.ts'
import { Problem } from '../protocol/problem.ts'
import type { Transactor } from './database.ts'

export type JobAction = 'retry' | 'cancel' | 'skip'

/** A person's word on one job. */
export interface JobChange {
  readonly id: string
  readonly action: JobAction
}

/** States in which each can be done. A job that was done has had its effect. */
const allowed: Readonly<Record<JobAction, readonly JobState[]>> = {
  retry: ['later', 'dead', 'cancelled', 'skipped', 'empty', 'refused'],
  cancel: ['later', 'ready', 'running'],
  skip: ['later', 'ready', 'running', 'dead', 'cancelled'],
}

/** Throws `not_found`, or `job.state` when the job's state does not allow the change: before anything that belongs to the change is decided. The space must be locked. */
export async function requireChangeable(tx: Transactor, space: number, { id, action }: JobChange): Promise<void> {
  const [job] = await tx.all<{ state: JobState }>(`SELECT state FROM holdfast_jobs WHERE space = ? AND id = ?${tx.dialect.forUpdate}`, [space, id])
  if (job === undefined) throw new Problem('not_found')
  if (!allowed[action].includes(job.state)) throw new Problem('job.state', { detail: `A job that is ${job.state} cannot be changed by ${action}.` })
}

/** Changes a job that `requireChangeable` has let through; answers its id. */
export async function changeJob(tx: Transactor, space: number, { id, action }: JobChange, now: number): Promise<string> {
  if (action === 'retry') await startAgain(tx, { space, id }, now)
  else await endByHand(tx, { space, id, action }, now)
  return id
}

interface JobKey {
  readonly space: number
  readonly id: string
}

async function startAgain(tx: Transactor, { space, id }: JobKey, now: number): Promise<void> {
  const twins = await tx.all(
    `SELECT twin.id FROM holdfast_jobs AS job JOIN holdfast_jobs AS twin ON twin.space = job.space AND twin.kind = job.kind AND twin.unique_key = job.unique_key
WHERE job.space = ? AND job.id = ? AND twin.id <> job.id AND twin.state IN ('later', 'ready', 'running')`,
    [space, id],
  )
  if (twins.length > 0) throw new Problem('job.state', { detail: 'A later job of the same kind and key waits or runs already.' })
  await tx.run(
    "UPDATE holdfast_jobs SET state = 'ready', attempts = 0, run_at = ?, progress = NULL, progress_label = NULL, reason_code = NULL, reason_message = NULL, ended_at = NULL WHERE space = ? AND id = ?",
    [now, space, id],
  )
}

async function endByHand(tx: Transactor, { space, id, action }: JobKey & { readonly action: 'cancel' | 'skip' }, now: number): Promise<void> {
  const state = action === 'cancel' ? 'cancelled' : 'skipped'
  await tx.run("UPDATE holdfast_jobs SET state = ?, lease = NULL, lease_until = NULL, reason_code = 'by_hand', reason_message = ?, ended_at = ? WHERE space = ? AND id = ?", [
    state,
    action === 'cancel' ? 'Cancelled by a person.' : 'Skipped by a person.',
    now,
    space,
    id,
  ])
}
