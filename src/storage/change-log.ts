import type { CompiledCollection } from '../app/compile-app.ts'
import type { Fields } from '../app/conflict-policy.ts'
import type { Actor } from '../app/rule.ts'
import { chainHasher } from '../audit/chain.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import { sameJson } from '../lib/json.ts'
import type { SqlValue, Transactor } from './database.ts'

/** An entry before it has its place in the chain. `at` of the whole commit is given when it is appended. */
export interface PendingEntry {
  readonly version: number
  readonly action: string
  readonly entity: string
  readonly entityId: string
  readonly changes: string
  readonly detail: string
}

export interface AppendOptions {
  readonly space: number
  readonly actor: Actor
  readonly requestId: string
  /** Epoch milliseconds. */
  readonly at: number
}

export interface ChainHead {
  readonly seq: number
  readonly chainHash: string
}

const columns = ['space', 'version', 'seq', 'at', 'actor_type', 'actor_id', 'actor_name', 'action', 'entity', 'entity_id', 'changes', 'detail', 'request_id', 'hash'] as const

/** Appends entries behind the chain's head and returns the new head. The space must be locked. */
export async function appendEntries(tx: Transactor, head: ChainHead, entries: readonly PendingEntry[], options: AppendOptions): Promise<ChainHead> {
  const { space, actor, requestId, at } = options
  const hashOf = chainHasher({ at, actor, requestId })
  let { seq, chainHash: previousHash } = head
  const rows: SqlValue[][] = []
  for (const { version, action, entity, entityId, changes, detail } of entries) {
    seq += 1
    previousHash = hashOf(previousHash, { seq, version, action, entity, entityId, changes, detail })
    rows.push([space, version, seq, at, actor.type, actor.id, actor.name, action, entity, entityId, changes, detail, requestId, previousHash])
  }
  await tx.insertMany({ table: 'holdfast_changes', columns, rows })
  return { seq, chainHash: previousHash }
}

/** Canonical JSON of `{ field: [old, new] }` for the fields that differ. `before` undefined: all that is not null is new. */
export function changesText(collection: CompiledCollection, before: Fields | undefined, after: Fields): string {
  const members: string[] = []
  for (const { name, kind } of collection.sortedFields) {
    const old = before?.[name] ?? null
    const value = after[name] ?? null
    if (sameJson(old, value)) continue
    members.push(kind === 'json' ? `"${name}":[${canonicalJson(old)},${canonicalJson(value)}]` : `"${name}":[${JSON.stringify(old)},${JSON.stringify(value)}]`)
  }
  return `{${members.join(',')}}`
}

export interface EntryDetail {
  readonly at?: number | undefined
  readonly device?: string | undefined
  readonly label?: string | undefined
  /** Version of the same record's entry before this one. */
  readonly previous?: number | undefined
}

/** Canonical JSON of what a record's entry carries besides its fields: the members stand in the order of their names. */
export function detailText({ at, device, label, previous }: EntryDetail): string {
  const members: string[] = []
  if (at !== undefined) members.push(`"at":${at}`)
  if (device !== undefined) members.push(`"device":${JSON.stringify(device)}`)
  if (label !== undefined) members.push(`"label":${JSON.stringify(label)}`)
  if (previous !== undefined) members.push(`"previous":${previous}`)
  return `{${members.join(',')}}`
}
