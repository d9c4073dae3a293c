import type { CompiledApp, CompiledCollection } from '../app/compile-app.ts'
import type { Fields } from '../app/conflict-policy.ts'
import type { JobRequest, JobTarget } from '../app/job-request.ts'
import type { RecordFilter, RuleOperation, Scope, SpaceReader, StoredRecord } from '../app/rule.ts'
import { sameJson } from '../lib/json.ts'
import { changesText, detailText, type PendingEntry } from './change-log.ts'
import type { Reader } from './database.ts'
import { findRecords, getRecords } from './read-records.ts'
import type { SpaceState } from './space-state.ts'

/** A place to go back to when a group of mutations is given up. */
export interface Mark {
  readonly entries: number
  readonly version: number
  readonly undo: number
  readonly jobs: number
  readonly stops: number
}

export interface StagedWrite {
  readonly collection: CompiledCollection
  readonly id: string
  readonly operation: RuleOperation
  readonly fields: Fields
  /** The writer's clock, clamped; kept for `lastWriteWins`. */
  readonly at: number | undefined
}

/** A record as a commit leaves it. */
export interface RecordChange {
  readonly collection: CompiledCollection
  readonly record: StoredRecord
  /** As the database has it; undefined for a new one. */
  readonly original: StoredRecord | undefined
}

interface Slot {
  /** As the database has it. */
  readonly original: StoredRecord | undefined
  current: StoredRecord | undefined
  view: View | undefined
}

/** The writer's own picture of a record after an earlier mutation of the same push. */
export interface View {
  readonly base: number | 'any'
  readonly fields: Fields
  readonly deleted: boolean
}

/** The space as one commit would leave it: what was read, with the accepted writes on top. Written once, at the end. */
export class CommitDraft implements SpaceReader {
  readonly #reader: Reader
  readonly #app: CompiledApp
  readonly #scope: Scope
  readonly #now: number
  readonly #slots = new Map<string, Map<string, Slot>>()
  /** Ids of the slots that a write has ever been staged in: only there the database may say something else. */
  readonly #staged = new Map<string, Set<string>>()
  readonly #undo: { readonly slot: Slot; readonly before: StoredRecord | undefined; readonly view: View | undefined }[] = []
  readonly entries: PendingEntry[] = []
  /** Work that rules have added to the accepted writes, and work that they ended. */
  readonly jobs: JobRequest[] = []
  readonly stops: JobTarget[] = []
  /** The space's version before this commit. */
  readonly startVersion: number
  version: number

  constructor(reader: Reader, app: CompiledApp, scope: Scope, state: SpaceState, now: number) {
    this.#reader = reader
    this.#app = app
    this.#scope = scope
    this.#now = now
    this.startVersion = state.version
    this.version = state.version
  }

  /** Reads the records that are not known yet, in one statement per collection. */
  async load(collection: CompiledCollection, ids: Iterable<string>): Promise<void> {
    const slots = this.#slotsOf(collection)
    const missing = [...new Set(ids)].filter((id) => !slots.has(id))
    if (missing.length === 0) return
    for (const id of missing) slots.set(id, { original: undefined, current: undefined, view: undefined })
    for (const record of await getRecords(this.#reader, collection, this.#scope.space, missing)) slots.set(record.id, { original: record, current: record, view: undefined })
  }

  async get(collectionName: string, id: string): Promise<StoredRecord | undefined> {
    const known = this.#slots.get(collectionName)?.get(id)
    if (known !== undefined) return known.current
    const collection = this.#collection(collectionName)
    await this.load(collection, [id])
    return this.#slotsOf(collection).get(id)?.current
  }

  async find(collectionName: string, filters: readonly RecordFilter[], limit: number): Promise<readonly StoredRecord[]> {
    const collection = this.#collection(collectionName)
    const slots = this.#slotsOf(collection)
    const staged = this.#stagedOf(collection)
    const found = await findRecords(this.#reader, collection, { space: this.#scope.space, filters, limit: limit + staged.size })
    const matching = new Map<string, StoredRecord>()
    for (const record of found) {
      if (staged.has(record.id)) continue
      if (!slots.has(record.id)) slots.set(record.id, { original: record, current: record, view: undefined })
      matching.set(record.id, record)
    }
    for (const id of staged) {
      const record = slots.get(id)?.current
      if (record !== undefined && filters.every((filter) => fits(record, filter))) matching.set(id, record)
    }
    return [...matching.values()].toSorted((one, other) => (one.id < other.id ? -1 : 1)).slice(0, limit)
  }

  /** A record that has been loaded, as the draft leaves it. */
  current(collectionName: string, id: string): StoredRecord | undefined {
    return this.#slots.get(collectionName)?.get(id)?.current
  }

  /** A record that has been loaded, as the database has it. */
  original(collectionName: string, id: string): StoredRecord | undefined {
    return this.#slots.get(collectionName)?.get(id)?.original
  }

  /** Notes what an accepted mutation leaves the writer with. */
  keepView(collectionName: string, id: string, view: View): void {
    const slot = this.#slots.get(collectionName)?.get(id)
    if (slot === undefined) return
    this.#undo.push({ slot, before: slot.current, view: slot.view })
    slot.view = view
  }

  viewOf(collectionName: string, id: string): View | undefined {
    return this.#slots.get(collectionName)?.get(id)?.view
  }

  /** Version of the newest record that the draft writes; undefined when it writes none. */
  get recordVersion(): number | undefined {
    return this.entries.at(-1)?.version
  }

  /** Gives the write the next version and its place in the log. */
  stage({ collection, id, operation, fields, at }: StagedWrite): StoredRecord {
    const slot = this.#slotsOf(collection).get(id)
    if (slot === undefined) throw new Error(`${collection.name}/${id} was staged before it was read.`)
    const before = slot.current
    const version = this.nextVersion()
    const { actor, device, deviceLabel } = this.#scope
    const record: StoredRecord = {
      id,
      version,
      createdAt: before?.createdAt ?? this.#now,
      updatedAt: this.#now,
      deletedAt: operation === 'delete' ? this.#now : null,
      author: `${actor.type}:${actor.id}`,
      device,
      fields,
    }
    this.entries.push({
      version,
      action: `${collection.name}.${operation}`,
      entity: collection.name,
      entityId: id,
      changes: changesText(collection, before?.fields, fields),
      detail: detailText({ at, device: device ?? undefined, label: deviceLabel, previous: before?.version }),
    })
    this.#undo.push({ slot, before, view: slot.view })
    slot.current = record
    this.#stagedOf(collection).add(id)
    return record
  }

  /** `max(server clock in ms, last + 1)`: unique, strictly increasing, shaped like a timestamp. */
  nextVersion(): number {
    this.version = Math.max(this.#now, this.version + 1)
    return this.version
  }

  mark(): Mark {
    return { entries: this.entries.length, version: this.version, undo: this.#undo.length, jobs: this.jobs.length, stops: this.stops.length }
  }

  rollback(mark: Mark): void {
    for (const { slot, before, view } of this.#undo.splice(mark.undo).toReversed()) {
      slot.current = before
      slot.view = view
    }
    this.entries.length = mark.entries
    this.jobs.length = mark.jobs
    this.stops.length = mark.stops
    this.version = mark.version
  }

  /** The records to write, each once in its last state. */
  *written(): Generator<RecordChange> {
    for (const [name, slots] of this.#slots) {
      const collection = this.#collection(name)
      for (const { original, current } of slots.values()) {
        if (current !== undefined && current !== original) yield { collection, record: current, original }
      }
    }
  }

  #collection(name: string): CompiledCollection {
    const collection = this.#app.collections.get(name)
    if (collection === undefined) throw new Error(`${this.#app.name} has no collection "${name}".`)
    return collection
  }

  #stagedOf(collection: CompiledCollection): Set<string> {
    const known = this.#staged.get(collection.name)
    if (known !== undefined) return known
    const made = new Set<string>()
    this.#staged.set(collection.name, made)
    return made
  }

  #slotsOf(collection: CompiledCollection): Map<string, Slot> {
    const known = this.#slots.get(collection.name)
    if (known !== undefined) return known
    const made = new Map<string, Slot>()
    this.#slots.set(collection.name, made)
    return made
  }
}

function fits({ fields, deletedAt }: StoredRecord, filter: RecordFilter): boolean {
  if ('isDeleted' in filter) return (deletedAt !== null) === filter.isDeleted
  const value = fields[filter.field] ?? null
  if ('includes' in filter) return Array.isArray(value) && value.includes(filter.includes)
  return 'below' in filter ? typeof value === 'number' && value < filter.below : sameJson(value, filter.equals)
}
