import { Readability } from '@mozilla/readability'
import { DOMParser } from 'linkedom'
import { vaultLimits } from '../limits.ts'
import { cutText } from '../providers/cut-text.ts'
import { decodePage } from './decode-page.ts'
import { plainText, type PageNode } from './plain-text.ts'

/** A page as it was fetched. */
export interface Page {
  readonly body: Uint8Array
  /** `text/html`, `application/xhtml+xml` or `text/plain`. */
  readonly type: string
  readonly charset: string | undefined
}

/** What a person would read of it. `text` is empty where there is nothing of that kind. */
export interface ReadablePage {
  readonly title: string | null
  readonly byline: string | null
  readonly siteName: string | null
  readonly language: string | null
  readonly text: string
  readonly wordCount: number
}

const LABEL_CHARS_MAX = 500
const LANGUAGE_CHARS_MAX = 60
/** Elements of a page beyond which finding its article takes too long. */
const ELEMENTS_MAX = 100_000

/** Reduces a page to its readable text. Pure; what a page can make it throw is for the caller. */
export function readPage({ body, type, charset }: Page): ReadablePage {
  const source = decodePage(body, charset)
  if (type === 'text/plain') return page({ title: null, byline: null, siteName: null, language: null }, source)
  const document = new DOMParser().parseFromString(/<html[\s>]/i.test(source) ? source : `<!doctype html><html><head></head><body>${source}</body></html>`, 'text/html')
  const language = document.documentElement?.getAttribute('lang') ?? null
  const title = document.querySelector('title')?.textContent ?? null
  // The two libraries describe one interface, each in its own words.
  const article = new Readability<PageNode>(document as unknown as Document, { maxElemsToParse: ELEMENTS_MAX, serializer: (node) => node }).parse()
  const { content = null, byline = null, siteName = null } = article ?? {}
  return page({ title: article?.title ?? title, byline, siteName, language: article?.lang ?? language }, content === null ? '' : plainText(content))
}

type Labels = Pick<ReadablePage, 'title' | 'byline' | 'siteName' | 'language'>

function page({ title, byline, siteName, language }: Labels, source: string): ReadablePage {
  const text = cutText(clean(source), vaultLimits.ARTICLE_CHARS_MAX).trim()
  return { title: label(title), byline: label(byline), siteName: label(siteName), language: languageTag(language), text, wordCount: countWords(text) }
}

/** Without what a database does not keep as it is. */
function clean(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '').trim()
}

function label(text: string | null | undefined): string | null {
  const short = cutText(clean(text ?? '').replaceAll(/\s+/gu, ' '), LABEL_CHARS_MAX).trim()
  return short === '' ? null : short
}

function languageTag(text: string | null | undefined): string | null {
  const tag = (text ?? '').trim()
  return tag.length <= LANGUAGE_CHARS_MAX && /^[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*$/.test(tag) ? tag.replaceAll('_', '-') : null
}

function countWords(text: string): number {
  let words = 0
  for (const { isWordLike } of new Intl.Segmenter(undefined, { granularity: 'word' }).segment(text)) if (isWordLike === true) words += 1
  return words
}
