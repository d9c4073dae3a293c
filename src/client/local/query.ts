import type { Fields } from '../../app/conflict-policy.ts'
import { sameJson, type JsonValue } from '../../lib/json.ts'
import * as clientLimits from '../client-limits.ts'
import type { CollectionInfo } from '../collection-info.ts'
import type { LocalRecord } from '../model.ts'
import type { StoreReader } from '../stores/store.ts'
import type { Partition } from './chains.ts'
import { keysOf, placeOf, recordKey } from './keys.ts'

/** A record as an app sees it. */
export interface Item<Data = Fields> {
  readonly id: string
  readonly data: Data
  /** `waiting`: an edit is not on the server yet. `conflict`: somebody must choose. */
  readonly sync: 'synced' | 'waiting' | 'conflict'
  /** The server's version that this device last heard of; 0 before the first. */
  readonly version: number
  /** When the server's state was written, by the server's clock in epoch milliseconds; null before the first. */
  readonly updatedAt: number | null
}

export interface Query<Data = Fields> {
  /** Fields that must be equal, or a test of the whole record. */
  readonly where?: Partial<Data> | ((data: Data) => boolean)
  /** A field, with `-` in front for descending order. By id when absent; equal ones are by id too. */
  readonly sort?: Extract<keyof Data, string> | `-${Extract<keyof Data, string>}`
  readonly offset?: number
  readonly limit?: number
}

function itemOf(id: string, record: LocalRecord | undefined, collection: CollectionInfo | undefined): Item | undefined {
  if (record === undefined || record.shown === null) return undefined
  const sync = record.conflict === true ? 'conflict' : record.pending === undefined ? 'synced' : 'waiting'
  return { id, data: wholeOf(record.shown, collection?.blank ?? {}), sync, version: record.version, updatedAt: record.origin?.updatedAt ?? null }
}

/** A record stored before a field was declared reads as one in which nobody has written the field. */
function wholeOf(stored: Fields, blank: Fields): Fields {
  return Object.keys(blank).every((name) => name in stored) ? stored : { ...structuredClone(blank), ...stored }
}

export async function getItem(reader: StoreReader, partition: Partition, collection: string, id: string): Promise<Item | undefined> {
  const [record] = await reader.get('records', [recordKey(partition.id, collection, id)])
  return itemOf(id, record, partition.collections.get(collection))
}

/** Reads a page of a collection in one transaction; the next one begins behind its last key. */
export type ReadPage = (after: string) => Promise<readonly { readonly key: string; readonly value: LocalRecord }[]>

export function pageReader(read: <Result>(work: (reader: StoreReader) => Promise<Result>) => Promise<Result>, partition: string, collection: string): ReadPage {
  const { before } = keysOf(partition, collection)
  return (after) => read((reader) => reader.range('records', { after, before, limit: clientLimits.PAGE }))
}

/** The records of a collection that a query names. Walks it page by page, so that writers are not held up. */
export async function listItems(readPage: ReadPage, partition: string, collection: CollectionInfo, query: Query): Promise<Item[]> {
  const { sort, offset = 0, limit = Number.POSITIVE_INFINITY } = query
  const enough = sort === undefined ? offset + limit : Number.POSITIVE_INFINITY
  const found: Item[] = []
  let after = keysOf(partition, collection.name).after
  for (;;) {
    const page = await readPage(after)
    for (const { key, value } of page) {
      const item = itemOf(placeOf(key).id, value, collection)
      if (item !== undefined && isWanted(query, item.data)) found.push(item)
      if (found.length >= enough) return found.slice(offset, offset + limit)
    }
    const last = page.at(-1)
    if (last === undefined || page.length < clientLimits.PAGE) break
    after = last.key
  }
  const sorted = sort === undefined ? found : found.toSorted(inOrderOf(sort))
  return sorted.slice(offset, offset + limit)
}

function isWanted({ where }: Query, data: Fields): boolean {
  if (where === undefined) return true
  if (typeof where === 'function') return where(data)
  return Object.entries(where).every(([name, value]) => sameJson(data[name] ?? null, value ?? null))
}

function inOrderOf(sort: string): (one: Item, other: Item) => number {
  const descending = sort.startsWith('-')
  const field = descending ? sort.slice(1) : sort
  return (one, other) => {
    const order = compare(one.data[field] ?? null, other.data[field] ?? null)
    return descending ? -order : order
  }
}

/** Null first, numbers by value, all else by its text. */
function compare(left: JsonValue, right: JsonValue): number {
  if (left === null || right === null) return left === right ? 0 : left === null ? -1 : 1
  if (typeof left === 'number' && typeof right === 'number') return left - right
  const [one, other] = [left, right].map((value) => (typeof value === 'string' ? value : JSON.stringify(value))) as [string, string]
  if (one === other) return 0
  return one < other ? -1 : 1
}
