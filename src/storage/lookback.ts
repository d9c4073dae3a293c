import type { CompiledCollection } from '../app/compile-app.ts'
import type { Fields } from '../app/conflict-policy.ts'
import type { StoredRecord } from '../app/rule.ts'
import type { JsonValue } from '../lib/json.ts'
import type { Reader } from './database.ts'
import { readEntry } from './read-entry.ts'

export interface LookbackLimits {
  /** Entries of the log that one commit reads to know what its writers have seen; further back they are asked. */
  readonly entriesMax: number
  /** The same in characters of the entries: while they are read nobody else writes. */
  readonly charsMax: number
}

export const lookbackLimits: LookbackLimits = { entriesMax: 10_000, charsMax: 33_554_432 }

interface State {
  readonly version: number
  readonly fields: Fields
}

interface Walk {
  /** From the present back, each once. */
  readonly states: State[]
  /** Version of the entry to take back next; undefined at the record's beginning, or where the log does not go on. */
  next: number | undefined
}

/** Earlier states of records as one commit needs them, read back from the change log: each entry once, and no more than a commit may take. */
export class Lookback {
  readonly #reader: Reader
  readonly #space: number
  readonly #walks = new Map<StoredRecord, Walk>()
  #entriesLeft: number
  #charsLeft: number

  constructor(reader: Reader, space: number, limits: LookbackLimits = lookbackLimits) {
    this.#reader = reader
    this.#space = space
    this.#entriesLeft = limits.entriesMax
    this.#charsLeft = limits.charsMax
  }

  /** The fields of a record of the database as of a version; undefined when the log does not reach there. */
  async fieldsAt(collection: CompiledCollection, record: StoredRecord, version: number): Promise<Fields | undefined> {
    const walk = this.#walkOf(record)
    for (;;) {
      const last = walk.states.at(-1)
      if (last !== undefined && last.version <= version) return walk.states.find((state) => state.version <= version)?.fields
      if (last === undefined || walk.next === undefined || !(await this.#step(collection, walk, last))) return undefined
    }
  }

  #walkOf(record: StoredRecord): Walk {
    const known = this.#walks.get(record)
    if (known !== undefined) return known
    const begun: Walk = { states: [{ version: record.version, fields: record.fields }], next: record.version }
    this.#walks.set(record, begun)
    return begun
  }

  /** Takes one entry back; false where that is not possible. */
  async #step(collection: CompiledCollection, walk: Walk, { fields }: State): Promise<boolean> {
    if (this.#entriesLeft <= 0 || this.#charsLeft <= 0 || walk.next === undefined) return false
    const entry = await readEntry(this.#reader, this.#space, walk.next)
    this.#entriesLeft -= 1
    this.#charsLeft -= entry?.chars ?? 0
    if (entry === undefined) {
      walk.next = undefined
      return false
    }
    const earlier: Record<string, JsonValue> = { ...fields }
    for (const [name, [old]] of Object.entries(entry.changes)) earlier[name] = old
    walk.next = entry.detail.previous
    walk.states.push(walk.next === undefined ? { version: 0, fields: collection.blank } : { version: walk.next, fields: earlier })
    return true
  }
}
