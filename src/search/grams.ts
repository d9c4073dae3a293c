import { searchLimits } from './search-limits.ts'

/**
 * What a folded text is found by: its runs of one, two and three characters, as whole numbers of 53 bits in which the space has a part.
 */
export function gramsOf(space: number, segments: readonly string[]): ReadonlySet<number> {
  const grams = new Set<number>()
  for (const segment of segments) {
    const characters = Array.from(segment)
    for (const [index, character] of characters.entries()) {
      const [second, third] = [characters[index + 1], characters[index + 2]]
      // A term neither begins nor ends with a blank; only longer ones hold any.
      if (character !== ' ') grams.add(gramNumber(space, character))
      if (second === undefined) continue
      if (character !== ' ' && second !== ' ') grams.add(gramNumber(space, character + second))
      if (third !== undefined) grams.add(gramNumber(space, character + second + third))
    }
  }
  return grams
}

/** Characters of the terms that have one gram; of a longer term a text may have all grams and not the term. */
const GRAM_CHARS_MAX = 3

/**
 * Whether what has the gram of a term has the term: no text need be read. Another gram of the same number, among a million of a space, is met by
 * one such term in ten thousand million.
 */
export function isOneGram(term: string): boolean {
  return Array.from(term).length <= GRAM_CHARS_MAX
}

/** Grams that every text with this term has; at least one. The term neither begins nor ends with a blank. */
export function gramsOfTerm(space: number, term: string): readonly number[] {
  const characters = Array.from(term)
  if (characters.length <= GRAM_CHARS_MAX) return [gramNumber(space, term)]
  const starts = characters.keys().take(characters.length - 2)
  const grams = [...new Set(starts.map((start) => gramNumber(space, characters.slice(start, start + 3).join(''))))]
  return grams.slice(0, searchLimits.TERM_GRAMS_MAX)
}

/** Two hashes of 32 bits over the space and the characters, as one number that is exact as a double. */
function gramNumber(space: number, gram: string): number {
  let low = Math.imul(0x811c9dc5 ^ space, 0x01000193)
  let high = Math.imul(0x9e3779b9 ^ space, 0x85ebca6b)
  for (let index = 0; index < gram.length; index += 1) {
    const unit = gram.charCodeAt(index)
    low = Math.imul(low ^ (unit & 0xff), 0x01000193)
    low = Math.imul(low ^ (unit >>> 8), 0x01000193)
    high = Math.imul(high ^ unit, 0x85ebca6b)
    high ^= high >>> 13
  }
  return (high >>> 11) * 0x1_0000_0000 + (low >>> 0)
}
