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
import { knowledgeOf } from './stale-knowledge.ts'

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
}

export interface DecideDeps {
  readonly reader: Reader
  readonly app: CompiledApp
  readonly rules: Readonly<Record<string, Rule>>
  readonly scope: Scope
  /** `<author>/<clientId or device>`. */
  readonly client: string
  readonly draft: CommitDraft
  readonly now: number
  /** What earlier mutations of the same push left the writer with, by collection and id. */
  readonly views: Map<string, View>
}

/** The writer's own picture of a record after an earlier mutation of the same push. */
interface View {
  readonly base: number | 'any'
  readonly fields: Fields
}

const rank: Readonly<Record<SpaceRole, number>> = { viewer: 0, editor: 1, owner: 2 }

/** Decides one mutation in the draft: access, engine, rule, references. Accepted writes are staged, with what the rule adds. */
export async function decideMutation(deps: DecideDeps, mutation: Mutation, depth = 0): Promise<Verdict> {
  const { app, draft, scope } = deps
  const collection = app.collections.get(mutation.collection)
  if (collection === undefined) return { kind: 'rejected', record: undefined, error: rejection('collection.unknown') }
  const stored = await draft.get(collection.name, mutation.id)
  if (!mayWrite(collection, mutation, scope)) return { kind: 'rejected', record: stored, error: rejection('access.forbidden') }
  const { effective, knowledge } = await seenBy(deps, collection, stored, mutation)
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
  const { stored, decision, knowledge } = decided
  const sides: Sides = { base: knowledge?.base, server: stored }
  switch (decision.kind) {
    case 'unchanged':
      return { kind: 'unchanged', record: stored }
    case 'keep':
      return stored === undefined ? { kind: 'unchanged', record: stored } : { kind: 'merged', record: stored, sides }
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
  if (invalid !== undefined) return refuse(rejection('record.invalid', invalid))
  const mark = deps.draft.mark()
  const ruled = await applyRule(deps, decided, decision)
  if (ruled.kind === 'refuse') return refuse({ code: ruled.code, message: ruled.message, ...(ruled.fields === undefined ? {} : { fields: ruled.fields.map((field) => ({ ...field })) }) })
  const fields = ruled.fields
  if (stored !== undefined && decision.operation === 'update' && collection.fields.every(({ name }) => sameJson(stored.fields[name] ?? null, fields[name] ?? null))) {
    return { kind: 'unchanged', record: stored }
  }
  const missing = await missingReference(deps, collection, stored, fields)
  if (missing !== undefined) return refuse(rejection('reference.not_found', [{ path: `data.${missing}`, message: 'There is no such record.' }]))
  const at = mutation.at === undefined ? undefined : Math.min(mutation.at, deps.now)
  const record = deps.draft.stage({ collection, id: mutation.id, operation: decision.operation, fields, at })
  const refused = await carryAlong(deps, ruled.also, depth)
  if (refused !== undefined) {
    deps.draft.rollback(mark)
    return refuse(refused)
  }
  if (mutation.trusted !== true) deps.views.set(viewKey(mutation), { base: mutation.base, fields: decision.merged === 'no' ? fields : { ...decided.knowledge?.base, ...mutation.sent } })
  if (decision.merged === 'no') return { kind: 'applied', record }
  return { kind: 'merged', record, sides: decision.merged === 'joined' ? sides : undefined }
}

/** Mutations that the rule adds; the first that is refused takes the whole write back. */
async function carryAlong(deps: DecideDeps, also: readonly RuleMutation[], depth: number): Promise<MutationError | undefined> {
  if (depth > 8 || also.length > limits.RULE_MUTATIONS_MAX) throw new Error('A rule added more mutations than the limit.')
  for (const added of also) {
    const { data, ...head } = added
    const verdict = await decideMutation(deps, { ...head, base: 'any', sent: data ?? {}, trusted: true }, depth + 1)
    if (verdict.kind === 'rejected') return verdict.error
  }
  return undefined
}

async function applyRule(deps: DecideDeps, { collection, stored, mutation }: Decided, decision: Extract<Decision, { kind: 'write' }>) {
  const rule = deps.rules[collection.name]
  if (rule === undefined) return { kind: 'accept' as const, fields: decision.fields, also: [] }
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
  return { kind: 'accept' as const, fields: outcome.fields === undefined ? decision.fields : { ...decision.fields, ...outcome.fields }, also: outcome.also ?? [] }
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
async function seenBy(deps: DecideDeps, collection: CompiledCollection, stored: StoredRecord | undefined, mutation: Mutation): Promise<{ effective: Mutation; knowledge: StaleKnowledge | undefined }> {
  if (stored === undefined || !isStale(stored, mutation)) return { effective: mutation, knowledge: undefined }
  const view = deps.views.get(viewKey(mutation))
  const knowledge = await knowledgeOf(deps, collection, stored, mutation)
  if (view === undefined || view.base !== mutation.base) return { effective: mutation, knowledge }
  const untouchedByOthers = collection.fields.every(({ name }) => sameJson(view.fields[name] ?? null, stored.fields[name] ?? null))
  return untouchedByOthers ? { effective: { ...mutation, base: stored.version }, knowledge: undefined } : { effective: mutation, knowledge: { ...knowledge, base: view.fields } }
}

async function missingReference(deps: DecideDeps, collection: CompiledCollection, stored: StoredRecord | undefined, fields: Fields): Promise<string | undefined> {
  for (const { name, ref } of collection.refs) {
    const id = fields[name]
    if (ref === undefined || typeof id !== 'string' || stored?.fields[name] === id) continue
    if ((await deps.draft.get(ref, id)) === undefined) return name
  }
  return undefined
}

function mayWrite(collection: CompiledCollection, mutation: Mutation, scope: Scope): boolean {
  if (mutation.trusted === true) return true
  const least = mutation.op === 'delete' ? collection.access.delete : collection.access.write
  return least !== 'nobody' && rank[scope.role] >= rank[least]
}

function viewKey(mutation: Mutation): string {
  return `${mutation.collection}/${mutation.id}`
}
