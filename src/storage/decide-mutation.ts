import type { CompiledApp, CompiledCollection } from '../app/compile-app.ts'
import type { SpaceRole } from '../app/collection.ts'
import type { Fields } from '../app/conflict-policy.ts'
import type { Rule, RuleMutation, Scope, StoredRecord } from '../app/rule.ts'
import { decide, isStale, type Decision, type StaleKnowledge } from '../engine/decide.ts'
import type { ConflictReason, Mutation } from '../engine/mutation.ts'
import { issueFields, rejection } from '../engine/prepare-mutations.ts'
import { sameJson } from '../lib/json.ts'
import { limits } from '../protocol/limits.ts'
import type { MutationError } from '../protocol/push.ts'
import type { CommitDraft } from './commit-draft.ts'
import type { Reader } from './database.ts'
import type { Lookback } from './lookback.ts'
import { otherRequests } from './other-requests.ts'
import { knowledgeOf, writersOf } from './stale-knowledge.ts'

/** What was decided for one mutation, before it is known whether its group stands. */
export type Verdict =
  | { readonly kind: 'applied'; readonly record: StoredRecord }
  | { readonly kind: 'unchanged'; readonly record: StoredRecord | undefined }
  | { readonly kind: 'merged'; readonly record: StoredRecord; readonly sides: Sides | undefined }
  | { readonly kind: 'conflict'; readonly record: StoredRecord | undefined; readonly reason: ConflictReason; readonly sides: Sides }
  | { readonly kind: 'rejected'; readonly record: StoredRecord | undefined; readonly error: MutationError }

/** Both sides of a join or conflict, kept until a person has seen them. */
export interface Sides {
  readonly base: Fields | undefined
  readonly server: StoredRecord | undefined
  /** True when the writer's side lost by a rule and nothing of it was taken. */
  readonly superseded?: true
}

export interface DecideDeps {
  readonly reader: Reader
  readonly app: CompiledApp
  readonly rules: Readonly<Record<string, Rule>>
  readonly scope: Scope
  /** `<author>/<clientId or device>`. */
  readonly client: string
  readonly draft: CommitDraft
  readonly lookback: Lookback
  readonly now: number
}

/** Mutations that a rule has added after which other requests have their turn; other writers still wait. */
const TURN_MUTATIONS = 256

const rank: Readonly<Record<SpaceRole, number>> = { viewer: 0, editor: 1, owner: 2 }

/** Decides one mutation in the draft: access, engine, rule, references. Accepted writes are staged, with what the rule adds. */
export async function decideMutation(deps: DecideDeps, mutation: Mutation, depth = 0): Promise<Verdict> {
  const { app, draft, scope } = deps
  const collection = app.collections.get(mutation.collection)
  if (collection === undefined) return { kind: 'rejected', record: undefined, error: rejection('collection.unknown') }
  const stored = await draft.get(collection.name, mutation.id)
  if (!mayWrite(collection, mutation, scope)) return { kind: 'rejected', record: stored, error: rejection('access.forbidden') }
  const { effective, knowledge } = stored !== undefined && isStale(stored, mutation) ? await seenBy(deps, collection, stored, mutation) : { effective: mutation, knowledge: undefined }
  const decision = decide({ collection, stored, mutation: effective, spaceVersion: draft.version, now: deps.now, knowledge })
  return carryOut(deps, { collection, stored, mutation, decision, knowledge }, depth)
}

interface Decided {
  readonly collection: CompiledCollection
  readonly stored: StoredRecord | undefined
  readonly mutation: Mutation
  readonly decision: Decision
  readonly knowledge: StaleKnowledge | undefined
}

async function carryOut(deps: DecideDeps, decided: Decided, depth: number): Promise<Verdict> {
  const { stored, mutation, decision, knowledge } = decided
  const sides: Sides = { base: knowledge?.base, server: stored }
  switch (decision.kind) {
    case 'unchanged':
      keepView(deps, mutation, afterSent(knowledge?.base, mutation))
      return { kind: 'unchanged', record: stored }
    case 'keep':
      return stored === undefined ? { kind: 'unchanged', record: stored } : { kind: 'merged', record: stored, sides: { ...sides, superseded: true } }
    case 'conflict':
      return { kind: 'conflict', record: stored, reason: decision.reason, sides }
    case 'reject':
      return { kind: 'rejected', record: stored, error: rejection(decision.code, decision.field === undefined ? undefined : [{ path: `data.${decision.field}`, message: 'Set by the server.' }]) }
    case 'write':
      return write(deps, decided, decision, sides, depth)
  }
}

async function write(deps: DecideDeps, decided: Decided, decision: Extract<Decision, { kind: 'write' }>, sides: Sides, depth: number): Promise<Verdict> {
  const { collection, stored, mutation } = decided
  const refuse = (error: MutationError): Verdict => ({ kind: 'rejected', record: stored, error })
  const invalid = validate(collection, decision, mutation)
  // Sides that are valid each, but not joined, are for a person to look at.
  if (invalid !== undefined && decision.merged !== 'no') return { kind: 'conflict', record: stored, reason: 'stale', sides }
  if (invalid !== undefined) return refuse(rejection('record.invalid', invalid))
  const mark = deps.draft.mark()
  const rule = deps.rules[collection.name]
  const ruled = rule === undefined ? { kind: 'accept' as const, fields: decision.fields, also: [], jobs: [], stops: [] } : await applyRule(deps, rule, decided, decision)
  if (ruled.kind === 'refuse') return refuse({ code: ruled.code, message: ruled.message, ...(ruled.fields === undefined ? {} : { fields: ruled.fields.map((field) => ({ ...field })) }) })
  const fields = ruled.fields
  if (stored !== undefined && decision.operation === 'update' && collection.fields.every(({ name }) => sameJson(stored.fields[name] ?? null, fields[name] ?? null))) {
    keepView(deps, mutation, afterSent(sides.base, mutation))
    return { kind: 'unchanged', record: stored }
  }
  const missing = collection.refs.length === 0 ? undefined : await missingReference(deps, collection, stored, fields)
  if (missing !== undefined) return refuse(rejection('reference.not_found', [{ path: `data.${missing}`, message: 'There is no such record.' }]))
  const at = mutation.at === undefined ? undefined : Math.min(mutation.at, deps.now)
  const record = deps.draft.stage({ collection, id: mutation.id, operation: decision.operation, fields, at })
  deps.draft.jobs.push(...ruled.jobs)
  deps.draft.stops.push(...ruled.stops)
  const refused = ruled.also.length === 0 ? undefined : await carryAlong(deps, ruled.also, depth)
  if (refused !== undefined) {
    deps.draft.rollback(mark)
    return refuse(refused)
  }
  keepView(deps, mutation, decision.merged === 'no' ? fields : afterSent(sides.base ?? {}, mutation))
  if (decision.merged === 'no') return { kind: 'applied', record }
  return { kind: 'merged', record, sides: decision.merged === 'joined' ? sides : undefined }
}

/** Mutations that the rule adds; the first that is refused takes the whole write back. */
async function carryAlong(deps: DecideDeps, also: readonly RuleMutation[], depth: number): Promise<MutationError | undefined> {
  if (depth > 8 || also.length > limits.RULE_MUTATIONS_MAX) throw new Error('A rule added more mutations than the limit.')
  for (const [index, added] of also.entries()) {
    if (index % TURN_MUTATIONS === TURN_MUTATIONS - 1) await otherRequests()
    const { data, ...head } = added
    const verdict = await decideMutation(deps, { ...head, base: 'any', sent: data ?? {}, trusted: true }, depth + 1)
    if (verdict.kind === 'rejected') return verdict.error
  }
  return undefined
}

async function applyRule(deps: DecideDeps, rule: Rule, { stored, mutation }: Decided, decision: Extract<Decision, { kind: 'write' }>) {
  const outcome = await rule({
    operation: decision.operation,
    id: mutation.id,
    stored,
    next: decision.fields,
    sent: mutation.sent,
    context: mutation.context,
    scope: deps.scope,
    now: deps.now,
    reader: deps.draft,
  })
  if (outcome.kind === 'refuse') return outcome
  return {
    kind: 'accept' as const,
    fields: outcome.fields === undefined ? decision.fields : { ...decision.fields, ...outcome.fields },
    also: outcome.also ?? [],
    jobs: outcome.jobs ?? [],
    stops: outcome.stops ?? [],
  }
}

/** A create that was not complete by itself, and an update of fields that are checked against each other, are validated as a whole. */
function validate(collection: CompiledCollection, decision: Extract<Decision, { kind: 'write' }>, mutation: Mutation): MutationError['fields'] {
  const wasChecked = decision.operation === 'create' ? mutation.complete !== undefined : decision.operation === 'delete' || !collection.checksWhole
  if (wasChecked && decision.merged === 'no') return undefined
  // What was not sent is left out, so that a required field is named as missing and not as null.
  const record = decision.operation === 'create' ? mutation.sent : decision.fields
  const parsed = collection.schema.safeParse(record)
  return parsed.success ? undefined : issueFields(parsed.error, ['data'])
}

/** The base as the writer means it: what it saw, or what its own earlier mutation in this push made. */
async function seenBy(deps: DecideDeps, collection: CompiledCollection, stored: StoredRecord, mutation: Mutation): Promise<{ effective: Mutation; knowledge: StaleKnowledge | undefined }> {
  const view = deps.draft.viewOf(collection.name, mutation.id)
  if (view === undefined || view.base !== mutation.base) return { effective: mutation, knowledge: await knowledgeOf(deps, collection, stored, mutation) }
  const untouchedByOthers = view.deleted === (stored.deletedAt !== null) && collection.fields.every(({ name }) => sameJson(view.fields[name] ?? null, stored.fields[name] ?? null))
  if (untouchedByOthers) return { effective: { ...mutation, base: stored.version }, knowledge: undefined }
  return { effective: mutation, knowledge: { base: view.fields, ...(await writersOf(deps, collection, stored)) } }
}

/** Lets later mutations of the push build on one that had been accepted before. */
export async function buildOn(deps: DecideDeps, mutation: Mutation): Promise<void> {
  const collection = deps.app.collections.get(mutation.collection)
  const stored = collection === undefined ? undefined : await deps.draft.get(collection.name, mutation.id)
  if (collection === undefined || stored === undefined || !isStale(stored, mutation)) return
  const { knowledge } = await seenBy(deps, collection, stored, mutation)
  keepView(deps, mutation, afterSent(knowledge === undefined ? stored.fields : knowledge.base, mutation))
}

/** `fields` is the record as its writer knows it after the mutation; undefined where that is not known or makes no difference. */
function keepView({ draft }: DecideDeps, { collection, id, op, base, trusted }: Mutation, fields: Fields | undefined): void {
  if (trusted !== true && fields !== undefined) draft.keepView(collection, id, { base, fields, deleted: op === 'delete' })
}

function afterSent(seen: Fields | undefined, { sent }: Mutation): Fields | undefined {
  return seen === undefined ? undefined : { ...seen, ...sent }
}

async function missingReference(deps: DecideDeps, collection: CompiledCollection, stored: StoredRecord | undefined, fields: Fields): Promise<string | undefined> {
  for (const { name, ref } of collection.refs) {
    const id = fields[name]
    if (ref === undefined || typeof id !== 'string' || stored?.fields[name] === id) continue
    if ((await deps.draft.get(ref, id)) === undefined) return name
  }
  return undefined
}

/** Whether the role may do this to records of the collection at all, whatever they hold. */
export function mayWrite(collection: CompiledCollection, mutation: Mutation, scope: Scope): boolean {
  if (mutation.trusted === true) return true
  const least = mutation.op === 'delete' ? collection.access.delete : collection.access.write
  return least !== 'nobody' && rank[scope.role] >= rank[least]
}
