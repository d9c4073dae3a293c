import { hash } from 'node:crypto'
import type { JsonValue } from 'holdfast'
import { VaultError } from './vault-error.ts'

/** Where a page ended: what the list is ordered by, of its last row. */
export type Position = readonly (string | number | null)[]

/** What stands beside the rows of a page. */
export type Pagination = { readonly cursor: string | null; readonly hasMore: boolean }

/** Characters of a checksum: enough to notice what was altered, and a cursor of another list or space. */
const CHECK_CHARS = 16
const CURSOR_CHARS_MAX = 4_096

/** Opaque text of a position. `list` says which list it belongs to: route, space, filters, order. */
export function encodeCursor(list: readonly JsonValue[], position: Position): string {
  const text = JSON.stringify(position)
  return `${Buffer.from(text).toString('base64url')}.${checkOf(list, text)}`
}

/** The position that a cursor, as it was sent, names; undefined without one. Throws `INVALID_CURSOR` for junk, for one that was altered and for one of another list. */
export function decodeCursor(list: readonly JsonValue[], sent: unknown): Position | undefined {
  if (sent === undefined) return undefined
  const cursor = typeof sent === 'string' ? sent : ''
  const [body = ''] = cursor.split('.', 1)
  const text = cursor.length > CURSOR_CHARS_MAX ? '' : Buffer.from(body, 'base64url').toString('utf8')
  // What says the same in other letters was altered too.
  if (text === '' || cursor !== `${Buffer.from(text).toString('base64url')}.${checkOf(list, text)}`) {
    throw new VaultError('INVALID_CURSOR', { message: 'This is no cursor of this list.', details: { cursor: cursor.toWellFormed().slice(0, CURSOR_CHARS_MAX) } })
  }
  // The checksum says that it was made here.
  return JSON.parse(text) as Position
}

/** A page of rows that were read one more than asked for. */
export function cutPage<Row>(
  rows: readonly Row[],
  { limit, list, positionOf }: { readonly limit: number; readonly list: readonly JsonValue[]; readonly positionOf: (row: Row) => Position },
): { readonly rows: readonly Row[]; readonly pagination: Pagination } {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const hasMore = rows.length > limit && last !== undefined
  return { rows: shown, pagination: { cursor: hasMore ? encodeCursor(list, positionOf(last)) : null, hasMore } }
}

function checkOf(list: readonly JsonValue[], text: string): string {
  return hash('sha256', JSON.stringify(['vault', list, text]), 'base64url').slice(0, CHECK_CHARS)
}
