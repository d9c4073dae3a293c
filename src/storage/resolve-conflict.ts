import type { CompiledApp, CompiledCollection } from '../app/compile-app.ts'
import type { Fields } from '../app/conflict-policy.ts'
import type { Scope, StoredRecord } from '../app/rule.ts'
import type { Mutation, WriteContract } from '../engine/mutation.ts'
import { readData, rejection } from '../engine/prepare-mutations.ts'
import { sameJson, type JsonValue } from '../lib/json.ts'
import type { MutationError } from '../protocol/push.ts'
import type { CommitRequest, CommitResult } from './commit-request.ts'
import { conflictTag, findConflict, type ConflictRow } from './conflict-store.ts'
import type { Database, Reader } from './database.ts'
import { readEntry } from './read-entry.ts'
import { getRecord } from './read-records.ts'

export interface ResolveDeps {
  readonly database: Database
  readonly apps: ReadonlyMap<string, { readonly app: CompiledApp }>
  commit(scope: Scope, request: CommitRequest): Promise<CommitResult>
}

/** `data` goes with `merged`: the fields to change on what is stored. */
export interface Resolution {
  readonly resolution: 'server' | 'client' | 'merged'
  readonly data?: Fields
  /** `conflictTag` of the conflict as the chooser saw it; without it the choice is made for the conflict as it is. */
  readonly seen?: string | undefined
}

export type ResolveOutcome =
  | { readonly kind: 'resolved'; readonly version: number; readonly record: StoredRecord | undefined }
  /** The record moved on since: the same conflict, with the record's present state as its server side. */
  | { readonly kind: 'conflict'; readonly conflictId: string; readonly record: StoredRecord | undefined }
  | { readonly kind: 'already-resolved' }
  /** One of its sides is not what the chooser saw. */
  | { readonly kind: 'unseen'; readonly conflict: ConflictRow }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'rejected'; readonly error: MutationError }

/**
 * Ends a conflict by a choice: what the server has, what the client sent, or a merge of both. A merge that a policy made is undone
 * in the same way. The choice is a write on the state that the row shows, through the one write path; the row changes with it.
 */
export async function resolveConflict(deps: ResolveDeps, scope: Scope, conflictId: string, choice: Resolution): Promise<ResolveOutcome> {
  const app = deps.apps.get(scope.app)?.app
  const found = await deps.database.read(async (reader) => {
    const row = await findConflict(reader, scope.space, conflictId)
    const collection = row === undefined ? undefined : app?.collections.get(row.collection)
    return row === undefined || collection === undefined ? undefined : { row, collection, standing: await standingVersion(reader, scope.space, row, collection) }
  })
  if (found === undefined) return { kind: 'not-found' }
  const { row, collection, standing } = found
  if (row.state === 'resolved') return { kind: 'already-resolved' }
  if (choice.seen !== undefined && choice.seen !== conflictTag(row)) return { kind: 'unseen', conflict: row }
  const prepared = mutationOf(collection, row, choice)
  if (prepared.kind === 'invalid') return { kind: 'rejected', error: prepared.error }
  // A tombstone that was purged since is as gone as it was.
  const isStanding = (stored: StoredRecord | undefined) => (stored?.version ?? 0) === standing || (stored === undefined && row.server === null)
  const contract: WriteContract = ({ stored }) => (isStanding(stored) ? prepared.decision : 'stale')
  const request = { mutations: [{ ...prepared.mutation, contract }], keepRejected: false, keepConflicts: false }
  const result = await deps.commit(scope, { ...request, resolution: { seen: row, choice: choice.resolution, by: `${scope.actor.type}:${scope.actor.id}` } })
  const [outcome] = result.outcomes
  if (result.unresolved === 'closed') return { kind: 'already-resolved' }
  if (outcome === undefined) return { kind: 'conflict', conflictId, record: await deps.database.read((reader) => getRecord(reader, collection, scope.space, row.record)) }
  switch (outcome.status) {
    case 'applied':
    case 'unchanged':
    case 'merged':
      return { kind: 'resolved', version: outcome.record?.version ?? result.version, record: outcome.record }
    case 'conflict':
      return { kind: 'conflict', conflictId: result.freshConflictId ?? conflictId, record: outcome.record }
    case 'rejected':
      return { kind: 'rejected', error: outcome.error }
  }
}

/**
 * The version that the record must still have. A merge made a version of its own, right behind that of the server's side;
 * undefined when something was written on it since, so that no version equals it.
 */
async function standingVersion(reader: Reader, space: number, row: ConflictRow, collection: CompiledCollection): Promise<number | undefined> {
  if (row.state !== 'merged' || row.reason === 'superseded' || row.reason === 'moved') return row.serverVersion
  const record = await getRecord(reader, collection, space, row.record)
  const entry = record === undefined ? undefined : await readEntry(reader, space, record.version)
  return entry?.detail.previous === row.serverVersion ? entry.version : undefined
}

type Prepared = { readonly kind: 'valid'; readonly mutation: Mutation; readonly decision: 'write' | 'unchanged' } | { readonly kind: 'invalid'; readonly error: MutationError }

function mutationOf(collection: CompiledCollection, row: ConflictRow, choice: Resolution): Prepared {
  const place = { collection: row.collection, id: row.record, base: 'any' as const }
  switch (choice.resolution) {
    case 'server': {
      // What is stored is the server's side already, unless a merge has put something on top of it.
      const isMerged = row.state === 'merged' && row.reason !== 'superseded' && row.reason !== 'moved'
      if (isMerged) return { kind: 'valid', mutation: { ...place, op: 'put', sent: writable(collection, fieldsOf(row.server)) }, decision: 'write' }
      return { kind: 'valid', mutation: { ...place, op: row.operation === 'delete' ? 'delete' : 'put', sent: {} }, decision: 'unchanged' }
    }
    case 'client':
      if (row.operation === 'delete') return { kind: 'valid', mutation: { ...place, op: 'delete', sent: {} }, decision: row.server === null ? 'unchanged' : 'write' }
      return { kind: 'valid', mutation: { ...place, op: 'put', sent: writable(collection, clientSide(row)) }, decision: 'write' }
    case 'merged': {
      const data = readData(collection, 'patch', writable(collection, choice.data ?? {}, row))
      return data.kind === 'invalid' ? { kind: 'invalid', error: rejection('record.invalid', data.fields) } : { kind: 'valid', mutation: { ...place, op: 'put', ...data.value }, decision: 'write' }
    }
  }
}

/** What the client wanted. Where the server has nothing left, what a patch did not touch is as the client last saw it. */
function clientSide(row: ConflictRow): Fields {
  return row.operation === 'patch' && row.server === null ? { ...fieldsOf(row.base), ...fieldsOf(row.clientFields) } : fieldsOf(row.clientFields)
}

function fieldsOf(side: string | null): Fields {
  return side === null ? {} : (JSON.parse(side) as Fields)
}

/** The fields that a writer may set. Given the row, a server's field is left out only where it echoes one of the sides. */
function writable(collection: CompiledCollection, fields: Fields, row?: ConflictRow): Fields {
  const sides = row === undefined ? [] : [row.base, row.server, row.clientFields].map(fieldsOf)
  const isEcho = (name: string, value: JsonValue) => row === undefined || sides.some((side) => sameJson(side[name], value))
  return Object.fromEntries(Object.entries(fields).filter(([name, value]) => collection.fieldByName.get(name)?.server !== true || !isEcho(name, value)))
}
