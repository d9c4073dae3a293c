import type { OutboxRow } from '../model.ts'
import type { CollectionInfo } from '../collection-info.ts'
import { keysOf, placeKey } from '../local/keys.ts'
import * as clientLimits from '../client-limits.ts'
import type { StoreReader } from '../stores/store.ts'
import { isWaiting } from './failure.ts'

export interface BatchOptions {
  readonly partition: string
  /** Who acts: nobody else's edits are sent. */
  readonly owner: string | null
  readonly now: number
  readonly rowsMax: number
  readonly bytesMax: number
  /** False for a collection whose records cannot be sent yet. */
  mayPush(collection: string): boolean
  readonly collections: ReadonlyMap<string, CollectionInfo>
  /** Hears when an edit that is parked may be tried again, epoch milliseconds. */
  parked(retryAt: number): void
}

/**
 * The next edits to send, oldest first: at most one per record, so that the next one is built on the answer; a transaction whole
 * or not at all; what is parked, or stands behind something parked, waits. At least one edit, whatever its size.
 */
export async function chooseBatch(reader: StoreReader, options: BatchOptions): Promise<OutboxRow[]> {
  const { partition, rowsMax, bytesMax } = options
  const chosen: OutboxRow[] = []
  const seen = new Set<string>()
  let bytes = 0
  for await (const unit of unitsOf(reader, partition)) {
    const places = unit.map(placeKey)
    const waits = unit.some((row) => isParked(row, options)) || places.some((place) => seen.has(place))
    const dependsOnWaiting = refersTo(unit, options.collections, (place) => seen.has(place) && !chosen.some((row) => placeKey(row) === place))
    for (const place of places) seen.add(place)
    if (waits || dependsOnWaiting) continue
    const size = unit.reduce((sum, row) => sum + sizeOf(row), 0)
    if (chosen.length > 0 && (chosen.length + unit.length > rowsMax || bytes + size > bytesMax)) break
    chosen.push(...unit)
    bytes += size
  }
  return chosen
}

/** Rows in order; those of one transaction together. */
async function* unitsOf(reader: StoreReader, partition: string): AsyncGenerator<OutboxRow[]> {
  const keys = keysOf(partition)
  let unit: OutboxRow[] = []
  // Few at first: large ones fill a batch soon, and what is read for nothing takes room.
  for (let after = keys.after, limit = FIRST_PAGE; ; limit = Math.min(limit * 2, clientLimits.PAGE)) {
    const page = await reader.range('outbox', { ...keys, after, limit })
    for (const { value: row } of page) {
      const [first] = unit
      if (first !== undefined && (first.group === undefined || first.group !== row.group)) {
        yield unit
        unit = []
      }
      unit.push(row)
    }
    const last = page.at(-1)
    if (last === undefined || page.length < limit) break
    after = last.key
  }
  if (unit.length > 0) yield unit
}

function isParked(row: OutboxRow, { now, owner, mayPush, parked }: BatchOptions): boolean {
  if (row.retryAt !== undefined && isWaiting({ until: row.retryAt, now })) {
    parked(row.retryAt)
    return true
  }
  // An edit that was made before anybody had signed in belongs to whom the partition was given to.
  return (row.owner !== null && row.owner !== owner) || !mayPush(row.collection)
}

/** True when an edit refers to a record that itself waits: the server would refuse it. */
function refersTo(unit: readonly OutboxRow[], collections: ReadonlyMap<string, CollectionInfo>, waits: (place: string) => boolean): boolean {
  return unit.some((row) =>
    (collections.get(row.collection)?.fields ?? []).some(({ name, ref }) => {
      const id = row.data?.[name]
      return ref !== undefined && typeof id === 'string' && waits(placeKey({ collection: ref, id }))
    }),
  )
}

/** Bytes of an edit on the wire. */
function sizeOf(row: OutboxRow): number {
  return new TextEncoder().encode(JSON.stringify(row.data ?? {})).length + HEAD_BYTES
}

const FIRST_PAGE = 8
/** Number, ids, base and names of one mutation. */
const HEAD_BYTES = 400
