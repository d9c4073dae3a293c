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

/** What the entries of one commit have in common. */
export type ChainCommon = Pick<ChainEntry, 'at' | 'actor' | 'requestId'>
export type ChainOwn = Omit<ChainEntry, keyof ChainCommon>

/**
 * SHA-256, lower-case hex, of the entry's canonical JSON with the hash before it: an entry that is changed,
 * removed, added or swapped no longer fits what follows.
 */
export function chainHash(previousHash: string, entry: ChainEntry): string {
  return chainHasher(entry)(previousHash, entry)
}

/** The same for the entries of one commit: what they have in common is written once. */
export function chainHasher(common: ChainCommon): (previousHash: string, own: ChainOwn) => string {
  const write = entryWriter(common)
  return (previousHash, own) => hash('sha256', write(previousHash, own), 'hex')
}

/** Canonical JSON by hand: the members stand in the order of their UTF-16 code units. */
export function entryWriter({ actor, at, requestId }: ChainCommon): (previousHash: string, own: ChainOwn) => string {
  const who = `,"actor":{"id":${JSON.stringify(actor.id)},"name":${JSON.stringify(actor.name)},"type":"${actor.type}"},"at":"${new Date(at).toISOString()}","changes":`
  const request = `","request_id":${JSON.stringify(requestId)},"seq":`
  return (previousHash, own) =>
    `{"action":${JSON.stringify(own.action)}${who}${own.changes},"detail":${own.detail},"entity":${JSON.stringify(own.entity)}` +
    `,"entity_id":${JSON.stringify(own.entityId)},"prev_hash":"${previousHash}${request}${own.seq},"version":${own.version}}`
}
