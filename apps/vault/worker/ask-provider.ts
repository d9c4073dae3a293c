import { JobFailure } from 'holdfast/server'
import { ProviderError, type Enrichment, type EnrichInput, type Provider } from '../providers/provider.ts'
import { waitMsOf } from '../providers/retry-after.ts'

export interface AskOptions {
  /** The whole exchange, in milliseconds. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Epoch milliseconds: a provider may name the time until which to wait. */
  readonly now: () => number
}

/** Asks the provider once. Throws `JobFailure` with a code and a message that people may see, or the signal's reason. */
export async function askProvider(provider: Provider, input: EnrichInput, { timeoutMs, signal, now }: AskOptions): Promise<Enrichment> {
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(new ProviderError('LLM_TIMEOUT', `The provider did not answer within ${timeoutMs} ms.`)), timeoutMs)
  const both = AbortSignal.any([signal, timeout.signal])
  try {
    return await provider.enrich(input, both)
  } catch (error) {
    throw signal.aborted ? signal.reason : failureOf(error, now())
  } finally {
    clearTimeout(timer)
  }
}

/** What something else throws may quote the text or the key: it is not told. */
function failureOf(error: unknown, now: number): JobFailure {
  if (!(error instanceof ProviderError)) return new JobFailure('ENRICHMENT_ERROR', 'The provider failed in a way that is not known.')
  const { code, message, mayRetry, retryAfter } = error
  return new JobFailure(code, message, { final: !mayRetry, ...(retryAfter === undefined ? {} : { afterMs: waitMsOf(retryAfter, now) }) })
}
