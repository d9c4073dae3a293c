import { leaningWords } from './dull-words.ts'

/** What is left of a piece that cannot be understood without the one before it. */
const LEANING_SHARE = 0.7

export interface Piece {
  readonly text: string
  /** Its telling words. */
  readonly words: readonly string[]
  /** Number of its sentence in the text, from 0. */
  readonly place: number
}

/** What a piece of text says, for its length; what stands early counts a little more, and what leans on something before it less. */
export function weightOf({ text, words, place }: Piece, weights: ReadonlyMap<string, number>): number {
  const sum = [...new Set(words)].reduce((total, word) => total + (weights.get(word) ?? 0), 0)
  const first = /\p{L}+/u.exec(text)?.[0] ?? ''
  const leans = place > 0 && (leaningWords.has(first.toLowerCase()) || /^\p{Ll}/u.test(first))
  const share = leans ? LEANING_SHARE : 1
  return (sum / (4 + words.length) ** 0.6) * (1 + 0.4 / (1 + place)) * share
}
