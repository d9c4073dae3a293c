import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Fields, Scope, StoredRecord } from 'holdfast'
import { getRecord, liveJobs, type CommitRequest, type Mutation, type Outcome, type WriteContract } from 'holdfast/server'
import { viewItems, type ItemView, type ViewForm } from '../item-view.ts'
import { ENRICH } from '../rules/enrich-job.ts'
import { itemOf } from '../rules/item-fields.ts'
import { intentContext, type UserIntent } from '../rules/item-intent.ts'
import { allowedActions, type Action } from '../transitions.ts'
import { scopeOf, type VaultContext } from './vault-context.ts'
import { invalidFields, notFound, VaultError } from './vault-error.ts'
import { wireFields } from './read-fields.ts'

/** One action on one item. */
export interface ItemAction {
  readonly id: string
  readonly intent: UserIntent & Required<Pick<UserIntent, 'action'>>
  readonly sent?: Fields
  /** The version that `If-Match` insists on. */
  readonly version?: number | undefined
  /** Work that follows, whether or not the item itself changes. */
  readonly jobs?: CommitRequest['jobs']
}

/** Does it and answers the item as it is then. Throws `VaultError` for a refusal; nothing is stored then. */
export async function actOnItem(vault: VaultContext, request: FastifyRequest, { id, intent, sent = {}, version, jobs = [] }: ItemAction): Promise<StoredRecord> {
  const scope = await scopeOf(vault, request)
  const attempts = intent.action === 'cancel' ? await attemptsOf(vault, scope, id) : undefined
  const mutation: Mutation = {
    collection: 'items',
    id,
    op: 'patch',
    base: 'any',
    sent,
    contract: changeContract(version),
    context: intentContext({ ...intent, ...(attempts === undefined ? {} : { attempts }) }),
  }
  const { outcomes } = await vault.http.commit(scope, { mutations: [mutation], atomic: true, keepRejected: false, keepConflicts: false, jobs })
  return acceptedRecord(outcomes[0], intent.action)
}

/** Acts on whatever is there, unless the caller named a version. */
export function changeContract(version?: number): WriteContract {
  return ({ stored, mutation }) => {
    if (stored === undefined) return 'missing'
    if (stored.deletedAt !== null) return mutation.op === 'delete' ? 'unchanged' : 'missing'
    return version !== undefined && version !== stored.version ? 'stale' : 'write'
  }
}

/** How often the job that is about to be cancelled was tried: the item keeps it when the job is gone. */
async function attemptsOf({ http }: VaultContext, { space }: Scope, id: string): Promise<number | undefined> {
  return (await http.database.read((reader) => liveJobs(reader, space, ENRICH, [id]))).get(id)?.attempts
}

/** The record of an accepted write. Throws what a refused one is as an answer. */
export function acceptedRecord(outcome: Outcome | undefined, action: Action | undefined): StoredRecord {
  if (outcome === undefined) throw new Error('A write was lost.')
  const error = refusalOf(outcome, action)
  if (error !== undefined) throw error
  if (outcome.record === undefined) throw notFound()
  return outcome.record
}

/** What a refused write is as an answer, or as a row of one; undefined for one that was accepted. */
export function refusalOf(outcome: Outcome, action: Action | undefined): VaultError | undefined {
  switch (outcome.status) {
    case 'applied':
    case 'unchanged':
    case 'merged':
      return undefined
    case 'conflict':
      return new VaultError('PRECONDITION_FAILED', { message: 'If-Match names another version than the current one.', details: { currentVersion: outcome.record?.version ?? null } })
    case 'rejected':
      return rejectionOf(outcome, action)
  }
}

/** The same of a capture: an item of its id that says something else is a mistake of whoever sent it. */
export function captureRefusal(outcome: Outcome, id: string): VaultError | undefined {
  if (outcome.status !== 'conflict') return refusalOf(outcome, undefined)
  return new VaultError('DUPLICATE_REQUEST', { message: 'An item of this id exists with another text.', details: { id } })
}

function rejectionOf({ error, record }: Extract<Outcome, { status: 'rejected' }>, action: Action | undefined): VaultError {
  switch (error.code) {
    case 'record.not_found':
      return notFound()
    case 'access.forbidden':
      return new VaultError('FORBIDDEN', { message: error.message })
    case 'INVALID_STATE_TRANSITION':
      return record === undefined || action === undefined ? notFound() : wrongState(itemOf(record.fields).status, action)
    default:
      return invalidFields(wireFields(error.fields ?? [{ path: 'body', message: error.message }]))
  }
}

function wrongState(currentState: Parameters<typeof allowedActions>[0], attemptedAction: Action): VaultError {
  if (attemptedAction === 'retry') return new VaultError('INVALID_STATE', { message: 'Only an item that has failed can be retried.', details: { currentState } })
  return new VaultError('INVALID_STATE_TRANSITION', {
    message: 'This cannot be done in the state that the item is in.',
    details: { currentState, attemptedAction, allowedActions: [...allowedActions(currentState)] },
  })
}

/** The items as the dialect shows them, in their order. */
export async function showItems(vault: VaultContext, { space }: Scope, records: readonly StoredRecord[], form: ViewForm): Promise<ItemView[]> {
  return vault.http.database.read((reader) => viewItems(reader, { space, collections: vault.collections }, records, form))
}

/** Answers one item, with its version as `ETag`. */
export async function sendItem(
  vault: VaultContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { record, status = 200 }: { readonly record: StoredRecord; readonly status?: number },
): Promise<FastifyReply> {
  const [view] = await showItems(vault, await scopeOf(vault, request), [record], 'whole')
  if (view === undefined) throw notFound()
  return reply.code(status).header('etag', etagOf(view.version)).send(view)
}

export function etagOf(version: number): string {
  return `"${version}"`
}

/** The live item that a path names. Throws `NOT_FOUND`. */
export async function findItem(vault: VaultContext, { space }: Scope, id: string): Promise<StoredRecord> {
  const record = id === '' ? undefined : await vault.http.database.read((reader) => getRecord(reader, vault.collections.items, space, id))
  if (record === undefined || record.deletedAt !== null) throw notFound()
  return record
}

/** The version that `If-Match` insists on; undefined without the header or for `*`. One that no record ever had fits none. */
export function readIfMatch(request: FastifyRequest): number | undefined {
  const tag = request.headers['if-match']?.trim()
  if (tag === undefined || tag === '*') return undefined
  return Number(/^"?(\d{1,15})"?$/.exec(tag)?.[1] ?? -1)
}
