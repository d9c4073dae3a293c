import type { CompiledCollection, HttpContext } from 'holdfast/server'
import type { JournalSettings } from '../settings.ts'

export const collectionNames = ['content', 'journals', 'associations', 'media', 'drafts'] as const
export type CollectionName = (typeof collectionNames)[number]

/** What the routes of the journal share. */
export interface JournalContext {
  readonly http: HttpContext
  readonly settings: JournalSettings
  readonly collections: Readonly<Record<CollectionName, CompiledCollection>>
}

export function createJournalContext(http: HttpContext, settings: JournalSettings): JournalContext {
  const declared = http.apps.get('journal')?.app.collections
  const collectionOf = (name: CollectionName): CompiledCollection => {
    const collection = declared?.get(name)
    if (collection === undefined) throw new Error(`The journal lacks the collection "${name}".`)
    return collection
  }
  return {
    http,
    settings,
    collections: { content: collectionOf('content'), journals: collectionOf('journals'), associations: collectionOf('associations'), media: collectionOf('media'), drafts: collectionOf('drafts') },
  }
}
