import { z } from 'zod'
import type { JobDefinitions } from '../jobs/define-job.ts'
import type { JobState } from '../jobs/job-state.ts'
import type { JobRow } from '../storage/job-list.ts'

/** `waiting` is for a place or for its time; `failed` has used up its attempts, or never can succeed. */
export const shownStates = ['waiting', 'running', 'done', 'empty', 'refused', 'failed', 'cancelled', 'skipped'] as const
export type ShownState = (typeof shownStates)[number]

/** The states behind what is shown. */
export const statesOf: Readonly<Record<ShownState, readonly JobState[]>> = {
  waiting: ['later', 'ready'],
  running: ['running'],
  done: ['done'],
  empty: ['empty'],
  refused: ['refused'],
  failed: ['dead'],
  cancelled: ['cancelled'],
  skipped: ['skipped'],
}

export const jobSchema = z.object({
  id: z.string(),
  kind: z.string(),
  state: z.enum(shownStates),
  reason: z.object({ code: z.string(), message: z.string() }).nullable().meta({ description: 'Why it is where it is: of the last failed attempt, or of its end.' }),
  attempts: z.int(),
  attemptsMax: z.int().nullable(),
  nextAt: z.int().nullable().meta({ description: 'When the next attempt is due, epoch milliseconds; null unless it waits.' }),
  progress: z.object({ fraction: z.number().min(0).max(1), label: z.string().nullable() }).nullable(),
  collection: z.string().nullable(),
  recordId: z.string().nullable(),
  createdAt: z.int(),
  startedAt: z.int().nullable(),
  endedAt: z.int().nullable(),
})
export type WireJob = z.infer<typeof jobSchema>

/** A job as the API shows it; its payload stays inside. */
export function wireJob(definitions: JobDefinitions | undefined, row: JobRow): WireJob {
  const state = shownState(row.state)
  return {
    id: row.id,
    kind: row.kind,
    state,
    reason: row.reasonCode === null ? null : { code: row.reasonCode, message: row.reasonMessage ?? '' },
    attempts: row.attempts,
    attemptsMax: definitions?.[row.kind]?.attempts ?? null,
    nextAt: state === 'waiting' ? row.runAt : null,
    progress: row.progress === null ? null : { fraction: row.progress, label: row.progressLabel },
    collection: row.collection,
    recordId: row.record,
    createdAt: row.createdAt,
    startedAt: row.startedAt,
    endedAt: row.endedAt,
  }
}

function shownState(state: JobState): ShownState {
  switch (state) {
    case 'later':
    case 'ready':
      return 'waiting'
    case 'dead':
      return 'failed'
    case 'running':
    case 'done':
    case 'empty':
    case 'refused':
    case 'cancelled':
    case 'skipped':
      return state
  }
}
