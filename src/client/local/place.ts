import type { CollectionInfo } from '../collection-info.ts'
import type { ClientChance } from '../ports.ts'
import type { Session } from '../session.ts'
import type { PlaceRow } from '../settings.ts'
import type { StoreReader, StoreWriter } from '../stores/store.ts'
import type { Partition } from './chains.ts'
import { contentOf } from '../outbox/enqueue.ts'
import { editRecords, type LocalEdit } from './edit-records.ts'
import { emptyTable } from './empty-table.ts'
import { keysOf } from './keys.ts'
import { writeSetting } from './settings-rows.ts'
import * as clientLimits from '../client-limits.ts'

/** Which data of which server a client works with. */
export interface PlaceAddress {
  readonly url: string
  readonly app: string
  readonly space: string | undefined
}

const PARTITION_ID_CHARS = 12

export async function readPlace(reader: StoreReader, address: PlaceAddress): Promise<PlaceRow | undefined> {
  const [row] = await reader.get('settings', [placeRowKey(address)])
  return row?.kind === 'place' ? row : undefined
}

export async function writePlace(writer: StoreWriter, address: PlaceAddress, place: PlaceRow): Promise<void> {
  await writer.put('settings', [{ key: placeRowKey(address), value: place }])
}

/** The place with the partition of `owner` in use; both are made when they are not there. */
export async function useOwner(writer: StoreWriter, address: PlaceAddress, owner: string | null, chance: ClientChance): Promise<PlaceRow> {
  const place = (await readPlace(writer, address)) ?? { kind: 'place', active: '', partitions: [] }
  const known = place.partitions.find((partition) => partition.owner === owner)
  if (known?.id === place.active) return place
  const id = known?.id ?? (await makePartition(writer, chance))
  const next: PlaceRow = { ...place, active: id, partitions: known === undefined ? [...place.partitions, { id, owner }] : place.partitions }
  await writePlace(writer, address, next)
  return next
}

export interface SignInDeps {
  readonly address: PlaceAddress
  readonly collections: ReadonlyMap<string, CollectionInfo>
  readonly chance: ClientChance
  readonly now: number
}

/** Makes the person who signed in the one who works here. What was written before anybody had signed in becomes theirs. */
export async function signInAt(writer: StoreWriter, { address, collections, chance, now }: SignInDeps, session: Session): Promise<PlaceRow> {
  const owner = session.user.id
  const place = await readPlace(writer, address)
  const nobodys = place?.partitions.find((partition) => partition.owner === null)
  const theirs = place?.partitions.find((partition) => partition.owner === owner)
  if (place !== undefined && nobodys !== undefined && theirs === undefined) {
    const next: PlaceRow = { ...place, active: nobodys.id, partitions: place.partitions.map((partition) => (partition === nobodys ? { ...partition, owner } : partition)), session }
    await writePlace(writer, address, next)
    return next
  }
  const used = await useOwner(writer, address, owner, chance)
  const next: PlaceRow = { ...used, session }
  await writePlace(writer, address, next)
  if (nobodys !== undefined) await moveEdits(writer, { id: nobodys.id, owner: null, collections }, { id: next.active, owner, collections }, now)
  return next
}

export function partitionOf(place: PlaceRow, collections: ReadonlyMap<string, CollectionInfo>): Partition {
  const active = place.partitions.find(({ id }) => id === place.active)
  return { id: place.active, owner: active?.owner ?? null, collections }
}

async function makePartition(writer: StoreWriter, chance: ClientChance): Promise<string> {
  // By chance, so that what a sync brings for a partition that was cleared finds no other under its id. Short, as it stands in each key.
  const id = chance.id().slice(-PARTITION_ID_CHARS)
  await writeSetting(writer, id, { kind: 'sync', clientId: chance.id(), version: 0, ladder: [], reload: 0 })
  return id
}

/** Writes unsent edits of one partition into another and empties the first. All that it holds is unsent. */
async function moveEdits(writer: StoreWriter, from: Partition, to: Partition, now: number): Promise<void> {
  for (;;) {
    const page = await writer.range('outbox', { ...keysOf(from.id), limit: clientLimits.PAGE })
    for (const { value: row } of page) {
      const edit: LocalEdit = { collection: row.collection, id: row.id, ...contentOf(row) }
      await editRecords(writer, to, [edit], { at: now, ...(row.group === undefined ? {} : { group: row.group }) })
    }
    await writer.remove(
      'outbox',
      page.map(({ key }) => key),
    )
    if (page.length < clientLimits.PAGE) break
  }
  await emptyTable(writer, 'records', from.id)
}

function placeRowKey({ url, app, space }: PlaceAddress): string {
  return `place:${encodeURIComponent(url)}|${app}|${space ?? ''}`
}
