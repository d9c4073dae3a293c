import type { CompiledCollection } from '../app/compile-app.ts'
import type { Fields } from '../app/conflict-policy.ts'
import type { RuleOperation, StoredRecord } from '../app/rule.ts'
import { sameJson } from '../lib/json.ts'
import type { RejectionCode } from '../protocol/error-codes.ts'
import { joinRecords } from './join-records.ts'
import type { ConflictReason, Mutation, WriteContract } from './mutation.ts'

/** What the change log says about a stale base; read only when `isStale`. */
export interface StaleKnowledge {
  /** The record as the writer last saw it; undefined when the log no longer reaches back that far. */
  readonly base: Fields | undefined
  /** When and by which client the stored state was written: the writer's clock, clamped to the server's, in epoch milliseconds. */
  readonly storedAt: number
  readonly storedClient: string
  /** Who writes now. */
  readonly client: string
}

export interface DecideInput {
  readonly collection: CompiledCollection
  readonly stored: StoredRecord | undefined
  readonly mutation: Mutation
  readonly spaceVersion: number
  readonly now: number
  readonly knowledge: StaleKnowledge | undefined
}

/** `keep`: the stored record stays and the writer's side is kept beside it. */
export type Decision =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'write'; readonly operation: RuleOperation; readonly fields: Fields; readonly merged: 'no' | 'trivially' | 'joined' }
  | { readonly kind: 'keep' }
  | { readonly kind: 'conflict'; readonly reason: ConflictReason }
  | { readonly kind: 'reject'; readonly code: RejectionCode; readonly field?: string }

/** True when the writer has not seen what is stored, so that the change log must say what it did see. */
export function isStale(stored: StoredRecord | undefined, mutation: Mutation): boolean {
  return stored !== undefined && mutation.base !== 'any' && mutation.base < stored.version
}

/** Decides one mutation against the record as stored. Pure: the same inputs give the same outcome on server and client. */
export function decide(input: DecideInput): Decision {
  if (input.mutation.trusted === true) return decideWritable(input)
  const readOnly = changedServerField(input)
  if (readOnly !== undefined) return { kind: 'reject', code: 'field.read_only', field: readOnly }
  return decideWritable({ ...input, mutation: withoutServerFields(input.collection, input.mutation) })
}

function decideWritable(input: DecideInput): Decision {
  const { stored, mutation, spaceVersion } = input
  if (mutation.contract !== undefined) return decideByContract(input, mutation.contract)
  if (stored === undefined) return decideUnknown(mutation, spaceVersion, input.collection)
  if (isSame(input, stored)) return { kind: 'unchanged' }
  if (mutation.base !== 'any' && mutation.base > stored.version) return { kind: 'reject', code: 'base.ahead' }
  return isStale(stored, mutation) ? decideStale(input, stored) : decideFresh(stored, mutation)
}

function decideByContract({ collection, stored, mutation, spaceVersion, now }: DecideInput, contract: WriteContract): Decision {
  const decision = contract({ stored, mutation, now })
  switch (decision) {
    case 'unchanged':
    case 'keep':
      return { kind: decision }
    case 'stale':
    case 'deleted':
      return { kind: 'conflict', reason: decision }
    case 'ahead':
      return { kind: 'reject', code: 'base.ahead' }
    case 'missing':
      return { kind: 'reject', code: 'record.not_found' }
    case 'write':
      if (stored !== undefined) return decideFresh(stored, { ...mutation, base: stored.version })
      if (mutation.op === 'delete') return { kind: 'write', operation: 'delete', fields: { ...collection.blank, ...mutation.sent }, merged: 'no' }
      return decideUnknown({ ...mutation, base: 'any' }, spaceVersion, collection)
  }
}

function decideUnknown(mutation: Mutation, spaceVersion: number, collection: CompiledCollection): Decision {
  if (mutation.op === 'delete') return { kind: 'unchanged' }
  if (mutation.op === 'patch') return { kind: 'reject', code: 'record.not_found' }
  if (mutation.base === 'any' || mutation.base === 0) {
    return { kind: 'write', operation: 'create', fields: mutation.complete ?? { ...collection.blank, ...mutation.sent }, merged: 'no' }
  }
  // The writer saw a record whose tombstone has been purged since: an edit against an unseen delete.
  return mutation.base > spaceVersion ? { kind: 'reject', code: 'base.ahead' } : { kind: 'conflict', reason: 'deleted' }
}

function decideFresh(stored: StoredRecord, mutation: Mutation): Decision {
  if (mutation.op === 'delete') return { kind: 'write', operation: 'delete', fields: stored.fields, merged: 'no' }
  const fields = { ...stored.fields, ...mutation.sent }
  if (stored.deletedAt === null) return { kind: 'write', operation: 'update', fields, merged: 'no' }
  if (mutation.op === 'patch' && mutation.base === 'any') return { kind: 'reject', code: 'record.not_found' }
  return { kind: 'write', operation: 'restore', fields, merged: 'no' }
}

function decideStale(input: DecideInput, stored: StoredRecord): Decision {
  const { collection, mutation, now, knowledge } = input
  const reason: ConflictReason = stored.deletedAt !== null || mutation.op === 'delete' ? 'deleted' : 'stale'
  switch (mutation.policy?.({ stored, mutation, now }) ?? 'collection') {
    case 'client':
      return decideFresh(stored, { ...mutation, base: stored.version })
    case 'server':
      return { kind: 'keep' }
    case 'conflict':
      return { kind: 'conflict', reason }
    case 'collection':
      break
  }
  if (collection.conflict === 'lastWriteWins') {
    return knowledge !== undefined && isLater(mutation, now, knowledge) ? decideFresh(stored, { ...mutation, base: stored.version }) : { kind: 'keep' }
  }
  if (reason === 'deleted' || collection.conflict === 'reject' || knowledge?.base === undefined) return { kind: 'conflict', reason }
  return joinSides(collection, knowledge.base, stored, { ...knowledge.base, ...mutation.sent })
}

function joinSides(collection: CompiledCollection, base: Fields, stored: StoredRecord, client: Fields): Decision {
  const conflict = { kind: 'conflict', reason: 'stale' } as const
  if (typeof collection.conflict === 'function') {
    const joined = collection.conflict(base, stored.fields, client)
    return joined.kind === 'conflict' ? conflict : { kind: 'write', operation: 'update', fields: joined.value, merged: 'joined' }
  }
  const joined = joinRecords(collection, base, stored.fields, client)
  return joined.kind === 'conflict' ? conflict : { kind: 'write', operation: 'update', fields: joined.fields, merged: joined.trivial ? 'trivially' : 'joined' }
}

/** Last write wins by the writers' clocks, then by client; never by arrival. A clock ahead of the server's counts as now. */
function isLater(mutation: Mutation, now: number, knowledge: StaleKnowledge): boolean {
  const at = Math.min(mutation.at ?? now, now)
  return at === knowledge.storedAt ? knowledge.client > knowledge.storedClient : at > knowledge.storedAt
}

/** True when the write asks for what is there already: a replay, or the same edit twice. */
function isSame({ collection, mutation, knowledge }: DecideInput, stored: StoredRecord): boolean {
  if (mutation.op === 'delete') return stored.deletedAt !== null
  if (stored.deletedAt !== null) return false
  return Object.entries(mutation.sent).every(([name, value]) => {
    const policy = collection.fieldByName.get(name)?.policy
    if (policy === 'server') return true
    return sameJson(value, stored.fields[name] ?? null) && !(policy === 'counter' && countsOnce(mutation, knowledge) && !sameJson(value, knowledge?.base?.[name] ?? null))
  })
}

/** A numbered mutation is no replay when it is decided: where it counted from what it saw to what is there by now, somebody else has counted too. */
function countsOnce({ n }: Mutation, knowledge: StaleKnowledge | undefined): boolean {
  return n !== undefined && knowledge?.base !== undefined
}

/** A server field that the write would change; one that echoes what the writer once read does no harm. */
function changedServerField({ collection, stored, mutation, knowledge }: DecideInput): string | undefined {
  for (const { name, server } of collection.fields) {
    if (!server || !Object.hasOwn(mutation.sent, name)) continue
    const value = mutation.sent[name]
    const seen = [stored?.fields[name] ?? null, knowledge?.base?.[name], collection.blank[name]]
    if (!seen.some((known) => known !== undefined && sameJson(known, value))) return name
  }
  return undefined
}

/** An echo of a server field says nothing: what is stored now stays. */
function withoutServerFields(collection: CompiledCollection, mutation: Mutation): Mutation {
  const owned = collection.fields.filter(({ name, server }) => server && Object.hasOwn(mutation.sent, name))
  if (owned.length === 0) return mutation
  const names = new Set(owned.map(({ name }) => name))
  return { ...mutation, sent: Object.fromEntries(Object.entries(mutation.sent).filter(([name]) => !names.has(name))) }
}
