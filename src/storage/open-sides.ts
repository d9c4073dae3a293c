import type { Scope, StoredRecord } from '../app/rule.ts'
import type { Outcome, PreparedMutation, Unreadable, Mutation } from '../engine/mutation.ts'
import { cutText } from '../lib/cut-text.ts'
import { limits } from '../protocol/limits.ts'
import type { CommitRequest } from './commit-request.ts'
import type { SqlValue, Transactor } from './database.ts'
import type { Sides, Verdict } from './decide-mutation.ts'
import { dataIn, isSettled, type Accepted } from './settled-refusal.ts'

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
 * A later accepted write of the same record by the same client closes the conflict, and a rejection where it says what was refused.
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
  readonly #accepted = new Map<string, Accepted>()
  /** Bases of the conflicting edits of this push, by record: what was made on the same base knows nothing of the conflict. */
  readonly #conflictBases = new Map<string, Mutation['base']>()

  private constructor(writer: Writer, request: CommitRequest, openConflicts: Map<string, string>, openRejections: Set<string>) {
    this.#writer = writer
    this.#keepConflicts = request.keepConflicts
    this.#keepRejected = request.keepRejected
    this.#openConflicts = openConflicts
    this.#openRejections = openRejections
  }

  static async load(tx: Transactor, writer: Writer, request: CommitRequest): Promise<OpenSides> {
    const values = [writer.scope.space, writer.client]
    const rows = await tx.all<{ conflict: string | null; place: string }>(
      `SELECT id AS conflict, collection || '/' || record AS place FROM holdfast_conflicts WHERE space = ? AND client = ? AND state = 'open'
UNION ALL SELECT NULL, collection || '/' || record FROM holdfast_rejected WHERE space = ? AND client = ?`,
      [...values, ...values],
    )
    return new OpenSides(
      writer,
      request,
      new Map(rows.flatMap(({ conflict, place }) => (conflict === null ? [] : [[place, conflict]]))),
      new Set(rows.flatMap(({ conflict, place }) => (conflict === null ? [place] : []))),
    )
  }

  /** Notes what is to be kept of a verdict and turns it into the mutation's outcome. */
  settle(mutation: PreparedMutation, verdict: Verdict): Outcome {
    const numbered = mutation.n === undefined ? {} : { n: mutation.n }
    const record = verdict.record
    switch (verdict.kind) {
      case 'conflict':
        return { status: 'conflict', ...numbered, record, reason: verdict.reason, conflictId: this.#keepConflict(mutation as Mutation, verdict.reason, verdict.sides) }
      case 'rejected':
        if (this.#keepRejected) {
          const { code, message, fields } = verdict.error
          // Something unreadable may not even name a record; then each stands for itself.
          const key = isNamed(mutation) ? placeOf(mutation) : `#${this.#rejections.size}`
          this.#rejections.set(key, { mutation, code, message, fields: JSON.stringify(fields ?? []) })
        }
        return { status: 'rejected', ...numbered, record, error: verdict.error }
      case 'merged':
        if (verdict.sides !== undefined) this.#joins.push(this.#join(mutation as Mutation, verdict.sides))
        // Nothing of the write was taken, so what the same client has open is as open as before.
        if (verdict.sides?.superseded === true) return { status: 'merged', ...numbered, record }
        break
      case 'applied':
      case 'unchanged':
        break
    }
    this.#close(mutation, record)
    return { status: verdict.kind, ...numbered, record }
  }

  /** A conflict that this push was told of before stands while the push's edits know no more than it did. */
  keepOpen(mutation: PreparedMutation): void {
    if (!('unreadable' in mutation)) this.#conflictBases.set(placeOf(mutation), mutation.base)
  }

  /** Stores what was noted and closes what an accepted write has settled. */
  async save(tx: Transactor): Promise<void> {
    const { space } = this.#writer.scope
    const kept = [...this.#conflicts.values(), ...(await this.#newJoins(tx))]
    if (kept.length > 0) await tx.insertMany({ table: 'holdfast_conflicts', columns: conflictColumns, rows: kept.map((sides) => this.#conflictRow(sides)), replaceBy: conflictKey })
    if (this.#rejections.size > 0) await this.#saveRejections(tx)
    for (const [place, accepted] of this.#accepted) {
      const conflictId = this.#openConflicts.get(place)
      if (conflictId !== undefined && !this.#conflicts.has(place)) {
        const sql = "UPDATE holdfast_conflicts SET state = 'resolved', resolution = 'superseded', resolved_at = ?, resolved_by = ? WHERE space = ? AND id = ?"
        await tx.send(sql, [this.#writer.now, this.#author(), space, conflictId])
      }
      if (this.#openRejections.has(place) && !this.#rejections.has(place)) {
        const where = 'WHERE space = ? AND client = ? AND collection = ? AND record = ?'
        const key = [space, this.#writer.client, ...splitPlace(place)]
        const [refused] = await tx.all<{ operation: string; mutation: string }>(`SELECT operation, mutation FROM holdfast_rejected ${where}`, key)
        if (refused !== undefined && isSettled(refused.operation, dataIn(refused.mutation), accepted)) await tx.send(`DELETE FROM holdfast_rejected ${where}`, key)
      }
    }
  }

  #join(mutation: Mutation, sides: Sides): ConflictSides {
    return { id: this.#writer.nextId(), state: 'merged', reason: sides.superseded === true ? 'superseded' : 'stale', mutation, sides }
  }

  /** A loser without a number that comes again, as it does where its answer was lost, is kept once. */
  async #newJoins(tx: Transactor): Promise<ConflictSides[]> {
    const known = `SELECT 1 AS kept FROM holdfast_conflicts WHERE space = ? AND collection = ? AND record = ? AND client = ?
AND reason = 'superseded' AND server_version = ? AND operation = ? AND client_fields IS NOT DISTINCT FROM ? LIMIT 1`
    const fresh: ConflictSides[] = []
    for (const join of this.#joins) {
      const { mutation, sides, reason } = join
      const values = [this.#writer.scope.space, mutation.collection, mutation.id, this.#writer.client, sides.server?.version ?? 0, mutation.op, sentText(mutation)]
      if (reason !== 'superseded' || mutation.n !== undefined || (await tx.all(known, values)).length === 0) fresh.push(join)
    }
    return fresh
  }

  /** Nothing is open as a rule, and then there is nothing to note. */
  #close(mutation: PreparedMutation, record: StoredRecord | undefined): void {
    const open = this.#openConflicts.size + this.#openRejections.size + this.#conflicts.size + this.#rejections.size
    if (open === 0) return
    const place = placeOf(mutation)
    const before = this.#accepted.get(place)
    const accepted: Accepted = { edits: [...(before?.edits ?? []), mutation as Mutation], fields: record === undefined || record.deletedAt !== null ? undefined : record.fields }
    const rejection = this.#rejections.get(place)
    if (rejection !== undefined && isSettled(rejection.mutation.op, dataIn(payloadOf(rejection.mutation)), { ...accepted, edits: [mutation as Mutation] })) this.#rejections.delete(place)
    if ('base' in mutation && this.#conflictBases.get(place) === mutation.base) {
      const conflict = this.#conflicts.get(place)
      if (conflict !== undefined) this.#conflicts.set(place, { ...conflict, sides: { ...conflict.sides, server: record } })
      return
    }
    this.#accepted.set(place, accepted)
    this.#conflicts.delete(place)
  }

  #keepConflict(mutation: Mutation, reason: string, sides: Sides): string | undefined {
    if (!this.#keepConflicts) return undefined
    const place = placeOf(mutation)
    const earlier = this.#conflicts.get(place)
    const id = earlier?.id ?? this.#openConflicts.get(place) ?? this.#writer.nextId()
    this.#conflicts.set(place, { id, state: 'open', reason, mutation: earlier === undefined ? mutation : joinEdits(earlier.mutation, mutation), sides })
    this.#conflictBases.set(place, mutation.base)
    return id
  }

  async #saveRejections(tx: Transactor): Promise<void> {
    const { space } = this.#writer.scope
    const rows = [...this.#rejections.values()].map((rejected) => this.#rejectedRow(rejected))
    await tx.insertMany({ table: 'holdfast_rejected', columns: rejectedColumns, rows, replaceBy: rejectedKey })
    // A client names itself, so it is the author who is bounded.
    const own = [space, this.#author()]
    const [count] = await tx.all<{ count: number }>('SELECT count(*) AS count FROM holdfast_rejected WHERE space = ? AND author = ?', own)
    if ((count?.count ?? 0) <= limits.REJECTED_ROWS_MAX) return
    const newest = 'SELECT id FROM holdfast_rejected WHERE space = ? AND author = ? ORDER BY created_at DESC, id DESC LIMIT ?'
    await tx.run(`DELETE FROM holdfast_rejected WHERE space = ? AND author = ? AND id NOT IN (${newest})`, [...own, ...own, limits.REJECTED_ROWS_MAX])
  }

  #conflictRow({ id, state, reason, mutation, sides: { base, server } }: ConflictSides): SqlValue[] {
    const { scope, client, now } = this.#writer
    const fields = sentText(mutation)
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
    return [scope.space, id, client, this.#author(), scope.device, mutation.collection, isNamed(mutation) ? mutation.id : `?${id}`, mutation.op, code, message, this.#payload(mutation), fields, now]
  }

  /** What somebody who may only read has sent is kept as far as it can be recognised: reading must not fill the disk. */
  #payload(mutation: Mutation | Unreadable): string {
    const payload = payloadOf(mutation)
    return this.#writer.scope.role === 'viewer' ? cutText(payload, limits.VIEWER_REJECTED_CHARS_MAX) : payload
  }

  #author(): string {
    return `${this.#writer.scope.actor.type}:${this.#writer.scope.actor.id}`
  }
}

/** Edits of one push on the same base are one side; one that has seen more, and a deletion, stand for themselves. */
function joinEdits(earlier: Mutation, later: Mutation): Mutation {
  if (earlier.base !== later.base || earlier.op === 'delete' || later.op === 'delete') return later
  return { ...later, op: later.op === 'patch' ? earlier.op : later.op, sent: { ...earlier.sent, ...later.sent } }
}

function sentText(mutation: Mutation): string | null {
  return mutation.op === 'delete' ? null : JSON.stringify(mutation.sent)
}

function isNamed(mutation: PreparedMutation): boolean {
  return mutation.collection !== '' && mutation.id !== ''
}

function payloadOf(mutation: Mutation | Unreadable): string {
  if ('unreadable' in mutation) return mutation.payload
  const { collection, id, op, base, sent } = mutation
  return JSON.stringify({ collection, id, op, base, ...(op === 'delete' ? {} : { data: sent }) })
}

function placeOf({ collection, id }: Pick<Mutation, 'collection' | 'id'>): string {
  return `${collection}/${id}`
}

/** A collection's name holds no slash, an id neither. */
function splitPlace(place: string): readonly string[] {
  const at = place.indexOf('/')
  return [place.slice(0, at), place.slice(at + 1)]
}
