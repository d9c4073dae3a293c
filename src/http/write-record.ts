import type { FastifyRequest } from 'fastify'
import type { CompiledCollection } from '../app/compile-app.ts'
import type { Scope } from '../app/rule.ts'
import type { Mutation, Outcome } from '../engine/mutation.ts'
import { prepareMutations } from '../engine/prepare-mutations.ts'
import type { JsonValue } from '../lib/json.ts'
import { Problem } from '../protocol/problem.ts'
import type { WireMutation } from '../protocol/push.ts'
import type { CommitResult, StoredAnswer } from '../storage/commit-request.ts'
import type { HttpContext } from './http-context.ts'
import { idempotencyOf } from './idempotency.ts'
import { refusalOf, rejectionProblem, shownRecord, type StaleCode } from './record-answer.ts'
import { appOf } from './route-scope.ts'

/** Where a single write goes, and who writes. */
export interface Place {
  readonly scope: Scope
  readonly collection: CompiledCollection
}

/** The place that a path names. Whether the caller may write there is the commit's to say. */
export async function placeOf(context: HttpContext, request: FastifyRequest, params: { readonly app: string; readonly collection: string }): Promise<Place> {
  const scope = await context.scopeOf(request, params.app)
  const collection = appOf(context, params.app).collections.get(params.collection)
  if (collection === undefined) throw new Problem('not_found', { detail: `The app has no collection "${params.collection.slice(0, 64)}".` })
  return { scope, collection }
}

/** The write as a mutation. Throws `record.invalid` with the fields when its data is not valid. */
export function prepareWrite(context: HttpContext, { scope, collection }: Place, write: Pick<WireMutation, 'id' | 'op' | 'data'>): Mutation {
  const [mutation] = prepareMutations(appOf(context, scope.app), [{ ...write, collection: collection.name }], { numbered: false })
  if (mutation === undefined) throw new Error('A mutation was lost.')
  if ('unreadable' in mutation) throw rejectionProblem(mutation.unreadable, null)
  return mutation
}

export interface SingleWrite {
  readonly mutation: Mutation
  /** What an idempotency key stands for, besides method and address. */
  readonly body: JsonValue
  /** Status of a write that was carried out, as against one that changed nothing. */
  readonly doneStatus: 200 | 201 | 204
  readonly stale: StaleCode
}

export interface WriteAnswer extends StoredAnswer {
  readonly replayed: boolean
}

/** Commits one mutation and gives the answer, which an idempotency key keeps. Throws `Problem` for a refusal; nothing is stored then. */
export async function writeOne(context: HttpContext, request: FastifyRequest, place: Place, write: SingleWrite): Promise<WriteAnswer> {
  const answer = (result: CommitResult) => answerOf(place, write, result.outcomes[0])
  const idempotency = idempotencyOf(request, write.body, answer)
  const result = await context.commit(place.scope, { mutations: [write.mutation], keepRejected: false, keepConflicts: false, ...idempotency })
  if (result.replayed !== undefined) return { ...result.replayed, replayed: true }
  const [outcome] = result.outcomes
  if (outcome?.status === 'conflict' || outcome?.status === 'rejected') {
    throw refusalOf(outcome, outcome.record === undefined ? null : shownRecord(place.scope, place.collection, outcome.record), write.stale)
  }
  const given = answer(result)
  if (given === undefined) throw new Problem('not_found')
  return { ...given, replayed: false }
}

/** Undefined when the write was refused or there is no record: that had no effect and need not be kept. */
function answerOf({ scope, collection }: Place, { doneStatus }: SingleWrite, outcome: Outcome | undefined): StoredAnswer | undefined {
  if (outcome?.record === undefined || outcome.status === 'conflict' || outcome.status === 'rejected') return undefined
  if (doneStatus === 204) return { status: 204, body: '' }
  return { status: outcome.status === 'applied' ? doneStatus : 200, body: JSON.stringify(shownRecord(scope, collection, outcome.record)) }
}
