import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { countOpenConflicts, countRecords, readHorizons, readSpaceState, type CompiledCollection, type Reader } from 'holdfast/server'
import type { Item } from './feed-items.ts'
import { collectionNames, type CollectionName, type JournalContext } from './journal-context.ts'

/** Counts and positions of a whole journal, as of one read. */
export async function readStatus(reader: Reader, { http, collections }: JournalContext, space: number): Promise<Item> {
  const count = (name: CollectionName) => countRecords(reader, collections[name], space)
  const files = await readFiles(reader, collections, space)
  const horizons = await readHorizons(reader, space)
  return {
    contentCount: await count('content'),
    journalCount: await count('journals'),
    associationCount: await count('associations'),
    mediaCount: files.count,
    draftCount: await count('drafts'),
    mediaBytes: files.bytes,
    orphanMediaCount: files.orphans,
    openConflicts: await countOpenConflicts(reader, { space, collections: undefined }),
    lastTimestamp: (await readSpaceState(reader, space)).version,
    horizon: Math.max(0, ...horizons.values()),
    epoch: http.epoch,
  }
}

interface Files {
  readonly count: number
  readonly bytes: number
  /** Live files whose note is not live. */
  readonly orphans: number
}

async function readFiles(reader: Reader, { media, content }: JournalContext['collections'], space: number): Promise<Files> {
  const sql = `SELECT count(*) AS "count", coalesce(sum(file.size_bytes), 0) AS "bytes", count(*) - count(note.id) AS "orphans"
FROM "${media.table}" AS file LEFT JOIN "${content.table}" AS note ON note.space = file.space AND note.id = file.content_id AND note.deleted_at IS NULL
WHERE file.space = ? AND file.deleted_at IS NULL`
  const [row] = await reader.all<Files>(sql, [space])
  return { count: Number(row?.count ?? 0), bytes: Number(row?.bytes ?? 0), orphans: Number(row?.orphans ?? 0) }
}

interface Usage {
  readonly category: string
  readonly bytes: number
  readonly count: number
}

/** Bytes of distinct files by the first word of their type. */
export async function readQuota(reader: Reader, { collections, settings }: JournalContext, space: number): Promise<Item> {
  const sql = `SELECT category AS "category", coalesce(sum(bytes), 0) AS "bytes", coalesce(sum(files), 0) AS "count" FROM (
SELECT min(substr(mime_type, 1, 5)) AS category, max(size_bytes) AS bytes, count(*) AS files FROM "${collections.media.table}" WHERE space = ? AND deleted_at IS NULL GROUP BY sha256
) AS blobs GROUP BY category`
  const rows = await reader.all<Usage>(sql, [space])
  const named = { image: 'image', video: 'video', audio: 'audio' } as const
  const usage = new Map(['image', 'video', 'audio', 'other'].map((category) => [category, { bytes: 0, count: 0 }]))
  for (const { category, bytes, count } of rows) {
    const known = usage.get(Object.hasOwn(named, category) ? category : 'other')
    if (known === undefined) continue
    known.bytes += Number(bytes)
    known.count += Number(count)
  }
  const categories = [...usage].map(([category, used]) => ({ category, ...used }))
  const usedBytes = categories.reduce((sum, { bytes }) => sum + bytes, 0)
  return { totalBytes: settings.quotaBytes ?? Number.MAX_SAFE_INTEGER, usedBytes, categories }
}

export interface RecordVersion {
  readonly id: string
  readonly serverVersion: number
}

/** Live records with their versions in code-unit order of id, which is that of ASCII. */
export async function listVersions(
  reader: Reader,
  collection: CompiledCollection,
  { space, after, limit }: { readonly space: number; readonly after: string; readonly limit: number },
): Promise<RecordVersion[]> {
  const sql = `SELECT id AS "id", version AS "serverVersion" FROM "${collection.table}" WHERE space = ? AND deleted_at IS NULL AND id > ? ORDER BY id LIMIT ?`
  return reader.all<RecordVersion>(sql, [space, after, limit])
}

/** Records of one statement while a checksum is made; between two of them other requests have their turn. */
const CHECKSUM_PAGE = 2_000

/** Count and checksum of every collection: both sides of a sync can tell that they hold the same. */
export async function readChecksums(reader: Reader, { http, collections }: JournalContext, space: number): Promise<Item> {
  const checked: Record<string, Item> = {}
  for (const name of collectionNames) checked[name] = await checksumOf(reader, collections[name], space)
  return { epoch: http.epoch, lastTimestamp: (await readSpaceState(reader, space)).version, collections: checked }
}

async function checksumOf(reader: Reader, collection: CompiledCollection, space: number): Promise<Item> {
  const digest = createHash('sha256')
  let [count, after, more] = [0, '', true]
  while (more) {
    const page = await listVersions(reader, collection, { space, after, limit: CHECKSUM_PAGE })
    for (const { id, serverVersion } of page) digest.update(`${id}:${serverVersion}\n`)
    count += page.length
    after = page.at(-1)?.id ?? after
    more = page.length === CHECKSUM_PAGE
    if (more) await setImmediate()
  }
  return { count, checksum: digest.digest('hex') }
}
