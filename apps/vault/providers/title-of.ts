import type { AnalysedSentence } from './analyse-text.ts'
import { charCount, cutAtWord, trimEnds } from './cut-text.ts'
import { weightOf } from './text-weight.ts'

export const TITLE_CHARS_MAX = 100
const TITLE_CHARS_MIN = 10
/** A list shows so many characters of a title without cutting it. */
const TITLE_CHARS_GOOD = 70
const LONG_SHARE = 0.85
/** What a clause is worth that begins in the middle of a sentence, and one that does not even begin with a capital. */
const MIDDLE_SHARE = 0.75
const SMALL_SHARE = 0.6

/** A heading where the text has one, else its most telling clause; one that begins a sentence before others. */
export function titleOf(text: string, sentences: readonly AnalysedSentence[], weights: ReadonlyMap<string, number>): string {
  const [firstLine = '', ...rest] = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  if (charCount(firstLine) <= TITLE_CHARS_MAX && (rest.length > 0 || sentences.length <= 1)) return trimEnds(firstLine)
  const clauses = sentences.flatMap(({ text: sentence, words: all }, place) => {
    const words = [...new Set(all)]
    return clausesOf(sentence).map(({ clause, isStart }) => {
      const lower = clause.toLowerCase()
      const share = isStart ? 1 : MIDDLE_SHARE * (/^\p{Lu}/u.test(clause) || !/^\p{Ll}/u.test(clause) ? 1 : SMALL_SHARE)
      const length = charCount(clause) > TITLE_CHARS_GOOD ? LONG_SHARE : 1
      return { clause, weight: share * length * weightOf({ text: clause, words: words.filter((word) => lower.includes(word)), place }, weights) }
    })
  })
  const fitting = clauses.filter(({ clause }) => charCount(clause) >= TITLE_CHARS_MIN && charCount(clause) <= TITLE_CHARS_MAX && !isOpen(clause))
  const best = fitting.reduce<(typeof fitting)[number] | undefined>((top, clause) => (top === undefined || clause.weight > top.weight ? clause : top), undefined)
  return best?.clause ?? trimEnds(cutAtWord(firstLine, TITLE_CHARS_MAX))
}

/** UTF-16 units of a beginning that may have room in a title; a sentence may have a clause for every other character. */
const BEGINNING_UNITS_MAX = 3 * TITLE_CHARS_MAX

/** A bracket or a quotation in it has no end. */
function isOpen(clause: string): boolean {
  return [/[()]/gu, /[“”]/gu].some((marks) => (clause.match(marks) ?? []).length % 2 === 1)
}

interface Clause {
  readonly clause: string
  /** It begins its sentence. */
  readonly isStart: boolean
}

/** The clauses of a sentence, and its beginning up to the end of each. */
function clausesOf(sentence: string): Clause[] {
  const clauses: Clause[] = []
  let start = 0
  for (const { index, 0: mark } of sentence.matchAll(/[,;:()—–“”"]+\s*|$/gu)) {
    const clause = trimEnds(trimEnds(sentence.slice(start, index)).replace(leadingJoins, ''))
    if (start > 0 && clause !== '' && !relative.test(trimEnds(sentence.slice(start, index)))) clauses.push({ clause, isStart: false })
    const beginning = index > BEGINNING_UNITS_MAX ? '' : trimEnds(sentence.slice(0, index))
    if (beginning !== '' && charCount(beginning) <= TITLE_CHARS_MAX) clauses.push({ clause: beginning, isStart: true })
    start = index + mark.length
  }
  return clauses
}

/** What is said of something that stands before it is no sentence without it. */
const relative = /^(?:(?:and|but|or|so)\s+)?(?:who|whom|whose|which|that|dont|qui|que|der|die|das|welche[rs]?)\s/iu
/** Words that join a clause to the one before it say nothing at the head of a title. */
const leadingJoins = /^(?:(?:and|but|or|so|for|where|then|thence|there|though|yet|also|after that|one|sinon|mais|donc|aber|und|oder)\s+)+/iu
