import { createLocalProvider } from '../providers/local-provider.ts'
import { createOpenAiProvider } from '../providers/openai-provider.ts'
import type { Provider } from '../providers/provider.ts'
import { createStubProvider } from '../providers/stub-provider.ts'
import type { VaultSettings } from '../settings.ts'
import { createExchange } from './exchange.ts'

/** The provider that the settings name; undefined when there is to be none. */
export function chooseProvider({ ai, openai }: Pick<VaultSettings, 'ai' | 'openai'>): Provider | undefined {
  switch (ai) {
    case 'local':
      return createLocalProvider()
    case 'stub':
      return createStubProvider()
    case 'openai':
      return openai === undefined ? undefined : createOpenAiProvider({ ...openai, exchange: createExchange() })
    case 'off':
      return undefined
  }
}
