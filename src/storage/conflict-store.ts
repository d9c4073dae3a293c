import { hash } from 'node:crypto'
import type { Reader } from './database.ts'
import { readPage, textBytes, type Page } from './page.ts'

export type ConflictState = 'open' | 'merged' | 'resolved'

/** A conflict or join as its row has it. Times are epoch milliseconds; sides are JSON text, null where a side has no record. */
export interface ConflictRow {
  readonly id: string
  readonly collection: string
  readonly record: string
  readonly state: ConflictState
  readonly reason: string
  readonly operation: 'put' | 'patch' | 'delete'
  readonly client: string
  readonly author: string
  readonly device: string | null
  readonly baseVersion: number
  readonly base: string | null
  readonly serverVersion: number
  readonly server: string | null
  readonly clientFields: string | null
  readonly resolution: string | null
  readonly createdAt: number
  readonly updatedAt: number
  readonly resolvedAt: number | null
  readonly resolvedBy: string | null
}

const columns = [
  'id',
  'collection',
  'record',
  'state',
  'reason',
  'operation',
  'client',
  'author',
  'device',
  'base_version as baseVersion',
  'base',
  'server_version as serverVersion',
  'server',
  'client_fields as clientFields',
  'resolution',
  'created_at as createdAt',
  'updated_at as updatedAt',
  'resolved_at as resolvedAt',
  'resolved_by as resolvedBy',
] as const

export interface ConflictList {
  readonly space: number
  /** Names of collections; undefined for all. */
  readonly collections: readonly string[] | undefined
  /** Undefined for every state. */
  readonly state: ConflictState | undefined
  /** Id of the last row of the page before. */
  readonly after: string | undefined
  readonly limit: number
}

/** Conflicts in the order of their ids, which is that of their making. */
export async function listConflicts(reader: Reader, { space, collections, state, after, limit }: ConflictList): Promise<Page<ConflictRow>> {
  let all = reader.query.selectFrom('holdfast_conflicts').where('space', '=', space).orderBy('id')
  if (collections !== undefined) all = all.where('collection', 'in', collections)
  if (state !== undefined) all = all.where('state', '=', state)
  if (after !== undefined) all = all.where('id', '>', after)
  const sizes = (count: number) =>
    all
      .select(textBytes('base', 'server', 'client_fields').as('bytes'))
      .limit(count)
      .execute()
  return readPage({ sizes, rows: (count) => all.select(columns).limit(count).execute() }, limit)
}

export async function findConflict(reader: Reader, space: number, id: string): Promise<ConflictRow | undefined> {
  return reader.query.selectFrom('holdfast_conflicts').select(columns).where('space', '=', space).where('id', '=', id).executeTakeFirst()
}

/** Changes whenever one of the sides of a conflict does, or its state. */
export function conflictTag({ state, operation, clientFields, serverVersion }: ConflictRow): string {
  return hash('sha256', JSON.stringify([state, operation, clientFields, serverVersion]), 'base64url')
}

/** How many conflicts wait for a person. */
export async function countOpenConflicts(reader: Reader, { space, collections }: Pick<ConflictList, 'space' | 'collections'>): Promise<number> {
  let rows = reader.query.selectFrom('holdfast_conflicts').select((build) => build.fn.countAll<number>().as('count'))
  rows = rows.where('space', '=', space).where('state', '=', 'open')
  if (collections !== undefined) rows = rows.where('collection', 'in', collections)
  return (await rows.executeTakeFirstOrThrow()).count
}
