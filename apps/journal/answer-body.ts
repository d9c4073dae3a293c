/** What the answers of the dialect, and of the platform routes that its tests use, may hold. A test looks at the members that its answer has. */
export interface AnswerBody extends Item {
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, string>>
  readonly timestamp: string
  readonly text: string
  readonly current: Item | null
  readonly conflictId: string | null
  readonly epoch: string
  readonly horizon: number
  readonly applied: boolean
  readonly uploadedAt: number
  readonly changes: readonly (Item & { readonly collection: string; readonly version: number; readonly deleted: boolean; readonly data: Item | null })[]
  readonly drafts: AnswerBody['changes']
  readonly deletions: readonly Item[]
  readonly lastTimestamp: number
  readonly hasMore: boolean
  readonly cursor: string
  readonly uploadedCount: number
  readonly deletedCount: number
  readonly results: readonly LinkResult[]
  readonly versions: readonly {
    readonly historyId: string
    readonly serverVersion: number | null
    readonly applied: boolean
    readonly op: string
    readonly deviceId: string
    readonly record: Item | null
  }[]
  readonly items: readonly { readonly entityType: string; readonly id: string; readonly preview: string; readonly deletedAt: number; readonly purgeAfter: number; readonly serverVersion: number }[]
  readonly data: Readonly<Record<CountName | 'lastTimestamp' | 'horizon', number>> & { readonly epoch: string }
  readonly collections: Readonly<Record<string, { readonly count: number; readonly checksum: string }>>
  readonly records: readonly { readonly id: string; readonly serverVersion: number }[]
  readonly conflicts: readonly { readonly id: string; readonly recordId: string; readonly base: Item | null; readonly server: Item | null; readonly client: Item | null }[]
  /** Of a new API key. */
  readonly key: string
  readonly totalBytes: number
  readonly usedBytes: number
  readonly categories: readonly { readonly category: string; readonly bytes: number; readonly count: number }[]
}

type CountName = 'contentCount' | 'journalCount' | 'associationCount' | 'mediaCount' | 'draftCount' | 'mediaBytes' | 'orphanMediaCount' | 'openConflicts'

interface LinkResult {
  readonly journalId: string
  readonly contentId: string
  readonly status: string
  readonly reason: string | null
  readonly serverVersion: number | null
  /** Of a push. */
  readonly record?: { readonly data: Item | null } | null
}

interface Item {
  readonly id: string
  readonly serverVersion: number
  readonly deletedAt?: number
  readonly isDeleted: boolean
  readonly type: string
  readonly content: string | null
  readonly title: string
  readonly caption: string | null
  readonly placeName: string | null
  readonly tags: readonly string[]
  readonly favorite: boolean
  readonly createdAt: number
  readonly writtenAt: number
  readonly lastUpdated: number
  readonly receivedAt: number
  readonly deviceId: string
  readonly journalId: string
  readonly contentId: string
  readonly mediaId: string
  readonly downloadUrl: string
  readonly state: string
  readonly media: readonly Item[]
  readonly blocks: readonly object[]
  readonly blockTypes: readonly string[]
  readonly journalIds: readonly string[]
}
