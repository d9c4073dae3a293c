import { hash } from 'node:crypto'
import type { JsonValue } from 'holdfast'
import { VaultError } from './vault-error.ts'

/** Where a page ended: what the list is ordered by, of its last row. */
export type Position = readonly (string | number)[]

/** What stands at each place of a position: a whole number, or text. */
export type Shape = readonly ('number' | 'text')[]

/** A list, as its cursors know it. */
export interface CursorList {
  /** Route, space, filters, order: what a cursor belongs to. */
  readonly list: readonly JsonValue[]
  readonly shape: Shape
}

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

/**
 * The position that a cursor, as it was sent, names; undefined without one. Throws `INVALID_CURSOR` for junk, for one that was altered and for one of
 * another list. The check is no secret, so one that fits says nothing of who made the cursor: what it holds is looked at before it gets to the database.
 */
export function decodeCursor({ list, shape }: CursorList, sent: unknown): Position | undefined {
  if (sent === undefined) return undefined
  const cursor = typeof sent === 'string' ? sent : ''
  const [body = ''] = cursor.split('.', 1)
  const text = cursor.length > CURSOR_CHARS_MAX ? '' : Buffer.from(body, 'base64url').toString('utf8')
  // What says the same in other letters was altered too.
  const isOwn = text !== '' && cursor === `${Buffer.from(text).toString('base64url')}.${checkOf(list, text)}`
  const position = isOwn ? readPosition(text, shape) : undefined
  if (position === undefined) {
    throw new VaultError('INVALID_CURSOR', { message: 'This is no cursor of this list.', details: { cursor: cursor.toWellFormed().slice(0, CURSOR_CHARS_MAX) } })
  }
  return position
}

/** The values, if there is one of its kind at each place that both databases can compare with theirs. */
function readPosition(text: string, shape: Shape): Position | undefined {
  const values = parsed(text)
  if (!Array.isArray(values) || values.length !== shape.length) return undefined
  const position: (string | number)[] = []
  for (const [index, value] of (values as readonly unknown[]).entries()) {
    const isNumber = shape[index] === 'number'
    if (isNumber && typeof value === 'number' && Number.isSafeInteger(value)) position.push(value)
    else if (!isNumber && typeof value === 'string' && value.isWellFormed() && !value.includes('\0')) position.push(value)
    else return undefined
  }
  return position
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
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
