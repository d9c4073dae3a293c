import { createQueue } from '../../lib/create-queue.ts'
import { NewerStoreError, StoreClosedError, tableNames, type Entry, type OpenStore, type Range, type Store, type StoreWriter, type TableName, type Tables } from './store.ts'
import { currentFormat, formatNumber, migrateStore, type StoreFormat } from './store-format.ts'

/** What a memory store holds; hand it to a second store to open the same data again, as after a restart. */
export interface MemoryShelf {
  format: number
  readonly tables: ReadonlyMap<TableName, MemoryTable>
}

interface MemoryTable {
  readonly rows: Map<string, unknown>
  /** The keys in order, once somebody has asked for them; undefined again when a key comes or goes. */
  sorted: readonly string[] | undefined
}

export function createMemoryShelf(): MemoryShelf {
  return { format: 0, tables: new Map(tableNames.map((name) => [name, { rows: new Map<string, unknown>(), sorted: undefined }])) }
}

/** A store that lives as long as the program: for tests, and for apps that need none. */
export function memoryStore(shelf: MemoryShelf = createMemoryShelf(), format: StoreFormat = currentFormat): OpenStore {
  return async () => {
    const number = formatNumber(format)
    if (shelf.format > number) throw new NewerStoreError(shelf.format, number)
    const store = new MemoryStore(shelf)
    await store.write(async (writer) => {
      if (shelf.format > 0) await migrateStore(writer, format, shelf.format)
    })
    shelf.format = number
    return store
  }
}

class MemoryStore implements Store {
  readonly #shelf: MemoryShelf
  readonly #enqueue = createQueue()
  #closed = false

  constructor(shelf: MemoryShelf) {
    this.#shelf = shelf
  }

  read<Result>(work: (reader: StoreWriter) => Promise<Result>): Promise<Result> {
    return this.#enqueue(async () => {
      this.#refuseClosed()
      return work(new MemoryTransaction(this.#shelf))
    })
  }

  write<Result>(work: (writer: StoreWriter) => Promise<Result>): Promise<Result> {
    return this.#enqueue(async () => {
      this.#refuseClosed()
      const transaction = new MemoryTransaction(this.#shelf)
      const result = await work(transaction)
      transaction.commit()
      return result
    })
  }

  async close(): Promise<void> {
    await this.#enqueue(async () => {
      this.#closed = true
    })
  }

  #refuseClosed(): void {
    if (this.#closed) throw new StoreClosedError('The store is closed.')
  }
}

/** Changes stay apart until the commit. A value is copied on the way in and out, as a database would. */
class MemoryTransaction implements StoreWriter {
  readonly #shelf: MemoryShelf
  readonly #changes = new Map<TableName, Map<string, unknown>>()

  constructor(shelf: MemoryShelf) {
    this.#shelf = shelf
  }

  async get<Name extends TableName>(table: Name, keys: readonly string[]): Promise<(Tables[Name] | undefined)[]> {
    return keys.map((key) => structuredClone(this.#find(table, key)) as Tables[Name] | undefined)
  }

  async range<Name extends TableName>(table: Name, { after, before, limit }: Range): Promise<readonly Entry<Tables[Name]>[]> {
    const { stored, changes, made } = this.#between(table, { after, before })
    const keys: string[] = []
    for (const key of stored()) {
      if (keys.length >= limit) break
      if (changes?.has(key) !== true) keys.push(key)
    }
    return [...keys, ...made]
      .toSorted()
      .slice(0, limit)
      .map((key) => ({ key, value: structuredClone(this.#find(table, key)) as Tables[Name] }))
  }

  async count(table: TableName, bounds: Omit<Range, 'limit'>): Promise<number> {
    const { stored, changes, made } = this.#between(table, bounds)
    let count = made.length
    for (const key of stored()) if (changes?.has(key) !== true) count += 1
    return count
  }

  async put<Name extends TableName>(table: Name, entries: readonly Entry<Tables[Name]>[]): Promise<void> {
    for (const { key, value } of entries) this.#changed(table).set(key, structuredClone(value))
  }

  async remove(table: TableName, keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#changed(table).set(key, undefined)
  }

  commit(): void {
    for (const [name, changes] of this.#changes) {
      const table = this.#table(name)
      for (const [key, value] of changes) {
        if (table.rows.has(key) !== (value !== undefined)) table.sorted = undefined
        if (value === undefined) table.rows.delete(key)
        else table.rows.set(key, value)
      }
    }
  }

  #find(table: TableName, key: string): unknown {
    const changes = this.#changes.get(table)
    return changes?.has(key) === true ? changes.get(key) : this.#table(table).rows.get(key)
  }

  #between(name: TableName, { after, before }: Omit<Range, 'limit'>) {
    const table = this.#table(name)
    const sorted = (table.sorted ??= [...table.rows.keys()].toSorted())
    const changes = this.#changes.get(name)
    const made = [...(changes ?? [])].filter(([key, value]) => value !== undefined && key > after && key < before).map(([key]) => key)
    return { changes, made, stored: () => keysBetween(sorted, after, before) }
  }

  #table(name: TableName): MemoryTable {
    const table = this.#shelf.tables.get(name)
    if (table === undefined) throw new Error(`No such table: ${name}`)
    return table
  }

  #changed(table: TableName): Map<string, unknown> {
    const known = this.#changes.get(table)
    if (known !== undefined) return known
    const made = new Map<string, unknown>()
    this.#changes.set(table, made)
    return made
  }
}

function* keysBetween(sorted: readonly string[], after: string, before: string): Generator<string> {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as string) > after) high = middle
    else low = middle + 1
  }
  for (let index = low; index < sorted.length && (sorted[index] as string) < before; index += 1) yield sorted[index] as string
}
