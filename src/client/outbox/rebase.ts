import { joinRecords } from '../../engine/join-records.ts'
import type { Fields } from '../../app/conflict-policy.ts'
import type { CollectionInfo } from '../collection-info.ts'
import type { OutboxRow } from '../model.ts'
import { applyRow, changedFields, sameFields } from './apply-row.ts'
import type { Chain } from './chain.ts'

/**
 * Puts edits that were never sent on top of what the server says now, three ways. Where both sides changed the same, or one
 * deleted what the other changed, all stay as they are: their old base lets the server see it, decide, and keep both sides.
 * With `joins` the collection's policies are used here: the edits stand on one that the server has joined itself already.
 */
export function rebase(chain: Chain, { joins = false }: { readonly joins?: boolean } = {}): Chain {
  if (chain.rows.length === 0 || chain.conflict !== undefined || chain.rows.some(({ sent }) => sent === true)) return chain
  const rows: OutboxRow[] = []
  let under = chain.server
  for (const row of chain.rows) {
    const moved = moveRow(chain.collection, row, under, joins || chain.collection.encrypted)
    if (moved === undefined) return chain
    const based = { ...moved, base: chain.version, baseFields: under }
    // One that was empty from the start tells the server that a conflict is decided.
    if (!isEmpty(based) || isEmpty(row)) rows.push(based)
    under = applyRow(under, based)
  }
  return { ...chain, rows }
}

/** The same edit on another state of the record; undefined where that takes a decision. */
export function moveRow(collection: CollectionInfo, row: OutboxRow, under: Fields | null, joins: boolean): OutboxRow | undefined {
  if (sameFields(row.baseFields, under)) return row
  const mine = applyRow(row.baseFields, row)
  if (row.baseFields === null || under === null || mine === null || collection.conflict !== 'merge') return undefined
  const joined = joinSides(collection, row.baseFields, under, mine)
  if (joined === undefined || (!joined.trivial && !joins)) return undefined
  return { ...row, op: 'patch', data: changedFields(under, joined.fields) }
}

/**
 * Puts edits on a state that is older than what they were made on: the server was restored. What it lost is no other side of theirs,
 * so that there is nothing to decide; it knows none of their bases, so that also those that were sent get another.
 */
export function putOnOlder(chain: Chain): Chain {
  let under = chain.server
  const rows = chain.rows.map((row): OutboxRow => {
    const moved = row.base > chain.version ? { ...row, ...contentOn(chain.collection, row, under), base: chain.version, baseFields: under, saw: Math.max(row.base, row.saw ?? 0) } : row
    under = applyRow(under, moved)
    return moved
  })
  return { ...chain, rows }
}

function contentOn(collection: CollectionInfo, row: OutboxRow, under: Fields | null): Pick<OutboxRow, 'op' | 'data'> {
  const mine = applyRow(row.baseFields, row)
  if (mine === null) return { op: 'delete' }
  if (under === null) return { op: 'put', data: mine }
  const joined = row.baseFields === null ? undefined : joinSides(collection, row.baseFields, under, mine)
  return { op: 'patch', data: changedFields(under, joined?.fields ?? { ...under, ...row.data }) }
}

export interface JoinedSides {
  readonly fields: Fields
  /** The sides changed different fields. */
  readonly trivial: boolean
}

/** Joins two records that grew from `base` as the server would; fields that this client does not know stay as the server has them. */
export function joinSides(collection: CollectionInfo, base: Fields, theirs: Fields, mine: Fields): JoinedSides | undefined {
  const joined = joinRecords(collection, base, theirs, mine)
  return joined.kind === 'conflict' ? undefined : { fields: { ...theirs, ...joined.fields }, trivial: joined.trivial }
}

/** A patch that changes nothing any more; in a transaction it stays, so that all of it is sent together. */
function isEmpty(row: OutboxRow): boolean {
  return row.op === 'patch' && row.group === undefined && Object.keys(row.data ?? {}).length === 0
}
