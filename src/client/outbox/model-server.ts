import { compileApp, type CompiledApp } from '../../app/compile-app.ts'
import type { Fields } from '../../app/conflict-policy.ts'
import type { App } from '../../app/define-app.ts'
import type { StoredRecord } from '../../app/rule.ts'
import { decide, isStale } from '../../engine/decide.ts'
import type { OutboxRow } from '../model.ts'
import type { Answer } from './acknowledge.ts'
import type { Received } from './receive.ts'

/**
 * The server as far as one mutation at a time goes: the engine's own decisions over records in memory, with the ledger of
 * decided numbers. For property tests of what a client makes of the answers.
 */
export class ModelServer {
  readonly #app: CompiledApp
  readonly #records = new Map<string, StoredRecord>()
  /** Every state that a record ever had, by version. */
  readonly history = new Map<string, Map<number, Fields | null>>()
  readonly #answers = new Map<string, Answer>()
  #version = 0

  constructor(app: App) {
    this.#app = compileApp(app)
  }

  read(id: string): Received {
    const record = this.#records.get(id)
    return record === undefined ? { version: 0, fields: null, origin: undefined } : { version: record.version, fields: record.deletedAt === null ? record.fields : null, origin: undefined }
  }

  /** Decides a mutation once; a replay gets its answer again, with the record as it is now. */
  push(client: string, row: OutboxRow): Answer {
    const key = `${client}/${row.n}`
    const known = this.#answers.get(key)
    if (known !== undefined) return { ...known, record: this.read(row.id), ...('version' in known ? { version: this.read(row.id).version } : {}) } as Answer
    const answer = this.#decide(client, row)
    this.#answers.set(key, answer)
    return answer
  }

  #decide(client: string, row: OutboxRow): Answer {
    const collection = this.#app.collections.get(row.collection)
    if (collection === undefined) throw new Error('No such collection.')
    const stored = this.#records.get(row.id)
    const mutation = { n: row.n, collection: row.collection, id: row.id, op: row.op, base: row.base, sent: row.data ?? {}, at: row.at }
    const base = row.base === 0 ? collection.blank : (this.history.get(row.id)?.get(row.base) ?? undefined)
    const knowledge = isStale(stored, mutation) ? { base, storedAt: stored?.updatedAt ?? 0, storedClient: stored?.author ?? '', client } : undefined
    const decision = decide({ collection, stored, mutation, spaceVersion: this.#version, now: row.at, knowledge })
    switch (decision.kind) {
      case 'unchanged':
        return { kind: 'unchanged', version: stored?.version ?? 0 }
      case 'keep':
        return { kind: 'merged', version: stored?.version ?? 0, record: this.read(row.id) }
      case 'conflict':
        return { kind: 'conflict', record: this.read(row.id) }
      case 'reject':
        return { kind: 'rejected', record: this.read(row.id), error: { code: decision.code, message: decision.code } }
      case 'write': {
        this.#version += 1
        const deletedAt = decision.operation === 'delete' ? row.at : null
        const record: StoredRecord = { id: row.id, version: this.#version, createdAt: 0, updatedAt: row.at, deletedAt, author: client, device: null, fields: decision.fields }
        this.#records.set(row.id, record)
        const states = this.history.get(row.id) ?? new Map<number, Fields | null>()
        this.history.set(row.id, states.set(record.version, deletedAt === null ? decision.fields : null))
        return decision.merged === 'no' ? { kind: 'applied', version: record.version } : { kind: 'merged', version: record.version, record: this.read(row.id) }
      }
    }
  }
}
