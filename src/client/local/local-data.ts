import type { CollectionInfo } from '../collection-info.ts'
import { sameJson, type JsonValue } from '../../lib/json.ts'
import { liveQuery } from '../live/live-query.ts'
import type { ClientChance, Clock, LocalChange, Pace } from '../ports.ts'
import type { PlaceRow } from '../settings.ts'
import type { StoreReader, StoreWriter } from '../stores/store.ts'
import type { Partition } from './chains.ts'
import type { DeviceStore, DeviceWriteOptions } from './device-store.ts'
import { partitionOf, readPlace, useOwner, type PlaceAddress } from './place.ts'

export interface LocalDataParts {
  readonly store: DeviceStore
  readonly address: PlaceAddress
  readonly collections: ReadonlyMap<string, CollectionInfo>
  readonly clock: Clock
  readonly chance: ClientChance
  readonly pace: Pace
  /** Whose data it is from the start; undefined where somebody signs in. */
  readonly owner: string | undefined
}

type PlaceWork<Reader, Result> = (reader: Reader, partition: Partition, place: PlaceRow) => Promise<Result>

interface Done<Result> {
  readonly result: Result
}

/**
 * The data of whoever works here now. Who that is, is read in the transaction that uses it, so that a sign-out in another tab
 * counts at once.
 */
export class LocalData {
  readonly parts: LocalDataParts
  #opening: Promise<void> | undefined

  constructor(parts: LocalDataParts) {
    this.parts = parts
  }

  /** Makes the place where there is none yet. */
  open(): Promise<void> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  read<Result>(work: PlaceWork<StoreReader, Result>): Promise<Result> {
    return this.#inPlace(work, (run) => this.parts.store.read(run))
  }

  write<Result>(work: PlaceWork<StoreWriter, Result>, options?: DeviceWriteOptions): Promise<Result> {
    return this.#inPlace(work, (run) => this.parts.store.write(run, options))
  }

  /** Calls with what is read and again whenever a change that touches it has changed it. Returns how to stop. */
  watch<Value>(read: () => Promise<Value>, touches: (records: LocalChange['records']) => boolean, listener: (value: Value) => void, onError?: (error: unknown) => void): () => void {
    const { pace, store } = this.parts
    const same = (before: Value, after: Value): boolean => sameJson((before ?? null) as JsonValue, (after ?? null) as JsonValue)
    return liveQuery({ pace, read, touches, same, listen: (hear) => store.listen(hear) }, listener, onError)
  }

  /** A place that is gone is made anew: a person can clear the data of a site whose page is open. */
  async #inPlace<Reader extends StoreReader, Result>(
    work: PlaceWork<Reader, Result>,
    transaction: (run: (reader: Reader) => Promise<Done<Result> | undefined>) => Promise<Done<Result> | undefined>,
  ): Promise<Result> {
    const { store, address, collections } = this.parts
    for (;;) {
      await this.open()
      const done = await transaction(async (reader) => {
        const place = await readPlace(reader, address)
        return place === undefined ? undefined : { result: await work(reader, partitionOf(place, collections), place) }
      })
      if (done !== undefined) return done.result
      this.#opening = undefined
      await this.open()
      store.announce('all')
    }
  }

  async #open(): Promise<void> {
    const { store, address, chance, owner } = this.parts
    await store.write(async (writer) => {
      const place = await readPlace(writer, address)
      if (owner !== undefined) await useOwner(writer, address, owner, chance)
      else if (place === undefined) await useOwner(writer, address, null, chance)
    })
  }
}
