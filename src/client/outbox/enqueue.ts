import type { Fields } from '../../app/conflict-policy.ts'
import type { ConflictRow, OutboxRow } from '../model.ts'
import { applyRow, changedFields, sameFields } from './apply-row.ts'
import { shownOf, type Chain } from './chain.ts'
import { coalesce } from './coalesce.ts'

/** An edit as the app made it. */
export interface Edit {
  readonly n: number
  readonly op: 'put' | 'patch' | 'delete'
  readonly data?: Fields
  readonly at: number
  readonly group?: string
  readonly owner: string | null
  /** The edit refers to a record whose own row stands behind the row it would join. */
  readonly refersAhead?: boolean
}

/** The chain with an edit on top; the same chain when the edit changes nothing. */
export function enqueue(chain: Chain, edit: Edit): Chain {
  const shown = shownOf(chain)
  const content = contentOf(edit)
  const next = applyRow(shown, { ...content, baseFields: shown })
  if (sameFields(shown, next)) return chain
  if (chain.conflict !== undefined) return enqueueSide(chain, chain.conflict, next, edit)
  const last = chain.rows.at(-1)
  const base = last === undefined ? { base: chain.version, baseFields: chain.server } : { base: last.base, baseFields: shown }
  const row = rowOf(chain, edit, { ...content, ...base })
  if (last === undefined || edit.refersAhead === true) return { ...chain, rows: [...chain.rows, row] }
  const joined = coalesce(last, row, { onServer: chain.server !== null || chain.rows.length > 1 })
  switch (joined.kind) {
    case 'append':
      return { ...chain, rows: [...chain.rows, row] }
    case 'remove':
      return { ...chain, rows: chain.rows.slice(0, -1) }
    case 'replace':
      return { ...chain, rows: [...chain.rows.slice(0, -1), joined.row] }
  }
}

/** While there is a conflict an edit changes this device's side; the server hears of it with the base that made the conflict. */
export function enqueueSide(chain: Chain, conflict: ConflictRow, mine: Fields | null, edit: Pick<Edit, 'n' | 'at' | 'group' | 'owner'>): Chain {
  const last = chain.rows.at(-1)
  const replaced = last !== undefined && last.sent !== true && last.group === edit.group
  const row = rowOf(chain, replaced ? { ...edit, n: last.n } : edit, { ...sideOf(conflict.base, mine), base: conflict.baseVersion, baseFields: conflict.base })
  return { ...chain, conflict: { ...conflict, mine, mineAt: edit.at }, rows: [...(replaced ? chain.rows.slice(0, -1) : chain.rows), row] }
}

/** The one mutation that leads from what a writer saw to what they want. */
export function sideOf(base: Fields | null, wanted: Fields | null): Pick<OutboxRow, 'op' | 'data'> {
  if (wanted === null) return { op: 'delete' }
  return base === null ? { op: 'put', data: wanted } : { op: 'patch', data: changedFields(base, wanted) }
}

/** What an edit says. */
export function contentOf({ op, data }: { readonly op: Edit['op']; readonly data?: Fields | undefined }): Pick<OutboxRow, 'op' | 'data'> {
  return { op, ...(data === undefined ? {} : { data }) }
}

export function rowOf(chain: Chain, edit: Pick<Edit, 'n' | 'at' | 'group' | 'owner'>, content: Pick<OutboxRow, 'op' | 'data' | 'base' | 'baseFields'>): OutboxRow {
  const { n, at, group, owner } = edit
  return { n, collection: chain.collection.name, id: chain.id, ...content, at, ...(group === undefined ? {} : { group }), owner }
}
