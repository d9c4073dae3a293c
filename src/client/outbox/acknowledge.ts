import type { Fields } from '../../app/conflict-policy.ts'
import type { MutationError } from '../../protocol/push.ts'
import type { AckedRow, ConflictRow, OutboxRow, RejectedRow } from '../model.ts'
import { InvalidEditError } from '../check-edit.ts'
import { applyRow, applyRows, sameFields } from './apply-row.ts'
import { facing, shownOf, type Chain } from './chain.ts'
import { contentOf, enqueue, enqueueSide, rowOf, sideOf, type Edit } from './enqueue.ts'
import { joinSides, moveRow, rebase } from './rebase.ts'
import type { Received } from './receive.ts'

/** What the server answered to one mutation. `record` is absent where the server did not send it. */
export type Answer =
  | { readonly kind: 'applied' | 'unchanged' | 'merged'; readonly version: number; readonly record?: Received }
  | { readonly kind: 'conflict'; readonly record: Received; readonly conflictId?: string }
  | { readonly kind: 'rejected'; readonly record?: Received; readonly error: MutationError }

export interface Acknowledged {
  readonly chain: Chain
  readonly acked?: AckedRow
  readonly rejected?: RejectedRow
  /** The server accepted the record, so that what it refused of it before is settled. */
  readonly accepted: boolean
}

export interface AcknowledgeOptions {
  readonly now: number
  /** A number for a further edit that the answer calls for. */
  nextNumber(): number
}

/** Takes the answer to the first edit of a chain. Edits made since are kept and stand on top of what the server answered. */
export function acknowledge(chain: Chain, answer: Answer, options: AcknowledgeOptions): Acknowledged {
  const [row, ...rest] = chain.rows
  if (row === undefined) return { chain, accepted: false }
  switch (answer.kind) {
    case 'applied':
    case 'unchanged':
    case 'merged':
      return accept({ ...chain, rows: rest }, row, answer, options)
    case 'conflict':
      return { chain: meet({ ...chain, rows: rest }, row, answer, options), accepted: false }
    case 'rejected':
      return refuse(chain, row, answer, options)
  }
}

function accept(behind: Chain, row: OutboxRow, answer: Extract<Answer, { version: number }>, { now }: AcknowledgeOptions): Acknowledged {
  const { n, collection, id, op, data, base, baseFields } = row
  const what = data === undefined ? (baseFields === null ? {} : { deleted: baseFields }) : { data }
  const acked: AckedRow = { n, collection, id, op, ...what, base, version: answer.version, at: now }
  const told = toldBy(behind, row, answer)
  const chain = { ...behind, version: told.version, server: told.fields, origin: told.origin ?? behind.origin, conflict: undefined }
  // Later edits were made on top of this one, which the server has and their old base has not: only here can they be joined with what others did.
  return { chain: rebase(chain, { joins: true }), acked, accepted: true }
}

/**
 * The server's state after an accepted edit. What was read since the edit was sent is at least as new and stays. Where the
 * answer does not tell all that the server has, the version stays as well: later edits must not claim to have seen more.
 */
function toldBy(behind: Chain, row: OutboxRow, answer: Extract<Answer, { version: number }>): Received {
  const known = { version: behind.version, fields: behind.server, origin: undefined }
  if (answer.version < behind.version) return known
  if (answer.record !== undefined) return answer.record
  if (behind.version === answer.version || answer.kind === 'merged') return known
  if (answer.kind === 'unchanged' && row.op === 'patch' && answer.version !== row.base) return { ...known, fields: applyRow(behind.server, row) }
  return { version: answer.version, fields: applyRow(row.baseFields, row), origin: undefined }
}

/** The edit met another one. Unless a later edit has seen that already, both sides are kept for a person to choose. */
function meet(behind: Chain, row: OutboxRow, answer: Extract<Answer, { kind: 'conflict' }>, options: AcknowledgeOptions): Chain {
  const { record } = answer
  const heard = { ...behind, version: record.version, server: record.fields, origin: record.origin }
  const [next] = behind.rows
  if (next !== undefined && next.base === record.version && next.base !== row.base) return { ...heard, conflict: undefined }
  const mine = behind.conflict?.mine ?? applyRows(applyRow(row.baseFields, row), behind.conflict === undefined ? behind.rows : [])
  const base = behind.conflict?.base ?? row.baseFields
  const grouped = behind.rows.filter(({ group }) => group !== undefined)
  const mayJoin = behind.collection.encrypted && grouped.length === 0
  const joined = mayJoin && base !== null && mine !== null && record.fields !== null ? joinSides(behind.collection, base, record.fields, mine) : undefined
  if (joined !== undefined) return overTheirs({ ...heard, conflict: undefined, rows: [] }, joined.fields, behind.rows.at(-1) ?? row, options)
  const conflict: ConflictRow = {
    collection: row.collection,
    id: row.id,
    ...(answer.conflictId === undefined ? {} : { conflictId: answer.conflictId }),
    base,
    baseVersion: behind.conflict?.baseVersion ?? row.base,
    mine,
    theirs: record.fields,
    theirsVersion: record.version,
    mineAt: (behind.rows.at(-1) ?? row).at,
    theirsAt: record.origin?.updatedAt ?? 0,
    at: behind.conflict?.at ?? options.now,
  }
  const open = { ...heard, conflict, rows: grouped }
  // Edits made since the row was sent belong to this side; the server's copy of it is brought up to date.
  if (grouped.length === behind.rows.length) return open
  const { at, owner } = behind.rows.at(-1) ?? row
  return enqueueSide(open, conflict, mine, { n: options.nextNumber(), at, owner })
}

/** A further edit that makes the server's state what this device wants. */
function overTheirs(chain: Chain, wanted: Fields | null, like: OutboxRow, { nextNumber, now }: AcknowledgeOptions): Chain {
  if (sameFields(chain.server, wanted)) return chain
  const { collection, id, owner } = like
  const row: OutboxRow = { n: nextNumber(), collection, id, ...sideOf(chain.server, wanted), base: chain.version, baseFields: chain.server, at: now, owner }
  return { ...chain, rows: [row] }
}

/** The edit is put aside with its reason. Edits behind it lose what they were built on and stand on the server's state instead. */
function refuse(chain: Chain, row: OutboxRow, answer: Extract<Answer, { kind: 'rejected' }>, { now }: AcknowledgeOptions): Acknowledged {
  const { sent: _sent, offers: _offers, attempts: _attempts, retryAt: _retryAt, saw: _saw, ...edit } = row
  const refused: RejectedRow = { ...edit, shown: applyRow(row.baseFields, row), error: answer.error, at: now }
  const { record } = answer
  const heard = record === undefined || record.version < chain.version ? chain : { ...chain, version: record.version, server: record.fields, origin: record.origin }
  // What is offered only to be deleted behind it is missed by nobody.
  if (row.offers === 'record' && chain.rows[1]?.op === 'delete') return { chain: { ...heard, rows: chain.rows.slice(2) }, accepted: false }
  let under = row.baseFields
  const rest = chain.rows.slice(1).map((behind): OutboxRow => {
    const wanted = applyRow(behind.baseFields, behind)
    const content = row.baseFields === null && wanted !== null ? { op: 'put' as const, data: wanted } : {}
    const moved = { ...behind, ...content, base: row.base, baseFields: under }
    under = applyRow(under, moved)
    return moved
  })
  const kept = { ...heard, rows: rest }
  return { chain: kept.conflict === undefined ? rebase(kept) : facing(kept, kept.conflict), rejected: refused, accepted: false }
}

/** Makes a choice in a conflict a normal edit on top of what the server has. */
export function resolve(chain: Chain, wanted: Fields | null, edit: { readonly n: number; readonly at: number; readonly owner: string | null }): Chain {
  if (chain.conflict === undefined) return chain
  const kept = chain.rows.filter(({ sent, group }) => sent === true || group !== undefined)
  return { ...chain, conflict: undefined, rows: [...kept, decisionOf(chain, edit, sideOf(chain.server, wanted))] }
}

/**
 * An edit on what its writer saw, where that is not what is there now: what was written since is met and not overwritten. What waits here
 * is joined at once, as there may be another side to it already; throws `InvalidEditError` where that takes a decision.
 */
export function again(chain: Chain, saw: Pick<RejectedRow, 'base' | 'baseFields' | 'decides'>, edit: Edit): Chain | undefined {
  const { base = Infinity, baseFields, decides } = saw
  // What is based on more than the server has was seen before a restore.
  if (base > chain.version || baseFields === undefined || chain.conflict !== undefined || sameFields(baseFields, shownOf(chain))) return undefined
  const row: OutboxRow = { ...rowOf(chain, edit, { ...contentOf(edit), base, baseFields }), ...(decides === undefined ? {} : { decides }) }
  if (chain.rows.length === 0) return rebase({ ...chain, rows: [row] })
  const moved = moveRow(chain.collection, row, shownOf(chain), false)
  if (moved === undefined) throw new InvalidEditError(chain.collection.name, [{ path: 'seen', message: 'The record was written here since.' }])
  return enqueue(chain, { ...edit, ...contentOf(moved) })
}

/** Behind a choice that was refused and is given up: tells the server that what it has stays, so that its conflict does not stay open. */
export function giveUp(chain: Chain, refused: RejectedRow, edit: Pick<OutboxRow, 'n' | 'at' | 'owner'>): Chain {
  if (refused.decides === undefined || chain.conflict !== undefined || chain.rows.length > 0) return chain
  const side = sideOf(chain.server, chain.server)
  // The server would refuse this one as well.
  if (refused.op === side.op && (side.op === 'delete' || Object.keys(refused.data ?? {}).length === 0)) return chain
  return { ...chain, rows: [decisionOf(chain, edit, side)] }
}

function decisionOf(chain: Chain, edit: Pick<OutboxRow, 'n' | 'at' | 'owner'>, side: Pick<OutboxRow, 'op' | 'data'>): OutboxRow {
  return { ...rowOf(chain, edit, { ...side, base: chain.version, baseFields: chain.server }), decides: true }
}
