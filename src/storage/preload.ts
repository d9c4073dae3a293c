import type { CompiledApp, CompiledCollection } from '../app/compile-app.ts'
import type { Mutation, PreparedMutation } from '../engine/mutation.ts'
import { limits } from '../protocol/limits.ts'
import { Problem } from '../protocol/problem.ts'
import type { CommitDraft } from './commit-draft.ts'
import type { Reader } from './database.ts'
import { recordSizes } from './read-records.ts'

/** Mutations up to this many are taken whatever they name: records have their own limit. */
const UNWEIGHED_MAX = 8

export interface ToPreload {
  readonly app: CompiledApp
  readonly space: number
  readonly mutations: readonly PreparedMutation[]
  /** The answer may show the records, as that of a push does. */
  readonly shown: boolean
}

/**
 * Reads all records that the mutations name, and those they refer to, in one statement per collection. Throws `batch.too_large`
 * when an answer that shows them would be larger than a client, or this process, can hold: then smaller parts are sent.
 */
export async function preload(reader: Reader, draft: CommitDraft, { app, space, mutations, shown }: ToPreload): Promise<void> {
  const named = Map.groupBy(
    mutations.filter((mutation): mutation is Mutation => !('unreadable' in mutation)),
    ({ collection }) => collection,
  )
  if (shown && mutations.length > UNWEIGHED_MAX) await weigh(reader, { app, space, named })
  for (const [name, ids] of idsByCollection(app, named)) {
    const collection = app.collections.get(name)
    if (collection !== undefined) await draft.load(collection, ids)
  }
}

type Named = ReadonlyMap<string, readonly Mutation[]>

/** A record that several mutations name may be shown by each of them. */
async function weigh(reader: Reader, { app, space, named }: { readonly app: CompiledApp; readonly space: number; readonly named: Named }): Promise<void> {
  let bytes = 0
  for (const [name, mutations] of named) {
    const collection = app.collections.get(name)
    if (collection === undefined || !hasTexts(collection)) continue
    const sizes = await recordSizes(reader, collection, space, [...new Set(mutations.map(({ id }) => id))])
    bytes += mutations.reduce((sum, { id }) => sum + (sizes.get(id) ?? 0), 0)
    if (bytes > limits.PUSH_RECORD_BYTES_MAX) throw new Problem('batch.too_large', { detail: 'The records that the push names are too large for one answer.' })
  }
}

function hasTexts({ fields }: CompiledCollection): boolean {
  return fields.some(({ kind }) => kind === 'text' || kind === 'json')
}

function idsByCollection(app: CompiledApp, named: Named): ReadonlyMap<string, Set<string>> {
  const ids = new Map<string, Set<string>>()
  const add = (collection: string, id: string) => {
    const known = ids.get(collection)
    if (known === undefined) ids.set(collection, new Set([id]))
    else known.add(id)
  }
  for (const [name, mutations] of named) {
    const refs = app.collections.get(name)?.refs ?? []
    for (const { id, sent } of mutations) {
      add(name, id)
      for (const { name: field, ref } of refs) {
        const target = sent[field]
        if (ref !== undefined && typeof target === 'string') add(ref, target)
      }
    }
  }
  return ids
}
