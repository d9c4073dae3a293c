import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Scope, StoredRecord } from 'holdfast'
import type { CommitResult, Outcome, Reader, StoredAnswer } from 'holdfast/server'
import { viewItems, type ItemView } from '../item-view.ts'
import { idempotencyOf } from './idempotency.ts'
import { readCapture, type Capture } from './read-capture.ts'
import { isObject, readBody } from './read-request.ts'
import { repeatedCapture } from './repeated-capture.ts'
import { scopeOf, type VaultContext } from './vault-context.ts'
import { invalidField, VaultError } from './vault-error.ts'
import { captureRefusal } from './write-item.ts'

const CAPTURES_MAX = 100

/** Takes many captures: those that are valid are one commit, each of the others is told what is wrong with it. */
export async function captureBatch(vault: VaultContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const scope = await scopeOf(vault, request)
  const { items } = readBody(request)
  if (!Array.isArray(items) || items.length === 0 || items.length > CAPTURES_MAX) throw invalidField('items', `Give a list of 1 to ${CAPTURES_MAX} captures.`)
  const read = items.map((item: unknown) => readRow(vault, item))
  const mutations = read.flatMap((row) => (row instanceof VaultError ? [] : [row.mutation]))
  const answer = (result: CommitResult, reader: Reader) => answerOf(vault, { scope, reader, requestId: request.id }, read, result)
  const result = await vault.http.commit(scope, { mutations, keepRejected: false, keepConflicts: false, ...idempotencyOf(vault, request, 'batch', answer) })
  const replayed = result.replayed
  const { status, body } = replayed ?? (await vault.http.database.read((reader) => answer(result, reader)))
  return reply
    .code(status)
    .headers(replayed === undefined ? {} : { 'idempotency-replayed': 'true' })
    .type('application/json; charset=utf-8')
    .send(body)
}

function readRow(vault: VaultContext, item: unknown): Capture | VaultError {
  if (!isObject(item)) return new VaultError('INVALID_REQUEST', { message: 'A capture is a JSON object.' })
  try {
    return readCapture(vault, item)
  } catch (error) {
    if (error instanceof VaultError) return error
    throw error
  }
}

interface Answering {
  readonly scope: Scope
  readonly reader: Reader
  readonly requestId: string
}

interface Row {
  readonly status: number
  readonly record?: StoredRecord
  readonly error?: VaultError
}

async function answerOf(vault: VaultContext, { scope, reader, requestId }: Answering, read: readonly (Capture | VaultError)[], { outcomes }: CommitResult): Promise<StoredAnswer> {
  let decided = 0
  const rows: Row[] = []
  for (const capture of read) {
    if (capture instanceof VaultError) {
      rows.push({ status: capture.status, error: capture })
      continue
    }
    const outcome = outcomes[decided]
    decided += 1
    if (outcome === undefined) throw new Error('A capture was lost.')
    rows.push(rowOf(capture, await repeatedCapture(reader, vault.collections.items, scope, capture, outcome)))
  }
  const records = rows.flatMap(({ record }) => record ?? [])
  const views = new Map<string, ItemView>((await viewItems(reader, { space: scope.space, collections: vault.collections }, records, 'whole')).map((view) => [view.id, view]))
  const results = rows.map(({ status, record, error }, index) => ({
    index,
    status,
    ...(record === undefined ? {} : { item: views.get(record.id) }),
    ...(error === undefined ? {} : { error: error.view(requestId) }),
  }))
  return { status: 200, body: JSON.stringify({ results }) }
}

function rowOf({ id }: Capture, outcome: Outcome): Row {
  const error = captureRefusal(outcome, id)
  if (error !== undefined) return { status: error.status, error }
  return { status: outcome.status === 'applied' ? 201 : 200, ...(outcome.record === undefined ? {} : { record: outcome.record }) }
}
