import { hash } from 'node:crypto'
import { z } from 'zod'
import { isWellFormedText } from '../lib/well-formed-text.ts'
import { Problem } from '../protocol/problem.ts'

/** Where a page ended: the values that the list is ordered by, of its last row. */
export type ListPosition = readonly (string | number | null)[]

const cursorSchema = z.tuple([z.string(), z.array(z.union([z.string().refine(isWellFormedText), z.number(), z.null()])).max(4)])

/** Opaque text of a position. `list` says which list it belongs to: space, what is listed, filters, order. */
export function encodeListCursor(list: readonly unknown[], position: ListPosition): string {
  return Buffer.from(JSON.stringify([keyOf(list), position])).toString('base64url')
}

/** The position that a cursor names; undefined without one. Throws `cursor.invalid` for junk and for a cursor of another list. */
export function decodeListCursor(list: readonly unknown[], cursor: string | undefined): ListPosition | undefined {
  if (cursor === undefined) return undefined
  const parsed = cursorSchema.safeParse(parsedJson(cursor))
  if (!parsed.success || parsed.data[0] !== keyOf(list)) throw new Problem('cursor.invalid', { fields: [{ path: 'cursor', message: 'Not a cursor of this list.' }] })
  return parsed.data[1]
}

/** Enough of a digest to tell lists apart; the rows are chosen by the request's own space and filters in any case. */
const KEY_CHARS = 12

function keyOf(list: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(list), 'base64url').slice(0, KEY_CHARS)
}

function parsedJson(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
