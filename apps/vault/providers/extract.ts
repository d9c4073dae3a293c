import { analyseText, type AnalysedSentence } from './analyse-text.ts'
import { charCount, cutAtWord } from './cut-text.ts'
import type { Enrichment, EnrichInput } from './provider.ts'
import { summaryOf } from './summary-of.ts'
import { tagsOf } from './tags-of.ts'
import { TITLE_CHARS_MAX, titleOf } from './title-of.ts'

const ARTICLE_CHARS_MIN = 2_000
/** Text looked at, in characters: an article's beginning says what it is about. */
const READ_CHARS_MAX = 20_000
/** What a word of a suggested tag says beside another. */
const TAG_WORD_WEIGHT = 1.5

/** Title, summary and tags taken from the text itself: nothing is made up. Pure. */
export function extract({ text, article, language, knownTags }: EnrichInput): Enrichment {
  const read = (article?.text ?? text).slice(0, READ_CHARS_MAX)
  const { sentences, phrases } = analyseText(read, language)
  const tags = tagsOf(article === undefined ? read : `${text}\n${read}`, phrases, knownTags)
  const weights = wordWeights(sentences, new Set(tags.flatMap(({ name }) => name.toLowerCase().split(' '))))
  const title = article !== undefined && article.title.trim() !== '' ? cutAtWord(article.title.trim(), TITLE_CHARS_MAX) : titleOf(read, sentences, weights)
  const summary = summaryOf(sentences, weights, title)
  if (title === '' && summary === '') return { kind: 'empty' }
  const sourceType = article !== undefined || charCount(text) > ARTICLE_CHARS_MIN ? 'ARTICLE' : 'NOTE'
  return { kind: 'done', title, summary, tags, sourceType }
}

/** How often each telling word stands in the text, damped: the third time says less than the first. Those of the tags say more. */
function wordWeights(sentences: readonly AnalysedSentence[], tagWords: ReadonlySet<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const word of sentences.flatMap(({ words }) => words)) counts.set(word, (counts.get(word) ?? 0) + 1)
  return new Map([...counts].map(([word, count]) => [word, Math.log2(1 + count) * (tagWords.has(word) ? TAG_WORD_WEIGHT : 1)]))
}
