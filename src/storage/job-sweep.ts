import { jobLimits } from '../jobs/job-limits.ts'
import type { Transactor } from './database.ts'

/** Removes jobs that ended long ago; answers how many. What shows in a record's work stays until a newer job of its kind takes its place. */
export async function sweepJobs(tx: Transactor, now: number): Promise<number> {
  return tx.run(
    `DELETE FROM holdfast_jobs WHERE (space, id) IN (SELECT old.space, old.id FROM holdfast_jobs AS old
WHERE old.ended_at IS NOT NULL AND old.ended_at < ? AND (old.state <> 'dead' OR old.ended_at < ?) AND (old.record IS NULL OR EXISTS (SELECT 1 FROM holdfast_jobs AS newer
WHERE newer.space = old.space AND newer.collection = old.collection AND newer.record = old.record AND newer.kind = old.kind AND newer.id > old.id)) ORDER BY old.ended_at LIMIT ?)`,
    [now - jobLimits.ENDED_LIFE_MS, now - jobLimits.DEAD_LIFE_MS, jobLimits.BATCH_ROWS_MAX],
  )
}
