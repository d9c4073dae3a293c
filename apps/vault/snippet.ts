import { foldText } from 'holdfast/server'

/** UTF-16 units of a snippet without its dots, and those before the place that was found. */
const SNIPPET_LENGTH = 160
const BEFORE_LENGTH = 40
/** Units that are folded at once to find a place that plain comparing does not; half of them overlap, so a longer term is not found. */
const WINDOW_LENGTH = 400

/** A piece of the first text in which one of the folded terms stands, around that place; else the beginning of the first text. Dots stand where it was cut. */
export function snippetOf(texts: readonly (string | null)[], terms: readonly string[]): string {
  const sources = texts.filter((text) => text !== null).map((text) => text.replaceAll(/\s+/gu, ' ').trim())
  for (const source of sources) {
    const places = terms.map((term) => placeOf(source, term)).filter((place) => place !== -1)
    if (places.length > 0) return cutAround(source, Math.min(...places))
  }
  return cutAround(sources[0] ?? '', 0)
}

/** Where a folded term stands in a text as it was written, or -1. */
function placeOf(text: string, term: string): number {
  const lower = text.toLowerCase()
  const plain = lower.length === text.length ? lower.indexOf(term) : -1
  if (plain !== -1 || !foldText(text).includes(term)) return plain
  for (let start = 0; start < text.length; start += WINDOW_LENGTH / 2) {
    const end = start + WINDOW_LENGTH
    if (!foldText(text.slice(start, end)).includes(term)) continue
    let [first, last] = [start, end]
    while (last - first > 1) {
      const middle = (first + last) >> 1
      if (foldText(text.slice(middle, end)).includes(term)) first = middle
      else last = middle
    }
    return first
  }
  return -1
}

function cutAround(text: string, place: number): string {
  let start = Math.max(0, Math.min(place - BEFORE_LENGTH, text.length - SNIPPET_LENGTH))
  // Begins with a word where one begins before the place.
  const blank = start === 0 ? -1 : text.indexOf(' ', start)
  if (blank !== -1 && blank < place) start = blank + 1
  if (isLowSurrogate(text, start)) start -= 1
  let end = Math.min(text.length, start + SNIPPET_LENGTH)
  if (isLowSurrogate(text, end)) end -= 1
  return `${start > 0 ? '…' : ''}${text.slice(start, end).trim()}${end < text.length ? '…' : ''}`
}

/** Whether a cut here would part two halves of one character. */
function isLowSurrogate(text: string, index: number): boolean {
  const unit = text.charCodeAt(index)
  return unit >= 0xdc00 && unit <= 0xdfff && index > 0
}
