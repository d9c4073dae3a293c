import type { OutboxRow } from '../model.ts'

/** `replace`: one row says both; `remove`: both together say nothing; `append`: the new edit is a row of its own. */
export type Coalesced = { readonly kind: 'replace'; readonly row: OutboxRow } | { readonly kind: 'remove' } | { readonly kind: 'append' }

export interface CoalesceOptions {
  /** The server has the record, or may have it. */
  readonly onServer: boolean
}

/**
 * Joins a new edit with the row before it. A row that was ever sent is never changed, and a transaction only grows from within. One that a
 * restore has put on an older state was made on more than what is shown since.
 */
export function coalesce(existing: OutboxRow, next: OutboxRow, { onServer }: CoalesceOptions): Coalesced {
  if (existing.sent === true || existing.group !== next.group) return { kind: 'append' }
  if (existing.saw !== undefined) return { kind: 'append' }
  const { data: _replaced, ...head } = existing
  const kept = { ...head, at: next.at }
  switch (next.op) {
    case 'delete':
      return existing.op === 'put' && !onServer && existing.group === undefined ? { kind: 'remove' } : { kind: 'replace', row: { ...kept, op: 'delete' } }
    case 'put':
      return { kind: 'replace', row: { ...kept, op: 'put', data: { ...next.data } } }
    case 'patch':
      return { kind: 'replace', row: { ...kept, op: existing.op === 'patch' ? 'patch' : 'put', data: { ...existing.data, ...next.data } } }
  }
}
