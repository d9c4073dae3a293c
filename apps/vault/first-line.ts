import { cutText } from './providers/cut-text.ts'

const TITLE_CHARS_MAX = 60
const CUT_CHARS = 57

/** The first non-empty line of a text, cut to 57 characters and `...` when it is longer than 60: the title of an item that has no other. */
export function firstLineTitle(text: string): string {
  const line =
    text
      .split(/[\n\r\u0085\u2028\u2029]/u)
      .map((part) => part.trim())
      .find((part) => part !== '') ?? text.trim()
  return cutText(line, TITLE_CHARS_MAX) === line ? line : `${cutText(line, CUT_CHARS)}...`
}
