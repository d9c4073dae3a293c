import type { FieldPolicy, Fields, Joined } from '../app/conflict-policy.ts'
import type { CompiledField } from '../app/compile-app.ts'
import { sameJson, type JsonValue } from '../lib/json.ts'

/** `trivial`: the sides changed different fields, so nobody's words were joined with another's. */
export type JoinedRecords = { readonly kind: 'joined'; readonly fields: Fields; readonly trivial: boolean } | { readonly kind: 'conflict' }

/** What joining must know of a collection: light enough for a client. */
export interface JoinableCollection {
  readonly fields: readonly Pick<CompiledField, 'name' | 'policy'>[]
}

/** Joins two records that grew from `base`, field by field. Pure: the same on server and client. */
export function joinRecords(collection: JoinableCollection, base: Fields, server: Fields, client: Fields): JoinedRecords {
  const fields: Record<string, JsonValue> = {}
  let trivial = true
  for (const { name, policy } of collection.fields) {
    const before = base[name] ?? null
    const theirs = server[name] ?? null
    const mine = client[name] ?? null
    // Two who count to the same number have counted twice.
    if (policy === 'server' || sameJson(mine, before) || (policy !== 'counter' && sameJson(mine, theirs))) fields[name] = theirs
    else if (sameJson(theirs, before)) fields[name] = mine
    else {
      const joined = joinField(policy, before, theirs, mine)
      if (joined.kind === 'conflict') return joined
      fields[name] = joined.value
      trivial = false
    }
  }
  return { kind: 'joined', fields, trivial }
}

/** Joins one field that both sides changed to different values. */
export function joinField(policy: FieldPolicy | undefined, base: JsonValue, server: JsonValue, client: JsonValue): Joined<JsonValue> {
  if (policy === undefined) return { kind: 'conflict' }
  if (typeof policy === 'function') return policy(base, server, client)
  switch (policy) {
    case 'server':
      return { kind: 'joined', value: server }
    case 'max':
      return { kind: 'joined', value: inOrder(server, client) ? client : server }
    case 'min':
      return { kind: 'joined', value: inOrder(server, client) ? server : client }
    case 'counter':
      return { kind: 'joined', value: asNumber(server) + asNumber(client) - asNumber(base) }
    case 'set':
      return { kind: 'joined', value: joinSets(asArray(base), asArray(server), asArray(client)) }
  }
}

/** True when `left` comes before `right`. Null comes first, numbers by value, all else by its JSON text. */
function inOrder(left: JsonValue, right: JsonValue): boolean {
  if (left === null || right === null) return left === null
  if (typeof left === 'number' && typeof right === 'number') return left < right
  return JSON.stringify(left) < JSON.stringify(right)
}

function asNumber(value: JsonValue): number {
  return typeof value === 'number' ? value : 0
}

function asArray(value: JsonValue): readonly JsonValue[] {
  return Array.isArray(value) ? value : []
}

/** The server's members without what the client took out, followed by what the client put in, each once. */
function joinSets(base: readonly JsonValue[], server: readonly JsonValue[], client: readonly JsonValue[]): JsonValue[] {
  const key = (item: JsonValue) => JSON.stringify(item)
  const inBase = new Set(base.map(key))
  const inClient = new Set(client.map(key))
  const kept = server.filter((item) => inClient.has(key(item)) || !inBase.has(key(item)))
  const seen = new Set(kept.map(key))
  const added = client.filter((item) => !inBase.has(key(item)) && !seen.has(key(item)))
  return [...kept, ...added]
}
