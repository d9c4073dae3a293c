import { hash } from 'node:crypto'
import type { Actor } from '../app/rule.ts'

/** Hash before the first entry of every change log. */
export const CHAIN_START = '0'.repeat(64)

/** One entry of a space's change log, as it is hashed. `changes` and `detail` are canonical JSON text. */
export interface ChainEntry {
  readonly seq: number
  /** Epoch milliseconds. */
  readonly at: number
  readonly actor: Actor
  /** `<collection>.<create|update|delete|restore>` or the name of an event. */
  readonly action: string
  readonly entity: string
  readonly entityId: string
  readonly version: number
  /** `{ field: [old, new] }`. */
  readonly changes: string
  readonly detail: string
  readonly requestId: string
}

/**
 * SHA-256, lower-case hex, of the entry's canonical JSON with the hash before it: an entry that is changed,
 * removed, added or swapped no longer fits what follows.
 */
export function chainHash(previousHash: string, entry: ChainEntry): string {
  return hash('sha256', entryText(previousHash, entry), 'hex')
}

/** Canonical JSON by hand: the members stand in the order of their UTF-16 code units. */
export function entryText(previousHash: string, entry: ChainEntry): string {
  const { actor } = entry
  const actorText = `{"id":${JSON.stringify(actor.id)},"name":${JSON.stringify(actor.name)},"type":"${actor.type}"}`
  return (
    `{"action":${JSON.stringify(entry.action)},"actor":${actorText},"at":"${new Date(entry.at).toISOString()}","changes":${entry.changes}` +
    `,"detail":${entry.detail},"entity":${JSON.stringify(entry.entity)},"entity_id":${JSON.stringify(entry.entityId)},"prev_hash":"${previousHash}"` +
    `,"request_id":${JSON.stringify(entry.requestId)},"seq":${entry.seq},"version":${entry.version}}`
  )
}
