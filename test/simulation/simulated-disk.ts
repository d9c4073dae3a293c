import { memoryStore, createMemoryShelf, type MemoryShelf } from '../../src/client/stores/memory-store.ts'
import { StorageFullError, tableNames, type OpenStore, type TableName, type Tables } from '../../src/client/stores/store.ts'

/** Where a device dies: before or behind the write that comes after so many others. */
export interface DiskCrash {
  readonly left: number
  readonly behind: boolean
  /** The power is gone too: writes that were not flushed are lost with it. */
  readonly power: boolean
}

/** The disk of one device. Programs come and go on it; what they had written durably stays. */
export class SimulatedDisk {
  readonly #shelf: MemoryShelf = createMemoryShelf()
  /** The tables before the writes that are not flushed yet. */
  #flushed: ReadonlyMap<TableName, ReadonlyMap<string, unknown>> | undefined
  /** There is no room: writes are refused. */
  full = false

  /** Everything in the given tables as text, one line a row, with its key. */
  text(tables: readonly TableName[]): string {
    return tables.flatMap((name) => [...(this.#shelf.tables.get(name)?.rows ?? [])].map(([key, value]) => `${key} ${JSON.stringify(value)}`)).join('\n')
  }

  rows<Name extends TableName>(table: Name): [string, Tables[Name]][] {
    return [...(this.#shelf.tables.get(table)?.rows ?? [])] as [string, Tables[Name]][]
  }

  /** Opens the disk for one program. After the crash nothing that it asks for ever ends. */
  openFor(program: { alive(): boolean; crash(): DiskCrash | undefined; die(power: boolean): void }): OpenStore {
    const never = new Promise<never>(() => undefined)
    return async () => {
      const store = await memoryStore(this.#shelf)()
      return {
        read: (work) => (program.alive() ? store.read(work) : never),
        write: async (work, { repeatable = false } = {}) => {
          if (!program.alive()) return never
          if (this.full) throw new StorageFullError('There is no room.')
          const crash = program.crash()
          if (crash !== undefined && !crash.behind) {
            program.die(crash.power)
            return never
          }
          const before = repeatable && this.#flushed === undefined ? this.#copy() : undefined
          const result = await store.write((writer) => (program.alive() ? work(writer) : never))
          if (!repeatable) this.#flushed = undefined
          else this.#flushed ??= before
          if (crash === undefined) return result
          program.die(crash.power)
          return never
        },
        close: () => store.close(),
      }
    }
  }

  /** The power fails: what was not flushed is lost, all of it. */
  losePower(): void {
    if (this.#flushed === undefined) return
    for (const [name, rows] of this.#flushed) {
      const table = this.#shelf.tables.get(name)
      if (table === undefined) continue
      table.rows.clear()
      for (const [key, value] of rows) table.rows.set(key, value)
      table.sorted = undefined
    }
    this.#flushed = undefined
  }

  #copy(): ReadonlyMap<TableName, ReadonlyMap<string, unknown>> {
    return new Map(tableNames.map((name) => [name, new Map(this.#shelf.tables.get(name)?.rows)]))
  }
}
