import type { CollectionClient } from '../client/collection-client.ts'
import type { Item } from '../client/local/query.ts'
import { sourceKey } from './source-key.ts'
import { useLive, type Live } from './use-live.ts'

/** One record as this device has it, and again whenever it changes; `value` is undefined when there is none. */
export function useRecord<Data, Input>(collection: CollectionClient<Data, Input>, id: string): Live<Item<Data> | undefined> {
  return useLive(`${sourceKey(collection)}/${id}`, (listener, onError) => collection.watch(id, listener, onError))
}
