import type { JobRequest, JobTarget } from '../app/job-request.ts'
import type { Transactor } from './database.ts'

export interface JobPlace {
  readonly app: string
  readonly space: number
  readonly now: number
  nextId(): string
}

const jobColumns = ['id', 'app', 'space', 'kind', 'unique_key', 'payload', 'collection', 'record', 'state', 'alone', 'attempts', 'run_at', 'created_at'] as const

/** Adds jobs to the transaction and answers their ids. One whose kind and key a live job has already is left out; nobody has its id. */
export async function enqueueJobs(tx: Transactor, { app, space, now, nextId }: JobPlace, requests: readonly JobRequest[]): Promise<readonly string[]> {
  const ids = requests.map(() => nextId())
  const rows = requests.map(({ kind, payload, uniqueKey, runAt, record }, index) => {
    const state = runAt === undefined || runAt <= now ? 'ready' : 'later'
    return [ids[index] ?? '', app, space, kind, uniqueKey ?? null, JSON.stringify(payload), record?.collection ?? null, record?.id ?? null, state, 0, 0, runAt ?? now, now]
  })
  await tx.insertMany({ table: 'holdfast_jobs', columns: jobColumns, rows, skipDuplicates: true })
  return ids
}

/** Cancels the live jobs that were made for these; answers the ids of those that were running. */
export async function stopJobs(tx: Transactor, { space, now }: Pick<JobPlace, 'space' | 'now'>, targets: readonly JobTarget[]): Promise<readonly string[]> {
  const stop = ({ kind, uniqueKey }: JobTarget) =>
    tx.all<{ id: string }>(
      `UPDATE holdfast_jobs SET state = 'cancelled', lease = NULL, lease_until = NULL, reason_code = 'stopped', reason_message = 'A later change made it unnecessary.', ended_at = ?
WHERE space = ? AND kind = ? AND unique_key = ? AND state IN ('later', 'ready', 'running') RETURNING id`,
      [now, space, kind, uniqueKey],
    )
  return (await Promise.all(targets.map(stop))).flat().map(({ id }) => id)
}
