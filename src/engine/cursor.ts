/** Where a reader stands in a space. It travels as opaque text. */
export interface Cursor {
  readonly epoch: string
  readonly space: number
  readonly version: number
  /** Start of the change log's hash at `version`, so that a server whose log differs is recognised. */
  readonly chain: string
  /** The collections asked for, sorted and joined by a comma; for all, what `ledThroughText` makes. */
  readonly collections: string
  /** In the middle of a first pull, the version at which it began: older tombstones mean nothing to this reader. Otherwise 0. */
  readonly began: number
}

/** Hexadecimal digits of the chain hash that a cursor carries: 48 bits, enough to tell two logs apart. */
export const CURSOR_CHAIN_CHARS = 12

const cursorPattern = /^1\.([A-Za-z0-9-]{1,64})\.(\d{1,15})\.(\d{1,16})\.([0-9a-f]{12}|-)\.([A-Za-z0-9_,*@]{1,4096})\.(\d{1,16})$/

export function encodeCursor(cursor: Cursor): string {
  return toBase64Url(`1.${cursor.epoch}.${cursor.space}.${cursor.version}.${cursor.chain || '-'}.${cursor.collections}.${cursor.began}`)
}

/** Undefined when the text was not made by `encodeCursor`. */
export function decodeCursor(text: string): Cursor | undefined {
  if (!/^[A-Za-z0-9_-]{1,8192}$/.test(text)) return undefined
  const match = cursorPattern.exec(fromBase64Url(text))
  if (match === null) return undefined
  const [, epoch = '', space, version, chain = '', collections = '', began] = match
  return { epoch, space: Number(space), version: Number(version), chain: chain === '-' ? '' : chain, collections, began: Number(began) }
}

/** A cursor is ASCII, so one character is one byte. */
function toBase64Url(text: string): string {
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function fromBase64Url(text: string): string {
  try {
    return atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  } catch {
    return ''
  }
}
