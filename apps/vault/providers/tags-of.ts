import type { Phrase } from './analyse-text.ts'
import { charCount, cutText } from './cut-text.ts'
import type { KnownTag, SuggestedTag } from './provider.ts'

const TAGS_MAX = 3
const TAG_CHARS_MAX = 50
const KNOWN_CONFIDENCE = 0.9
/** From a phrase that stands there once to one that the text is about. */
const CONFIDENCE = { least: 0.4, most: 0.8, countMost: 5 } as const
/** A phrase that weighs less than this share of the weightiest is what the text mentions, not what it is about. */
const SHARE_MIN = 0.3

/** Known tags that the text names, then its weightiest phrases; never none. */
export function tagsOf(text: string, phrases: ReadonlyMap<string, Phrase>, knownTags: readonly KnownTag[]): SuggestedTag[] {
  const lower = text.toLowerCase()
  const known = knownTags.filter(({ name }) => namesWord(lower, name.toLowerCase())).toSorted((one, other) => other.name.length - one.name.length)
  const tags: SuggestedTag[] = known.slice(0, TAGS_MAX).map(({ id, name }) => ({ name, tagId: id, confidence: KNOWN_CONFIDENCE }))
  const taken = new Set(known.map(({ name }) => name.toLowerCase()))
  const ranked = [...phrases]
    .map(([phrase, { weight, count }]) => ({ phrase, weight, count }))
    .filter(({ phrase }) => charCount(phrase) <= TAG_CHARS_MAX && !taken.has(phrase))
    .toSorted((one, other) => other.weight - one.weight || lower.indexOf(one.phrase) - lower.indexOf(other.phrase))
  const top = ranked[0]?.weight ?? 1
  for (const { phrase, weight, count } of ranked) {
    if (tags.length >= TAGS_MAX || weight < top * SHARE_MIN) break
    if (tags.some(({ name }) => name.includes(phrase) || phrase.includes(name))) continue
    tags.push({ name: phrase, confidence: confidenceOf(count) })
  }
  if (tags.length > 0) return tags
  const host = /https?:\/\/(?:www\.)?([^/\s:?#]+)/u.exec(lower)?.[1]
  const word = host ?? /[\p{L}\p{N}]+/u.exec(lower)?.[0] ?? text.trim()
  return [{ name: cutText(word, TAG_CHARS_MAX), confidence: 0.3 }]
}

function confidenceOf(count: number): number {
  const { least, most, countMost } = CONFIDENCE
  return Math.round(100 * (least + ((most - least) * (Math.min(count, countMost) - 1)) / (countMost - 1))) / 100
}

/** True when the name stands in the text as a word of its own; in scripts without blanks, anywhere. */
function namesWord(lower: string, name: string): boolean {
  for (let at = lower.indexOf(name); at !== -1; at = lower.indexOf(name, at + 1)) {
    const before = lower.slice(0, at).at(-1) ?? ' '
    const after = lower.at(at + name.length) ?? ' '
    if (!/[\p{L}\p{N}]/u.test(before) && !/[\p{L}\p{N}]/u.test(after)) return true
    if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(name)) return true
  }
  return false
}
