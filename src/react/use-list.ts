import type { CollectionClient } from '../client/collection-client.ts'
import type { Item, Query } from '../client/local/query.ts'
import { sourceKey } from './source-key.ts'
import { useLive, type Live } from './use-live.ts'

/**
 * The records of a collection that a query names, and again whenever they change. A `where` that is a function is compared by
 * its text; when what it closes over changes, name that in `deps`.
 */
export function useList<Data, Input>(collection: CollectionClient<Data, Input>, query: Query<Data> = {}, deps: readonly unknown[] = []): Live<Item<Data>[]> {
  const where = typeof query.where === 'function' ? String(query.where) : query.where
  const key = JSON.stringify([sourceKey(collection), { ...query, where }, deps])
  return useLive(key, (listener, onError) => collection.watch(query, listener, onError))
}
