import type { ClaimedJob } from '../jobs/job-store.ts'
import type { JsonValue } from '../lib/json.ts'

/** Columns that a claimed job is read from. */
export const claimedColumns = 'id, app, space, kind, unique_key, payload, collection, record, alone, attempts, lease'

export interface ClaimedRow {
  readonly id: string
  readonly app: string
  readonly space: number
  readonly kind: string
  readonly unique_key: string | null
  readonly payload: string
  readonly collection: string | null
  readonly record: string | null
  readonly alone: number
  readonly attempts: number
  readonly lease: string | null
}

export function claimedJob(row: ClaimedRow): ClaimedJob {
  return {
    id: row.id,
    app: row.app,
    space: row.space,
    kind: row.kind,
    payload: JSON.parse(row.payload) as JsonValue,
    record: row.collection === null || row.record === null ? undefined : { collection: row.collection, id: row.record },
    uniqueKey: row.unique_key ?? undefined,
    alone: row.alone === 1,
    attempts: row.attempts,
    lease: row.lease ?? '',
  }
}
