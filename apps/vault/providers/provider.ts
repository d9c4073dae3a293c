import type { RetryAfter } from './retry-after.ts'

/** What a provider is given of one item. Text limits are code points. */
export interface EnrichInput {
  /** The captured text, 1–10,000 characters. */
  readonly text: string
  /** The readable part of the linked page, where there is one. */
  readonly article: { readonly title: string; readonly text: string } | undefined
  readonly language: 'en' | 'zh'
  /** Tags the person has: suggestions take their spelling. */
  readonly knownTags: readonly KnownTag[]
}

export interface KnownTag {
  readonly id: string
  readonly name: string
}

export interface SuggestedTag {
  readonly name: string
  /** 0–1. */
  readonly confidence: number
  /** Set when it is one of the known tags. */
  readonly tagId?: string
}

export type SourceType = 'NOTE' | 'ARTICLE'

/** `refused` and `empty` are answers too: there is nothing to say, and nobody is asked again. */
export type Enrichment =
  | { readonly kind: 'done'; readonly title: string; readonly summary: string; readonly tags: readonly SuggestedTag[]; readonly sourceType: SourceType }
  | { readonly kind: 'refused' }
  | { readonly kind: 'empty' }

/** The port to whoever writes titles, summaries and tags. */
export interface Provider {
  readonly name: 'stub' | 'local' | 'openai'
  readonly model: string | null
  /** Rejects with `ProviderError`; ends early when `signal` is aborted. */
  enrich(input: EnrichInput, signal: AbortSignal): Promise<Enrichment>
  close(): Promise<void>
}

export type ProviderErrorCode = 'LLM_TIMEOUT' | 'LLM_API_ERROR' | 'LLM_VALIDATION_ERROR' | 'ENRICHMENT_ERROR'

/** A failed attempt. Its message is shown to people: it names no key and repeats no captured text. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError'
  readonly code: ProviderErrorCode
  /** False when asking again cannot help. */
  readonly mayRetry: boolean
  /** What the provider asked to wait. */
  readonly retryAfter: RetryAfter | undefined

  constructor(code: ProviderErrorCode, message: string, options: { readonly mayRetry?: boolean; readonly retryAfter?: RetryAfter | undefined } = {}) {
    super(message)
    this.code = code
    this.mayRetry = options.mayRetry ?? true
    this.retryAfter = options.retryAfter
  }
}
