import {
  NewerStoreError,
  StorageFullError,
  StoreClosedError,
  tableNames,
  type Entry,
  type OpenStore,
  type Range,
  type Store,
  type StoreWriter,
  type TableName,
  type Tables,
  type WriteOptions,
} from './store.ts'
import { currentFormat, formatNumber, migrateStore, type StoreFormat } from './store-format.ts'

/** A store in the browser, shared by its tabs. */
export function indexedDbStore(name: string, format: StoreFormat = currentFormat): OpenStore {
  return Object.assign(() => openStore(name, format), { sharedAs: `idb:${name}` })
}

/** Removes a database and all that is in it. */
export async function deleteIndexedDbStore(name: string): Promise<void> {
  await answerOf(indexedDB.deleteDatabase(name))
}

async function openStore(name: string, format: StoreFormat): Promise<Store> {
  const number = formatNumber(format)
  let failure: unknown
  try {
    const request = indexedDB.open(name, number)
    request.onupgradeneeded = ({ oldVersion: from }) => {
      const { result: opened, transaction } = request
      for (const table of tableNames) if (!opened.objectStoreNames.contains(table)) opened.createObjectStore(table)
      if (from === 0 || transaction === null) return
      migrateStore(new IndexedDbTransaction(transaction), format, from).catch((error: unknown) => {
        failure = error
        transaction.abort()
      })
    }
    const database = await answerOf(request)
    // Another tab has a newer program: it gets the database, and this one asks to be reloaded.
    database.onversionchange = () => database.close()
    return new IndexedDbStore(database)
  } catch (error) {
    if (failure !== undefined) throw failure
    if (error instanceof DOMException && error.name === 'VersionError') throw new NewerStoreError(await versionOf(name), number)
    throw asStoreError(error)
  }
}

async function versionOf(name: string): Promise<number> {
  const databases = await indexedDB.databases()
  return databases.find((database) => database.name === name)?.version ?? 0
}

class IndexedDbStore implements Store {
  readonly #database: IDBDatabase

  constructor(database: IDBDatabase) {
    this.#database = database
  }

  read<Result>(work: (reader: StoreWriter) => Promise<Result>): Promise<Result> {
    return this.#run(this.#begin('readonly'), work)
  }

  write<Result>(work: (writer: StoreWriter) => Promise<Result>, { repeatable = false }: WriteOptions = {}): Promise<Result> {
    return this.#run(this.#begin('readwrite', repeatable ? 'relaxed' : 'strict'), work)
  }

  async close(): Promise<void> {
    this.#database.close()
  }

  #begin(mode: 'readonly' | 'readwrite', durability: IDBTransactionDurability = 'default'): IDBTransaction | Error {
    try {
      return this.#database.transaction([...tableNames], mode, { durability })
    } catch (error) {
      return asStoreError(error)
    }
  }

  /** The transaction ends by itself when nothing is asked of it any more, so work awaits nothing else. */
  async #run<Result>(transaction: IDBTransaction | Error, work: (writer: StoreWriter) => Promise<Result>): Promise<Result> {
    if (transaction instanceof Error) throw transaction
    const done = endOf(transaction)
    // Looked at below; a transaction that fails early must not count as nobody's.
    done.catch(() => undefined)
    let result: Result
    try {
      result = await work(new IndexedDbTransaction(transaction))
    } catch (error) {
      abort(transaction)
      await done.catch(() => undefined)
      throw asStoreError(transaction.error?.name === 'QuotaExceededError' ? transaction.error : error)
    }
    try {
      await done
    } catch (error) {
      throw asStoreError(transaction.error ?? error)
    }
    return result
  }
}

class IndexedDbTransaction implements StoreWriter {
  readonly #transaction: IDBTransaction

  constructor(transaction: IDBTransaction) {
    this.#transaction = transaction
  }

  async get<Name extends TableName>(table: Name, keys: readonly string[]): Promise<(Tables[Name] | undefined)[]> {
    const store = this.#transaction.objectStore(table)
    return Promise.all(keys.map((key) => answerOf<Tables[Name] | undefined>(store.get(key))))
  }

  async range<Name extends TableName>(table: Name, { limit, ...bounds }: Range): Promise<readonly Entry<Tables[Name]>[]> {
    const store = this.#transaction.objectStore(table)
    const range = rangeOf(bounds)
    if (range === undefined || limit <= 0) return []
    const [keys, values] = await Promise.all([answerOf(store.getAllKeys(range, limit)), answerOf<Tables[Name][]>(store.getAll(range, limit))])
    return keys.map((key, index) => ({ key: String(key), value: values[index] as Tables[Name] }))
  }

  async count(table: TableName, bounds: Omit<Range, 'limit'>): Promise<number> {
    const range = rangeOf(bounds)
    return range === undefined ? 0 : answerOf(this.#transaction.objectStore(table).count(range))
  }

  async put<Name extends TableName>(table: Name, entries: readonly Entry<Tables[Name]>[]): Promise<void> {
    const store = this.#transaction.objectStore(table)
    await Promise.all(entries.map(({ key, value }) => answerOf(store.put(value, key))))
  }

  async remove(table: TableName, keys: readonly string[]): Promise<void> {
    const store = this.#transaction.objectStore(table)
    await Promise.all(keys.map((key) => answerOf(store.delete(key))))
  }
}

function rangeOf({ after, before }: Omit<Range, 'limit'>): IDBKeyRange | undefined {
  return after < before ? IDBKeyRange.bound(after, before, true, true) : undefined
}

function answerOf<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

/** Resolves when all of it is stored, rejects when nothing of it is. */
function endOf(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
  })
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort()
  } catch {
    // It has ended already.
  }
}

/** What the client acts on: no room, and a database that is closed. */
function asStoreError(error: unknown): Error {
  if (!(error instanceof DOMException)) return error instanceof Error ? error : new Error(String(error))
  if (error.name === 'QuotaExceededError') return new StorageFullError('The browser gives no more room.', { cause: error })
  if (error.name === 'InvalidStateError') return new StoreClosedError('The database was closed.', { cause: error })
  return error
}
