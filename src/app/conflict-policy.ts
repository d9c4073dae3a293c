import type { JsonValue } from '../lib/json.ts'

export type Fields = Readonly<Record<string, JsonValue>>

/** What a function answers when it joined both sides, or that only a person can. */
export type Joined<Value> = { readonly kind: 'joined'; readonly value: Value } | { readonly kind: 'conflict' }

/** Joins one field that both sides changed. Pure: the same on server and client. */
export type FieldJoin = (base: JsonValue, server: JsonValue, client: JsonValue) => Joined<JsonValue>

/**
 * How one field joins when both sides changed it: `max`, `min`, `counter` (adds the client's difference),
 * `set` (arrays as sets: what either side added or removed), `server` (takes no part in merging) or a function.
 */
export type FieldPolicy = 'max' | 'min' | 'counter' | 'set' | 'server' | FieldJoin

/** Joins whole records: `base` is what the client started from, empty for a record it believed new. */
export type RecordJoin = (base: Fields, server: Fields, client: Fields) => Joined<Fields>

/**
 * What happens to an edit whose base is stale: `merge` by field (default), `reject` (always a conflict),
 * `lastWriteWins` (by `at`, then client id), or a function of both records.
 */
export type ConflictPolicy = 'merge' | 'reject' | 'lastWriteWins' | RecordJoin
