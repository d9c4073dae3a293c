import { openThread, ThreadFailure } from '../threads/open-thread.ts'
import { ProviderError, type Enrichment, type EnrichInput, type Provider } from './provider.ts'

/** Published code is JavaScript, the repository's is TypeScript: the worker is whichever this module is. */
const workerUrl = new URL(import.meta.url.endsWith('.ts') ? './local-worker.ts' : './local-worker.js', import.meta.url)

/** Far more than any text takes, in milliseconds; the first one also loads the model. */
const ANSWER_MS_MAX = 20_000

/** Title, summary and tags from the text itself, in a worker thread. No network. */
export function createLocalProvider(): Provider {
  const thread = openThread<EnrichInput, Enrichment>(workerUrl, { answerMs: ANSWER_MS_MAX })
  return {
    name: 'local',
    model: null,
    enrich: async (input, signal) => {
      try {
        return await thread.ask(input, signal)
      } catch (error) {
        throw error instanceof ThreadFailure ? new ProviderError('ENRICHMENT_ERROR', error.message) : error
      }
    },
    close: () => thread.close(),
  }
}
