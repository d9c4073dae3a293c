import type { AnalysedSentence } from './analyse-text.ts'
import { charCount, cutAtWord, trimEnds } from './cut-text.ts'
import { weightOf } from './text-weight.ts'

const SUMMARY_CHARS_MAX = 500
const SUMMARY_SENTENCES_MAX = 3
/** A sentence longer than this leaves room for no other that says as much. */
const LONG_CHARS = 250
const LONG_SHARE = 0.75
/** What a word says that the summary has already. */
const REPEATED_SHARE = 0.3

/** A text that is short enough as it is; else the most telling sentences that fit together, in the order of the text, without what is the title already. */
export function summaryOf(sentences: readonly AnalysedSentence[], weights: ReadonlyMap<string, number>, title: string): string {
  const whole = joinSentences(sentences)
  if (sentences.length <= SUMMARY_SENTENCES_MAX && charCount(whole) <= SUMMARY_CHARS_MAX) return whole
  const placed = sentences.map((sentence, place) => ({ ...sentence, place, chars: charCount(sentence.text) }))
  const left = new Set(placed.filter(({ text }) => trimEnds(text) !== title || sentences.length === 1))
  const chosen: typeof placed = []
  const said = new Map(weights)
  let room = SUMMARY_CHARS_MAX
  while (chosen.length < SUMMARY_SENTENCES_MAX) {
    // A date or an exclamation by itself tells nothing beside real sentences.
    const fitting = [...left].filter(({ chars, words }) => chars <= room && words.length >= 2)
    const ranked = fitting.map((sentence) => ({ sentence, weight: weightOf(sentence, said) * (sentence.chars > LONG_CHARS ? LONG_SHARE : 1) }))
    const best = ranked.reduce<(typeof ranked)[number] | undefined>((top, one) => (top === undefined || one.weight > top.weight ? one : top), undefined)
    if (best === undefined) break
    left.delete(best.sentence)
    chosen.push(best.sentence)
    room -= best.sentence.chars + 1
    for (const word of best.sentence.words) said.set(word, (weights.get(word) ?? 0) * REPEATED_SHARE)
  }
  if (chosen.length > 0) return joinSentences(chosen.toSorted((one, other) => one.place - other.place))
  const ranked = placed.map((sentence) => ({ text: sentence.text, weight: weightOf(sentence, weights) })).toSorted((one, other) => other.weight - one.weight)
  return cutAtWord(ranked[0]?.text ?? '', SUMMARY_CHARS_MAX)
}

/** With a blank between them, but where the script has none. */
function joinSentences(sentences: readonly { readonly text: string }[]): string {
  return sentences.reduce((all, { text }) => (all === '' ? text : `${all}${/[。！？．]$/u.test(all) ? '' : ' '}${text}`), '')
}
