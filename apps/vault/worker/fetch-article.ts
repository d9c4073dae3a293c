import type { RecordOf } from 'holdfast'
import { createGuardedFetch, type Fetched, type RefusalCode } from 'holdfast/server'
import type { vault } from '../app.ts'
import { vaultLimits } from '../limits.ts'
import type { VaultSettings } from '../settings.ts'
import { openThread, ThreadFailure } from '../threads/open-thread.ts'
import type { Page, ReadablePage } from './read-page.ts'

export type Article = RecordOf<typeof vault, 'articles'>
/** An article without the item that it belongs to and the time. */
export type FetchedArticle = Omit<Article, 'itemId' | 'fetchedAt'>

/** Fetches the pages that people give the addresses of. */
export interface ArticleFetcher {
  /** Rejects only when the signal is aborted: a page that cannot be had is an article that says so. */
  fetchArticle(url: string, signal: AbortSignal): Promise<FetchedArticle>
}

/** Longest time that finding the article of a page may take, in milliseconds. */
export const READ_MS_MAX = 15_000
/** VLT-64. */
export const FETCH_MS_MAX = 10_000
const FETCH_BYTES_MAX = 5_242_880
const pageTypes = ['text/html', 'application/xhtml+xml', 'text/plain']

/** Published code is JavaScript, the repository's is TypeScript: the worker is whichever this module is. */
const workerUrl = new URL(import.meta.url.endsWith('.ts') ? './page-worker.ts' : './page-worker.js', import.meta.url)

/** Fetches through the guard and reads in a thread of its own. */
export function createArticleFetcher({ fetchAllow }: Pick<VaultSettings, 'fetchAllow'>): ArticleFetcher {
  const guarded = createGuardedFetch({ allow: fetchAllow, timeoutMs: FETCH_MS_MAX, bytesMax: FETCH_BYTES_MAX })
  const thread = openThread<Page, ReadablePage>(workerUrl, { answerMs: READ_MS_MAX })
  return {
    fetchArticle: async (url, signal) => {
      const fetched = await guarded.get(url, { types: pageTypes, signal })
      signal.throwIfAborted()
      if (fetched.kind === 'refused') return { ...blank, ...codes[fetched.code] }
      const page = await readable(fetched, (asked) => thread.ask(asked, signal))
      const { title, byline, siteName, language, text, wordCount } = page ?? blank
      const fetchedUrl = fetched.url.length > vaultLimits.URL_CHARS_MAX ? null : fetched.url
      return { status: text === '' ? 'empty' : 'done', code: null, title, byline, siteName, language, text, wordCount, fetchedUrl }
    },
  }
}

/** Undefined for a page that nothing can be read of. */
async function readable({ body, type, charset }: Extract<Fetched, { readonly kind: 'fetched' }>, read: (page: Page) => Promise<ReadablePage>): Promise<ReadablePage | undefined> {
  try {
    return await read({ body, type, charset })
  } catch (error) {
    if (error instanceof ThreadFailure) return undefined
    throw error
  }
}

const blank: FetchedArticle = { status: 'failed', code: 'FETCH_ERROR', title: null, byline: null, siteName: null, language: null, wordCount: 0, text: '', fetchedUrl: null }

const codes: Readonly<Record<RefusalCode, Pick<Article, 'status' | 'code'>>> = {
  invalid: { status: 'blocked', code: 'URL_BLOCKED' },
  blocked: { status: 'blocked', code: 'URL_BLOCKED' },
  redirects: { status: 'failed', code: 'FETCH_ERROR' },
  timeout: { status: 'failed', code: 'FETCH_TIMEOUT' },
  too_large: { status: 'failed', code: 'FETCH_TOO_LARGE' },
  status: { status: 'failed', code: 'FETCH_STATUS' },
  type: { status: 'failed', code: 'FETCH_TYPE' },
  error: { status: 'failed', code: 'FETCH_ERROR' },
}
