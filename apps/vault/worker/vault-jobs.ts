import type { JobDefinitions } from 'holdfast/server'
import { ENRICH } from '../rules/enrich-job.ts'
import type { VaultSettings } from '../settings.ts'
import { chooseProvider } from './choose-provider.ts'
import { emptyTrash } from './empty-trash.ts'
import { enrichItem } from './enrich-item.ts'
import { createArticleFetcher } from './fetch-article.ts'

/** The vault's work in the background. */
export function vaultJobs(settings: VaultSettings): JobDefinitions {
  const fetcher = settings.fetch ? createArticleFetcher(settings) : undefined
  return { [ENRICH]: enrichItem({ settings, provider: chooseProvider(settings), fetcher }), 'vault.trash': emptyTrash(settings) }
}
