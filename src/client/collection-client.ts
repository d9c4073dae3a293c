import type { z } from 'zod'
import type { Collection } from '../app/collection.ts'
import type { Fields } from '../app/conflict-policy.ts'
import { checkId, checkPart, checkWhole } from './check-edit.ts'
import type { CollectionInfo } from './collection-info.ts'
import { newestOf } from './live/observable.ts'
import type { LocalEdit, Seen } from './local/edit-records.ts'
import type { LocalData } from './local/local-data.ts'
import { getItem, listItems, pageReader, type Item, type Query } from './local/query.ts'
import type { ClientChance } from './ports.ts'

type SchemaOf<Declared> = Declared extends { readonly plain: infer Plain } ? Plain : Declared extends Collection ? Declared['schema'] : never

/** A record of a collection as the app reads it. */
export type DataOf<Declared> = SchemaOf<Declared> extends z.ZodType<infer Data> ? Data : never

/** A record of a collection as the app writes it: fields with defaults may be left out. */
export type InputOf<Declared> = SchemaOf<Declared> extends z.ZodType ? z.input<SchemaOf<Declared>> : never

/** What can be done to a collection inside a transaction. */
export interface CollectionWriter<Data, Input> {
  /** Writes a whole record under an id of its own, which it answers. */
  add(data: Input): Promise<string>
  /** Writes a whole record. With `seen`, the record as its writer had it before them, what was written since is met and not overwritten. */
  put(id: string, data: Input, seen?: Seen): Promise<void>
  /** Changes some fields of a record; null clears one. `seen` as for `put`. */
  patch(id: string, data: Partial<Input>, seen?: Seen): Promise<void>
  /** `seen` as for `put`. */
  delete(id: string, seen?: Seen): Promise<void>
  get(id: string): Promise<Item<Data> | undefined>
}

/** The records of a collection on this device: read and written at once, online or not. */
export interface CollectionClient<Data = Fields, Input = Fields> extends CollectionWriter<Data, Input> {
  readonly name: string
  list(query?: Query<Data>): Promise<Item<Data>[]>
  /** Calls with the records and again whenever they have changed. Returns how to stop. */
  watch(query: Query<Data>, listener: (items: Item<Data>[]) => void, onError?: (error: unknown) => void): () => void
  /** Calls with one record and again whenever it has changed. Returns how to stop. */
  watch(id: string, listener: (item: Item<Data> | undefined) => void, onError?: (error: unknown) => void): () => void
  /** The records, and again whenever they have changed; a slow reader skips to the newest. Throws where they cannot be read. */
  watch(query?: Query<Data>): AsyncIterableIterator<Item<Data>[]>
  watch(id: string): AsyncIterableIterator<Item<Data> | undefined>
}

export interface CollectionParts {
  readonly data: LocalData
  readonly collection: CollectionInfo
  readonly chance: ClientChance
  /** Writes one edit. */
  edit(edit: LocalEdit): Promise<unknown>
}

export function createCollectionClient(parts: CollectionParts): CollectionClient {
  const { data, collection } = parts
  const { name } = collection
  const get = (id: string) => data.read((reader, partition) => getItem(reader, partition, name, id))
  const list = async (query: Query = {}) => {
    const partition = await data.read(async (_reader, { id }) => id)
    return listItems(
      pageReader((work) => data.parts.store.read(work), partition, name),
      partition,
      collection,
      query,
    )
  }
  function watch(what: string | Query = {}, listener?: (value: unknown) => void, onError?: (error: unknown) => void): unknown {
    const isOne = typeof what === 'string'
    const start = (hear: (value: unknown) => void, fail?: (error: unknown) => void) =>
      data.watch<unknown>(
        () => (isOne ? get(what) : list(what)),
        (records) => records === 'all' || records.some((record) => record.collection === name && (!isOne || record.id === what)),
        hear,
        fail,
      )
    return listener === undefined ? newestOf(start) : start(listener, onError)
  }
  return { name, ...createCollectionWriter({ ...parts, get }), list, watch: watch as CollectionClient['watch'] }
}

/** Checks what an app writes and hands it on. */
export function createCollectionWriter({
  collection,
  chance,
  edit,
  get,
}: Pick<CollectionParts, 'collection' | 'chance' | 'edit'> & { get(id: string): Promise<Item | undefined> }): CollectionWriter<Fields, Fields> {
  const { name } = collection
  const put = async (id: string, data: Fields, seen?: Seen) => {
    checkId(collection, id)
    await edit({ collection: name, id, op: 'put', data: checkWhole(collection, data), seen })
  }
  return {
    add: async (data) => {
      const id = collection.singleton ?? chance.id()
      await put(id, data)
      return id
    },
    put,
    patch: async (id, data, seen) => {
      checkId(collection, id)
      await edit({ collection: name, id, op: 'patch', data: checkPart(collection, data), seen })
    },
    delete: async (id, seen) => {
      checkId(collection, id)
      await edit({ collection: name, id, op: 'delete', seen })
    },
    get,
  }
}
