import type { ChangedRecord, LocalChange, Tabs } from '../ports.ts'
import * as clientLimits from '../client-limits.ts'
import { StorageFullError, StoreClosedError, type OpenStore, type Store, type StoreReader, type StoreWriter, type WriteOptions } from '../stores/store.ts'

/** What is written: an edit of the app, or records of the server. */
export type WriteKind = 'edit' | 'page'

export interface DeviceWriteOptions extends WriteOptions {
  readonly kind?: WriteKind
}

/** The open store of a client. Opens it again when it was closed from outside, and tells all tabs what has changed. */
export class DeviceStore {
  readonly #openStore: OpenStore
  readonly #tabs: Tabs
  readonly #listeners = new Set<(change: LocalChange) => void>()
  readonly #stopListening: () => void
  #store: Promise<Store> | undefined
  #closed = false
  /** Kinds of writes that found no room when they were last tried. */
  readonly #refused = new Set<WriteKind>()

  constructor(openStore: OpenStore, tabs: Tabs) {
    this.#openStore = openStore
    this.#tabs = tabs
    this.#stopListening = tabs.listen((message) => {
      if (message.kind === 'changed') this.#tell(message.change)
    })
  }

  read<Result>(work: (reader: StoreReader) => Promise<Result>): Promise<Result> {
    return this.#opened((store) => store.read(work))
  }

  /** There was no room for what the app, or the server, wanted written last. */
  get full(): boolean {
    return this.#refused.size > 0
  }

  /** A write of some kind that passes shows that there is room for that kind; one of no kind is small and shows nothing. */
  async write<Result>(work: (writer: StoreWriter) => Promise<Result>, { kind, ...options }: DeviceWriteOptions = {}): Promise<Result> {
    try {
      const result = await this.#opened((store) => store.write(work, options))
      if (kind !== undefined) this.#refused.delete(kind)
      return result
    } catch (error) {
      if (error instanceof StorageFullError && kind !== undefined) {
        this.#refused.add(kind)
        this.#tell({ records: [] })
      }
      throw error
    }
  }

  /** Tells this tab and the others. */
  announce(records: readonly ChangedRecord[] | 'all'): void {
    const change: LocalChange = { records: records === 'all' || records.length > clientLimits.CHANGE_RECORDS_MAX ? 'all' : records }
    this.#tell(change)
    this.#tabs.post({ kind: 'changed', change })
  }

  /** Returns how to stop. */
  listen(listener: (change: LocalChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stopListening()
    this.#listeners.clear()
    const store = await this.#store?.catch(() => undefined)
    await store?.close()
  }

  #tell(change: LocalChange): void {
    for (const listener of this.#listeners) listener(change)
  }

  /** A store that turns out to be closed had not begun the work, so that it is safe to begin it again. */
  async #opened<Result>(work: (store: Store) => Promise<Result>): Promise<Result> {
    const opening = this.#current()
    try {
      return await work(await opening)
    } catch (error) {
      if (!(error instanceof StoreClosedError) || this.#closed) throw error
      if (this.#store === opening) this.#store = undefined
      return work(await this.#current())
    }
  }

  #current(): Promise<Store> {
    if (this.#closed) return Promise.reject(new StoreClosedError('The client is closed.'))
    if (this.#store === undefined) {
      const opening = this.#openStore()
      this.#store = opening
      opening.catch(() => {
        if (this.#store === opening) this.#store = undefined
      })
    }
    return this.#store
  }
}
