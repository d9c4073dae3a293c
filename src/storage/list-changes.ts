import type { Reader } from './database.ts'
import { readPage, textBytes, type Page } from './page.ts'

/** An entry of the change log as its row has it. `changes` and `detail` are JSON text. */
export interface ChangeRow {
  readonly seq: number
  readonly version: number
  readonly at: number
  readonly actorType: string
  readonly actorId: string
  readonly actorName: string
  readonly action: string
  readonly entity: string
  readonly entityId: string
  readonly changes: string
  readonly detail: string
  readonly requestId: string
  readonly hash: string
}

const columns = [
  'seq',
  'version',
  'at',
  'actor_type as actorType',
  'actor_id as actorId',
  'actor_name as actorName',
  'action',
  'entity',
  'entity_id as entityId',
  'changes',
  'detail',
  'request_id as requestId',
  'hash',
] as const

export interface ChangeList {
  readonly space: number
  readonly entity?: string | undefined
  readonly entityId?: string | undefined
  readonly actorId?: string | undefined
  readonly action?: string | undefined
  /** Epoch milliseconds, both included. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly newestFirst: boolean
  /** Version of the last entry of the page before. */
  readonly after?: number | undefined
  readonly limit: number
}

/** Entries of a space's change log by version, which is also the order of the chain. */
export async function listChanges(reader: Reader, list: ChangeList): Promise<Page<ChangeRow>> {
  const { space, newestFirst, after, limit } = list
  let all = reader.query
    .selectFrom('holdfast_changes')
    .where('space', '=', space)
    .orderBy('version', newestFirst ? 'desc' : 'asc')
  if (list.entity !== undefined) all = all.where('entity', '=', list.entity)
  if (list.entityId !== undefined) all = all.where('entity_id', '=', list.entityId)
  if (list.actorId !== undefined) all = all.where('actor_id', '=', list.actorId)
  if (list.action !== undefined) all = all.where('action', '=', list.action)
  // A version is never below the time of its commit, so the index of versions finds where the time begins.
  if (list.from !== undefined) all = all.where('version', '>=', list.from).where('at', '>=', list.from)
  if (list.to !== undefined) all = all.where('at', '<=', list.to)
  if (after !== undefined) all = all.where('version', newestFirst ? '<' : '>', after)
  const sizes = (count: number) => all.select(textBytes('changes', 'detail').as('bytes')).limit(count).execute()
  return readPage({ sizes, rows: (count) => all.select(columns).limit(count).execute() }, limit)
}
