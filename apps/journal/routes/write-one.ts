import type { FastifyReply, FastifyRequest } from 'fastify'
import type { StoredRecord } from 'holdfast'
import type { CommitResult, Mutation, Outcome, Reader, StoredAnswer, WriteContract } from 'holdfast/server'
import { scopeOf } from './check-access.ts'
import { DialectError, notFound } from './dialect-error.ts'
import { currentOf, type Item } from './feed-items.ts'
import { itemContextOf } from './item-context.ts'
import type { CollectionName, JournalContext } from './journal-context.ts'
import { invalidRecord, type ReadFields } from './read-write.ts'
import { idempotencyOf, jsonAnswer, keptError, sendAnswer } from './write-answer.ts'

/** One write of the dialect to one record. */
export interface OneWrite {
  readonly collection: CollectionName
  readonly id: string
  readonly op: Mutation['op']
  readonly base: Mutation['base']
  readonly contract: WriteContract
  readonly fields: ReadFields
  readonly answer: AnswerForm
}

/** What a success looks like: the time's name in the body, or no body at all; 201 where the write made what was not live. */
export interface AnswerForm {
  readonly time: 'uploadedAt' | 'updatedAt' | 'deletedAt'
  readonly empty?: true
  /** Path of the record, told with a 201. */
  readonly location?: string
}

/** Commits the write and answers it. Throws `DialectError` for every refusal; an edit that met another is kept as a conflict. */
export async function writeOne(journal: JournalContext, request: FastifyRequest, reply: FastifyReply, one: OneWrite): Promise<FastifyReply> {
  const { http } = journal
  const scope = await scopeOf(http, request)
  const seen = watched(one)
  const place = { collection: one.collection, space: scope.space }
  const settle = (result: CommitResult, reader: Reader) => settleWrite(journal, { reader, place, one, result, wasLive: seen.wasLive() })
  let kept: StoredAnswer | undefined
  const idempotency = idempotencyOf(request, async (result, reader) => {
    const settled = await settle(result, reader)
    kept = settled instanceof DialectError ? keptError(settled, result.now) : settled
    return kept
  })
  const result = await http.commit(scope, { mutations: [seen.mutation], keepRejected: false, keepConflicts: one.op !== 'delete', ...idempotency })
  const location = one.answer.location
  const sent = location === undefined ? {} : { location }
  // What is kept for a repetition is also the first answer, to the letter.
  const answer = result.replayed ?? kept
  if (answer !== undefined) return sendAnswer(reply, { answer, replayed: result.replayed !== undefined, ...sent })
  const settled = await http.database.read((reader) => settle(result, reader))
  if (settled instanceof DialectError) throw settled
  return sendAnswer(reply, { answer: settled, replayed: false, ...sent })
}

function mutationOf({ collection, id, op, base, contract, fields: { sent, complete } }: OneWrite): Mutation {
  return { collection, id, op, base, sent, contract, ...(complete === undefined ? {} : { complete }) }
}

/** The write as a mutation, and whether a live record was there when it was decided. */
function watched(one: OneWrite): { readonly mutation: Mutation; wasLive(): boolean } {
  let live = false
  const contract: WriteContract = (sides) => {
    live = sides.stored !== undefined && sides.stored.deletedAt === null
    return one.contract(sides)
  }
  return { mutation: mutationOf({ ...one, contract }), wasLive: () => live }
}

interface Settling {
  readonly reader: Reader
  readonly place: { readonly collection: CollectionName; readonly space: number }
  readonly one: OneWrite
  readonly result: CommitResult
  readonly wasLive: boolean
}

async function settleWrite(journal: JournalContext, { reader, place, one, result, wasLive }: Settling): Promise<StoredAnswer | DialectError> {
  const [outcome] = result.outcomes
  if (outcome === undefined) throw new Error('A write was lost.')
  const shown = async (record: StoredRecord): Promise<Item> => currentOf(one.collection, record, await itemContextOf(reader, journal, place, [record]))
  switch (outcome.status) {
    case 'rejected':
      return refusalOf(outcome, shown)
    case 'conflict':
      return outcome.record === undefined ? notFound() : conflictOf({ reason: outcome.reason, record: outcome.record, conflictId: outcome.conflictId ?? null }, shown)
    case 'merged': {
      const { record } = outcome
      return record === undefined ? notFound() : successOf(one, { record, applied: false, wasLive, current: await shown(record) })
    }
    case 'applied':
    case 'unchanged':
      return successOf(one, { record: outcome.record, applied: true, wasLive, current: null })
  }
}

async function refusalOf({ error, record }: Extract<Outcome, { status: 'rejected' }>, shown: (record: StoredRecord) => Promise<Item>): Promise<DialectError> {
  switch (error.code) {
    case 'base.ahead':
      return record === undefined ? notFound() : conflictOf({ reason: 'ahead', record, conflictId: null }, shown)
    case 'record.not_found':
      return notFound('There is no such record to change.')
    case 'access.forbidden':
      return new DialectError('FORBIDDEN', { message: error.message })
    default:
      return invalidRecord(error.fields ?? [])
  }
}

interface ConflictParts {
  readonly reason: 'stale' | 'deleted' | 'ahead'
  readonly record: StoredRecord
  readonly conflictId: string | null
}

const conflictTexts = {
  stale: 'The record has moved on since the version you know.',
  deleted: 'The record was deleted.',
  ahead: 'The version you know is newer than anything this server has given out.',
} as const

async function conflictOf({ reason, record, conflictId }: ConflictParts, shown: (record: StoredRecord) => Promise<Item>): Promise<DialectError> {
  return new DialectError('CONFLICT', { message: conflictTexts[reason], details: { reason, serverVersion: String(record.version) }, extra: { current: await shown(record), conflictId } })
}

interface Success {
  readonly record: StoredRecord | undefined
  readonly applied: boolean
  readonly wasLive: boolean
  readonly current: Item | null
}

function successOf({ id, answer }: OneWrite, { record, applied, wasLive, current }: Success): StoredAnswer {
  if (answer.empty === true) return { status: 204, body: '' }
  const serverVersion = record?.version ?? null
  if (answer.time === 'deletedAt') return jsonAnswer(200, { id, deletedAt: record?.deletedAt ?? null, serverVersion })
  const status = answer.location !== undefined && !wasLive ? 201 : 200
  return jsonAnswer(status, { id, serverVersion, [answer.time]: record?.updatedAt ?? null, applied, current })
}
