import type { CollectionInfo } from '../collection-info.ts'
import { chainOf, recordOf, type Chain } from '../outbox/chain.ts'
import type { ChangedRecord } from '../ports.ts'
import type { StoreReader, StoreWriter, TableName, Tables } from '../stores/store.ts'
import { numberKey, recordKey } from './keys.ts'
import { NumberSource, readNumbers } from './settings-rows.ts'

/** The part of a store that belongs to one principal, with what is known of the app. */
export interface Partition {
  readonly id: string
  readonly owner: string | null
  readonly collections: ReadonlyMap<string, CollectionInfo>
}

/** Reads records with their edits and conflicts, in the order asked for. A collection that the app does not declare is left out. */
export async function loadChains(reader: StoreReader, { id: partition, collections }: Partition, wanted: readonly ChangedRecord[]): Promise<Chain[]> {
  const known = wanted.filter(({ collection }) => collections.has(collection))
  const keys = known.map(({ collection, id }) => recordKey(partition, collection, id))
  const records = await reader.get('records', keys)
  const numbers = records.flatMap((record) => record?.pending ?? [])
  const rows =
    numbers.length === 0
      ? []
      : await reader.get(
          'outbox',
          numbers.map((n) => numberKey(partition, n)),
        )
  const rowByNumber = new Map(rows.flatMap((row) => (row === undefined ? [] : [[row.n, row] as const])))
  const conflictKeys = keys.filter((_key, index) => records[index]?.conflict === true)
  const conflicts = conflictKeys.length === 0 ? [] : await reader.get('conflicts', conflictKeys)
  const conflictByKey = new Map(conflictKeys.map((key, index) => [key, conflicts[index]]))
  return known.map(({ collection, id }, index) => {
    const record = records[index]
    return chainOf(collections.get(collection) as CollectionInfo, id, {
      record,
      rows: (record?.pending ?? []).flatMap((n) => rowByNumber.get(n) ?? []),
      conflict: conflictByKey.get(keys[index] ?? ''),
    })
  })
}

export interface ChangedChain {
  readonly before: Chain
  readonly after: Chain
}

/** Stores what has changed of some chains, and nothing else. Answers the records that changed. */
export async function saveChains(writer: StoreWriter, partition: Partition, changed: readonly ChangedChain[]): Promise<ChangedRecord[]> {
  const draft = new StoreDraft()
  const records: ChangedRecord[] = []
  for (const { before, after } of changed) {
    if (before === after) continue
    const place = { collection: after.collection.name, id: after.id }
    const key = recordKey(partition.id, place.collection, place.id)
    records.push(place)
    draft.set('records', key, recordOf(after))
    const kept = new Map(after.rows.map((row) => [row.n, row]))
    const known = new Map(before.rows.map((row) => [row.n, row]))
    for (const { n } of before.rows) if (!kept.has(n)) draft.set('outbox', numberKey(partition.id, n), undefined)
    for (const row of after.rows) if (known.get(row.n) !== row) draft.set('outbox', numberKey(partition.id, row.n), row)
    if (before.conflict !== after.conflict) draft.set('conflicts', key, after.conflict)
  }
  await draft.save(writer)
  return records
}

export type Change = (chain: Chain, index: number, nextNumber: () => number) => Chain

/** Changes chains one after the other, of which several may be of one record, and gives further edits their numbers. */
export async function changeChains(writer: StoreWriter, partition: Partition, chains: readonly Chain[], change: Change): Promise<ChangedRecord[]> {
  const numbers = new NumberSource(await readNumbers(writer, partition.id))
  const changed = new Map<string, ChangedChain>()
  for (const [index, chain] of chains.entries()) {
    const key = `${chain.collection.name}/${chain.id}`
    const { before, after } = changed.get(key) ?? { before: chain, after: chain }
    changed.set(key, { before, after: change(after, index, numbers.nextNumber) })
  }
  const records = await saveChains(writer, partition, [...changed.values()])
  await numbers.save(writer, partition.id)
  return records
}

/** Puts and removals, gathered so that each table is written once. */
export class StoreDraft {
  readonly #changes = new Map<TableName, Map<string, Tables[TableName] | undefined>>()

  /** Undefined removes the entry. */
  set<Name extends TableName>(table: Name, key: string, value: Tables[Name] | undefined): void {
    const changes = this.#changes.get(table) ?? new Map<string, Tables[TableName] | undefined>()
    this.#changes.set(table, changes.set(key, value))
  }

  async save(writer: StoreWriter): Promise<void> {
    for (const [table, changes] of this.#changes) {
      const entries = [...changes]
      const put = entries.flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]))
      const removed = entries.filter(([, value]) => value === undefined).map(([key]) => key)
      if (put.length > 0) await writer.put(table, put)
      if (removed.length > 0) await writer.remove(table, removed)
    }
  }
}
