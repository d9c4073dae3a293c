import type { JobState } from '../jobs/job-state.ts'
import type { Reader } from './database.ts'

/** A job as people see it. Times are epoch milliseconds. */
export interface JobRow {
  readonly id: string
  readonly kind: string
  readonly uniqueKey: string | null
  readonly payload: string
  readonly collection: string | null
  readonly record: string | null
  readonly state: JobState
  readonly attempts: number
  readonly runAt: number
  readonly progress: number | null
  readonly progressLabel: string | null
  readonly reasonCode: string | null
  readonly reasonMessage: string | null
  readonly createdAt: number
  readonly startedAt: number | null
  readonly endedAt: number | null
}

const columns = [
  'id',
  'kind',
  'unique_key as uniqueKey',
  'payload',
  'collection',
  'record',
  'state',
  'attempts',
  'run_at as runAt',
  'progress',
  'progress_label as progressLabel',
  'reason_code as reasonCode',
  'reason_message as reasonMessage',
  'created_at as createdAt',
  'started_at as startedAt',
  'ended_at as endedAt',
] as const

export interface JobList {
  readonly space: number
  /** Names of the collections whose jobs may be seen; undefined for all. A job of no record may always be seen. */
  readonly collections: readonly string[] | undefined
  readonly states: readonly JobState[] | undefined
  readonly kind: string | undefined
  readonly ids?: readonly string[]
  /** Id of the last row of the page before. */
  readonly before: string | undefined
  readonly limit: number
}

/** Jobs of a space, the newest first. */
export async function listJobs(reader: Reader, { space, collections, states, kind, ids, before, limit }: JobList): Promise<JobRow[]> {
  let rows = reader.query.selectFrom('holdfast_jobs').select(columns).where('space', '=', space).orderBy('id', 'desc').limit(limit)
  if (collections !== undefined) rows = rows.where((where) => where.or([where('collection', 'is', null), ...(collections.length === 0 ? [] : [where('collection', 'in', collections)])]))
  if (states !== undefined) rows = rows.where('state', 'in', states)
  if (kind !== undefined) rows = rows.where('kind', '=', kind)
  if (ids !== undefined) rows = rows.where('id', 'in', ids)
  if (before !== undefined) rows = rows.where('id', '<', before)
  return rows.execute()
}

export async function findJob(reader: Reader, space: number, id: string): Promise<JobRow | undefined> {
  return reader.query.selectFrom('holdfast_jobs').select(columns).where('space', '=', space).where('id', '=', id).executeTakeFirst()
}

/** The newest job of each kind that is a step of a record, by kind. */
export async function jobsOfRecord(reader: Reader, space: number, record: { readonly collection: string; readonly id: string }): Promise<JobRow[]> {
  return reader.query
    .selectFrom('holdfast_jobs')
    .select(columns)
    .where('space', '=', space)
    .where('id', 'in', (newest) =>
      newest
        .selectFrom('holdfast_jobs')
        .select((build) => build.fn.max('id').as('id'))
        .where('space', '=', space)
        .where('collection', '=', record.collection)
        .where('record', '=', record.id)
        .groupBy('kind'),
    )
    .orderBy('kind')
    .execute()
}

/** The live jobs of one kind that were made for these keys, by key: at most one each. */
export async function liveJobs(reader: Reader, space: number, kind: string, uniqueKeys: readonly string[]): Promise<ReadonlyMap<string, JobRow>> {
  if (uniqueKeys.length === 0) return new Map()
  const rows = await reader.all<JobRow>(
    reader.dialect.lookUp({
      select: columns.map((column) => column.replace(/ as (\w+)$/, ' AS "$1"')).join(', '),
      table: 'holdfast_jobs',
      column: 'unique_key',
      where: "kind = ?3 AND unique_key IS NOT NULL AND state IN ('later', 'ready', 'running')",
    }),
    [space, JSON.stringify(uniqueKeys), kind],
  )
  return new Map(rows.flatMap((row) => (row.uniqueKey === null ? [] : [[row.uniqueKey, row] as const])))
}
