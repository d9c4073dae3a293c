import type { Fields, JsonValue, StoredRecord } from 'holdfast'
import { wireName } from './read-write.ts'

export type Item = Readonly<Record<string, JsonValue>>

/** Where the bytes of a file are read. Computed at each read: the configured address may change. */
export function downloadUrl(publicUrl: string | undefined, mediaId: string): string {
  return `${publicUrl ?? ''}/journal/sync/media/${mediaId}`
}

export interface ItemContext {
  readonly publicUrl: string | undefined
  /** Live files by the id of their note. */
  readonly mediaByContent: ReadonlyMap<string, readonly StoredRecord[]>
}

/** A live record as feeds, reads and conflicts show it. */
export function itemOf(collection: string, record: StoredRecord, context: ItemContext): Item {
  const { fields, id, version: serverVersion } = record
  switch (collection) {
    case 'content': {
      const media = (context.mediaByContent.get(id) ?? []).map((file) => noteMedia(file, context))
      return { id, ...shown(fields, contentFields), serverVersion, receivedAt: record.updatedAt, isDeleted: false, media }
    }
    case 'journals':
      return { id, ...shown(fields, journalFields), serverVersion, receivedAt: record.updatedAt, isDeleted: false }
    case 'associations':
      return { ...shown(fields, linkFields), serverVersion, isDeleted: false }
    case 'media':
      return {
        mediaId: id,
        ...shown(fields, mediaFields),
        downloadUrl: downloadUrl(context.publicUrl, id),
        uploadedAt: record.createdAt,
        deviceId: fields['deviceId'] ?? '',
        serverVersion,
        isDeleted: false,
      }
    default:
      // Older clients of drafts read the second spelling.
      return { id, ...shown(fields, draftFields), serverVersion, isDeleted: false, is_deleted: false }
  }
}

/** A tombstone as the `deletions` of a feed show it. */
export function deletionOf(collection: string, { id, fields, version: serverVersion, deletedAt }: StoredRecord): Item {
  switch (collection) {
    case 'associations':
      return { ...shown(fields, ['journalId', 'contentId']), deletedAt, serverVersion }
    case 'media':
      return { mediaId: id, ...shown(fields, ['contentId']), deletedAt, serverVersion }
    default:
      return { id, deletedAt, serverVersion }
  }
}

/** The server's side of a conflict: the record, or that it is deleted. */
export function currentOf(collection: string, record: StoredRecord, context: ItemContext): Item {
  const { id, version: serverVersion, deletedAt } = record
  return deletedAt === null ? itemOf(collection, record, context) : { id, serverVersion, isDeleted: true, deletedAt }
}

function noteMedia({ id, fields }: StoredRecord, { publicUrl }: ItemContext): Item {
  return { mediaId: id, ...shown(fields, ['fileName', 'mimeType', 'sizeBytes', 'sha256', 'state']), downloadUrl: downloadUrl(publicUrl, id) }
}

const contentFields = [
  'type',
  'content',
  'mediaUri',
  'durationMs',
  'writtenAt',
  'lastUpdated',
  'caption',
  'placeName',
  'latitude',
  'longitude',
  'tags',
  'favorite',
  'entryDate',
  'timeZone',
  'deviceId',
] as const
const journalFields = ['title', 'description', 'coverMediaId', 'favorite', 'writtenAt', 'lastUpdated', 'deviceId'] as const
const linkFields = ['journalId', 'contentId', 'writtenAt', 'deviceId'] as const
const mediaFields = ['contentId', 'fileName', 'mimeType', 'sizeBytes', 'sha256', 'width', 'height', 'state', 'stateReason'] as const
const draftFields = ['content', 'blocks', 'blockTypes', 'journalIds', 'writtenAt', 'lastUpdated', 'deviceId'] as const

/** The named fields under the dialect's names, every one of them. */
function shown(fields: Fields, names: readonly string[]): Item {
  return Object.fromEntries(names.map((name) => [wireName(name), fields[name] ?? null]))
}
