import type { App } from '../app/define-app.ts'
import * as clientLimits from './client-limits.ts'
import { createCollectionWriter, type CollectionWriter, type DataOf, type InputOf } from './collection-client.ts'
import { NoRecordError, type LocalEdit } from './local/edit-records.ts'
import type { Partition } from './local/chains.ts'
import type { LocalData } from './local/local-data.ts'
import { getItem, type Item } from './local/query.ts'
import type { ClientChance } from './ports.ts'
import type { StoreReader } from './stores/store.ts'

/** The collections of an app inside a transaction, by name. */
export type Transaction<AnApp extends App> = {
  readonly [Name in keyof AnApp['collections']]: CollectionWriter<DataOf<AnApp['collections'][Name]>, InputOf<AnApp['collections'][Name]>>
}

/** What a function wants written, and what it had read before. */
export interface Gathered {
  readonly edits: readonly LocalEdit[]
  /** True when a record that it has read holds something else now. */
  isStale?(reader: StoreReader, partition: Partition): Promise<boolean>
}

/** Gathers what a function writes; it reads its own edits on top of what is stored. Nothing is written until it has ended well. */
export async function gatherEdits(data: LocalData, chance: ClientChance, work: (writers: Readonly<Record<string, CollectionWriter<never, never>>>) => Promise<void>): Promise<Gathered> {
  const edits: LocalEdit[] = []
  const reads: [collection: string, id: string, data: string | undefined][] = []
  const stored = (collection: string, id: string) => data.read((reader, partition) => getItem(reader, partition, collection, id))
  const edited = (collection: string, id: string, item: Item | undefined) => edits.filter((edit) => edit.collection === collection && edit.id === id).reduce(withEdit, item)
  const get = async (collection: string, id: string): Promise<Item | undefined> => {
    const item = await stored(collection, id)
    reads.push([collection, id, JSON.stringify(item?.data)])
    return edited(collection, id, item)
  }
  const writers = [...data.parts.collections].map(([name, collection]) => {
    const edit = async (made: LocalEdit): Promise<void> => {
      if (edits.length >= clientLimits.TRANSACTION_EDITS_MAX) throw new RangeError(`A transaction has at most ${clientLimits.TRANSACTION_EDITS_MAX} edits.`)
      if (made.op === 'patch' && edited(name, made.id, await stored(name, made.id)) === undefined) throw new NoRecordError(made)
      edits.push(made)
    }
    return [name, createCollectionWriter({ collection, chance, edit, get: (id) => get(name, id) })] as const
  })
  await work(Object.fromEntries(writers) as unknown as Readonly<Record<string, CollectionWriter<never, never>>>)
  return {
    edits,
    isStale: async (reader, partition) => {
      for (const [collection, id, before] of reads) if (before !== JSON.stringify((await getItem(reader, partition, collection, id))?.data)) return true
      return false
    },
  }
}

function withEdit(item: Item | undefined, { id, op, data }: LocalEdit): Item | undefined {
  if (op === 'delete') return undefined
  return { version: 0, updatedAt: null, ...item, id, data: op === 'put' ? { ...data } : { ...item?.data, ...data }, sync: 'waiting' }
}
