import type { Fields } from '../../app/conflict-policy.ts'
import type { OutboxRow } from '../model.ts'
import { again } from '../outbox/acknowledge.ts'
import { shownOf, type Chain } from '../outbox/chain.ts'
import { contentOf, enqueue, type Edit } from '../outbox/enqueue.ts'
import type { ChangedRecord } from '../ports.ts'
import type { StoreReader, StoreWriter } from '../stores/store.ts'
import { loadChains, saveChains, type ChangedChain, type Partition } from './chains.ts'
import { lastOfEach, placeKey } from './keys.ts'
import type { Item } from './query.ts'
import { NumberSource, readNumbers } from './settings-rows.ts'

/** What an app asks to be done to a record. */
export interface LocalEdit extends ChangedRecord {
  readonly op: 'put' | 'patch' | 'delete'
  readonly data?: Fields
  readonly seen?: Seen | undefined
}

/** A record as somebody had it before them, such as when they opened it in an editor. */
export type Seen = Pick<Item, 'version' | 'data'>

export interface EditOptions {
  readonly at: number
  /** All edits are one transaction. */
  readonly group?: string
}

/** There is no record to change. */
export class NoRecordError extends Error {
  override readonly name = 'NoRecordError'

  constructor({ collection, id }: ChangedRecord) {
    super(`There is no record "${id}" in ${collection} to change.`)
  }
}

/** Writes edits and what is to be sent of them. Answers the records that changed; an edit that changes nothing leaves no trace. */
export async function editRecords(writer: StoreWriter, partition: Partition, edits: readonly LocalEdit[], { at, group }: EditOptions): Promise<ChangedRecord[]> {
  const numbers = new NumberSource(await readNumbers(writer, partition.id))
  const before = new Map((await loadChains(writer, partition, lastOfEach(edits))).map((chain) => [placeKey({ collection: chain.collection.name, id: chain.id }), chain]))
  const after = new Map(before)
  for (const { op, data, seen, ...place } of edits) {
    const chain = after.get(placeKey(place))
    if (chain === undefined) throw new Error(`The app declares no collection "${place.collection}".`)
    const edit: Edit = {
      n: numbers.upcoming,
      ...contentOf({ op, data }),
      at,
      ...(group === undefined ? {} : { group }),
      owner: partition.owner,
      refersAhead: await refersAhead(writer, partition, chain, data, after),
    }
    const met = seen === undefined ? undefined : again(chain, { base: seen.version, baseFields: seen.data }, edit)
    if (met === undefined && op === 'patch' && shownOf(chain) === null) throw new NoRecordError(place)
    const next = met ?? enqueue(chain, edit)
    // A number is spent only on a row of its own, so that the server sees few gaps.
    if (next.rows.at(-1)?.n === edit.n) numbers.nextNumber()
    after.set(placeKey(place), next)
  }
  const changed = [...before].map(([key, chain]): ChangedChain => ({ before: chain, after: after.get(key) ?? chain }))
  const records = await saveChains(writer, partition, changed)
  await numbers.save(writer, partition.id)
  return records
}

/** True when an edit names a record whose first row would be sent after the row that the edit would join. */
async function refersAhead(reader: StoreReader, partition: Partition, { collection, rows }: Chain, data: Fields | undefined, chains: ReadonlyMap<string, Chain>): Promise<boolean> {
  const last = rows.at(-1)
  if (last === undefined || data === undefined) return false
  const named = collection.fields.flatMap(({ name, ref }) => {
    const id = data[name]
    return ref !== undefined && typeof id === 'string' ? [{ collection: ref, id }] : []
  })
  if (named.length === 0) return false
  const loaded = await loadChains(reader, partition, named)
  return loaded.some((stored) => {
    const target = chains.get(placeKey({ collection: stored.collection.name, id: stored.id })) ?? stored
    return target.rows.some((row: OutboxRow) => row.n > last.n)
  })
}
