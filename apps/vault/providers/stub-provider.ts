import { createHash } from 'node:crypto'
import { charCount, cutText } from './cut-text.ts'
import type { Enrichment, EnrichInput, Provider } from './provider.ts'

const TITLE_CHARS = 50
const SUMMARY_CHARS = 150
const tagNames = ['idea', 'reading', 'work', 'home', 'travel', 'health', 'money', 'people', 'later', 'project'] as const

/** Answers at once and always the same: equal text, equal result. For tests and for trying the app without any model. */
export function createStubProvider(): Provider {
  return { name: 'stub', model: null, enrich: async (input) => stubEnrichment(input), close: async () => {} }
}

export function stubEnrichment({ text }: EnrichInput): Enrichment {
  const title = cutText(text.split('\n', 1)[0] ?? '', TITLE_CHARS)
  const plain = text.replaceAll(/\s+/gu, ' ')
  const summary = cutText(plain, SUMMARY_CHARS)
  return {
    kind: 'done',
    title: title === text ? title : `${title}...`,
    summary: charCount(plain) > SUMMARY_CHARS ? `${summary}...` : summary,
    tags: tagsOf(text).map((name) => ({ name, confidence: 0.5 })),
    sourceType: /http/iu.test(text) ? 'ARTICLE' : 'NOTE',
  }
}

/** Two different tags, chosen by the text's SHA-256. */
function tagsOf(text: string): string[] {
  const [first = 0, second = 0] = createHash('sha256').update(text).digest()
  const one = first % tagNames.length
  const step = 1 + (second % (tagNames.length - 1))
  return [tagNames[one], tagNames[(one + step) % tagNames.length]].flatMap((name) => (name === undefined ? [] : [name]))
}
