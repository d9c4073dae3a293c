import type { Scope } from '../app/rule.ts'
import type { Outcome, PreparedMutation, Unreadable, Mutation } from '../engine/mutation.ts'
import { limits } from '../protocol/limits.ts'
import type { CommitRequest } from './commit-request.ts'
import type { SqlValue, Transactor } from './database.ts'
import type { Sides, Verdict } from './decide-mutation.ts'

interface Writer {
  readonly scope: Scope
  readonly client: string
  readonly now: number
  nextId(): string
}

interface ConflictSides {
  readonly id: string
  readonly state: 'open' | 'merged'
  readonly reason: string
  readonly mutation: Mutation
  readonly sides: Sides
}

interface Rejection {
  readonly mutation: PreparedMutation
  readonly code: string
  readonly message: string
  readonly fields: string
}

const conflictColumns = [
  'space',
  'id',
  'collection',
  'record',
  'client',
  'author',
  'device',
  'state',
  'reason',
  'operation',
  'base_version',
  'base',
  'server_version',
  'server',
  'client_fields',
  'created_at',
  'updated_at',
] as const
const conflictKey = ['space', 'id'] as const
const rejectedColumns = ['space', 'id', 'client', 'author', 'device', 'collection', 'record', 'operation', 'code', 'message', 'mutation', 'fields', 'created_at'] as const
const rejectedKey = ['space', 'client', 'collection', 'record'] as const

/**
 * What one writer's commit leaves for people to look at: conflicts and rejections, one open row per record and client.
 * A later accepted write of the same record by the same client closes them.
 */
export class OpenSides {
  readonly #writer: Writer
  readonly #keepConflicts: boolean
  readonly #keepRejected: boolean
  /** Open conflicts of this client by record, with their ids, and the records it has a rejection for. */
  readonly #openConflicts: Map<string, string>
  readonly #openRejections: Set<string>
  readonly #conflicts = new Map<string, ConflictSides>()
  readonly #joins: ConflictSides[] = []
  readonly #rejections = new Map<string, Rejection>()
  readonly #accepted = new Set<string>()

  private constructor(writer: Writer, request: CommitRequest, openConflicts: Map<string, string>, openRejections: Set<string>) {
    this.#writer = writer
    this.#keepConflicts = request.keepConflicts
    this.#keepRejected = request.keepRejected
    this.#openConflicts = openConflicts
    this.#openRejections = openRejections
  }

  static async load(tx: Transactor, writer: Writer, request: CommitRequest): Promise<OpenSides> {
    const values = [writer.scope.space, writer.client]
    const conflicts = await tx.all<{ id: string; collection: string; record: string }>("SELECT id, collection, record FROM holdfast_conflicts WHERE space = ? AND client = ? AND state = 'open'", values)
    const rejections = await tx.all<{ collection: string; record: string }>('SELECT collection, record FROM holdfast_rejected WHERE space = ? AND client = ?', values)
    return new OpenSides(
      writer,
      request,
      new Map(conflicts.map(({ id, collection, record }) => [`${collection}/${record}`, id])),
      new Set(rejections.map(({ collection, record }) => `${collection}/${record}`)),
    )
  }

  /** Notes what is to be kept of a verdict and turns it into the mutation's outcome. */
  settle(mutation: PreparedMutation, verdict: Verdict): Outcome {
    const numbered = mutation.n === undefined ? {} : { n: mutation.n }
    const record = verdict.record
    const place = `${mutation.collection}/${mutation.id}`
    switch (verdict.kind) {
      case 'conflict':
        return { status: 'conflict', ...numbered, record, reason: verdict.reason, conflictId: this.#keepConflict(place, mutation as Mutation, verdict.reason, verdict.sides) }
      case 'rejected':
        if (this.#keepRejected) {
          const { code, message, fields } = verdict.error
          // Something unreadable may not even name a record; then each stands for itself.
          const key = isNamed(mutation) ? place : `${place}#${this.#rejections.size}`
          this.#rejections.set(key, { mutation, code, message, fields: JSON.stringify(fields ?? []) })
        }
        return { status: 'rejected', ...numbered, record, error: verdict.error }
      case 'merged':
        if (verdict.sides !== undefined) this.#joins.push({ id: this.#writer.nextId(), state: 'merged', reason: 'stale', mutation: mutation as Mutation, sides: verdict.sides })
        break
      case 'applied':
      case 'unchanged':
        break
    }
    this.#accepted.add(place)
    this.#conflicts.delete(place)
    this.#rejections.delete(place)
    return { status: verdict.kind, ...numbered, record }
  }

  /** Stores what was noted and closes what an accepted write has settled. */
  async save(tx: Transactor): Promise<void> {
    const { space } = this.#writer.scope
    const kept = [...this.#conflicts.values(), ...this.#joins]
    if (kept.length > 0) await tx.insertMany({ table: 'holdfast_conflicts', columns: conflictColumns, rows: kept.map((sides) => this.#conflictRow(sides)), replaceBy: conflictKey })
    if (this.#rejections.size > 0) await this.#saveRejections(tx)
    for (const place of this.#accepted) {
      const conflictId = this.#openConflicts.get(place)
      if (conflictId !== undefined && !this.#conflicts.has(place)) {
        const sql = "UPDATE holdfast_conflicts SET state = 'resolved', resolution = 'superseded', resolved_at = ?, resolved_by = ? WHERE space = ? AND id = ?"
        await tx.run(sql, [this.#writer.now, this.#author(), space, conflictId])
      }
      if (this.#openRejections.has(place) && !this.#rejections.has(place)) {
        const [collection = '', record = ''] = splitPlace(place)
        await tx.run('DELETE FROM holdfast_rejected WHERE space = ? AND client = ? AND collection = ? AND record = ?', [space, this.#writer.client, collection, record])
      }
    }
  }

  #keepConflict(place: string, mutation: Mutation, reason: string, sides: Sides): string | undefined {
    if (!this.#keepConflicts) return undefined
    const id = this.#conflicts.get(place)?.id ?? this.#openConflicts.get(place) ?? this.#writer.nextId()
    this.#conflicts.set(place, { id, state: 'open', reason, mutation, sides })
    return id
  }

  async #saveRejections(tx: Transactor): Promise<void> {
    const { space } = this.#writer.scope
    const rows = [...this.#rejections.values()].map((rejected) => this.#rejectedRow(rejected))
    await tx.insertMany({ table: 'holdfast_rejected', columns: rejectedColumns, rows, replaceBy: rejectedKey })
    if (this.#openRejections.size + rows.length > limits.REJECTED_ROWS_MAX) {
      const own = [space, this.#writer.client]
      const newest = 'SELECT id FROM holdfast_rejected WHERE space = ? AND client = ? ORDER BY created_at DESC, id DESC LIMIT ?'
      await tx.run(`DELETE FROM holdfast_rejected WHERE space = ? AND client = ? AND id NOT IN (${newest})`, [...own, ...own, limits.REJECTED_ROWS_MAX])
    }
  }

  #conflictRow({ id, state, reason, mutation, sides: { base, server } }: ConflictSides): SqlValue[] {
    const { scope, client, now } = this.#writer
    const fields = mutation.op === 'delete' ? null : JSON.stringify(mutation.sent)
    const live = server !== undefined && server.deletedAt === null
    return [
      scope.space,
      id,
      mutation.collection,
      mutation.id,
      client,
      this.#author(),
      scope.device,
      state,
      reason,
      mutation.op,
      mutation.base === 'any' ? (server?.version ?? 0) : mutation.base,
      base === undefined ? null : JSON.stringify(base),
      server?.version ?? 0,
      live ? JSON.stringify(server.fields) : null,
      fields,
      now,
      now,
    ]
  }

  #rejectedRow({ mutation, code, message, fields }: Rejection): SqlValue[] {
    const { scope, client, now } = this.#writer
    const id = this.#writer.nextId()
    return [scope.space, id, client, this.#author(), scope.device, mutation.collection, isNamed(mutation) ? mutation.id : `?${id}`, mutation.op, code, message, payloadOf(mutation), fields, now]
  }

  #author(): string {
    return `${this.#writer.scope.actor.type}:${this.#writer.scope.actor.id}`
  }
}

function isNamed(mutation: PreparedMutation): boolean {
  return mutation.collection !== '' && mutation.id !== ''
}

function payloadOf(mutation: Mutation | Unreadable): string {
  if ('unreadable' in mutation) return mutation.payload
  const { collection, id, op, base, sent } = mutation
  return JSON.stringify({ collection, id, op, base, ...(op === 'delete' ? {} : { data: sent }) })
}

/** A collection's name holds no slash, an id neither. */
function splitPlace(place: string): readonly string[] {
  const at = place.indexOf('/')
  return [place.slice(0, at), place.slice(at + 1)]
}
