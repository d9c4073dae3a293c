import type { CompiledApp, CompiledCollection } from '../app/compile-app.ts'
import { Problem } from '../protocol/problem.ts'
import type { Database } from './database.ts'
import { otherRequests } from './other-requests.ts'
import { cursorAt } from './pull.ts'
import { collectionsOf } from './record-json.ts'
import { scanLines } from './scan-lines.ts'
import { readHorizons, readSpaceState } from './space-state.ts'

export interface SnapshotRequest {
  readonly app: CompiledApp
  readonly space: number
  readonly epoch: string
  readonly collections: readonly string[] | undefined
  /** What the reader may not read, for the head line. */
  readonly unreadable?: readonly string[]
  /** Version of the last record received from an earlier snapshot that broke; 0 to begin. */
  readonly after: number
  /** Version in the head line of the snapshot that broke. Without it the reader is taken to know nothing behind `after`. */
  readonly began?: number
}

/** Records of one read: long enough to be quick, short enough that other requests hardly wait. */
const PAGE_RECORDS = 150
const PAGE_BYTES_MAX = 4_194_304
/** Index entries counted in one read. */
const COUNT_ROWS = 1_000

/**
 * Lines of a snapshot, several at a time as NDJSON: head, live records by version, and the cursor where pull goes on.
 * Each page is a read of its own, so nothing is held while a slow reader waits. A record that is written meanwhile moves behind
 * the snapshot's version: it is left out here and comes with the first pull from the cursor, as does the tombstone of one that is deleted.
 */
export async function* snapshot(database: Database, request: SnapshotRequest): AsyncGenerator<Buffer> {
  const { app, space, epoch, after, unreadable = [] } = request
  const collections = collectionsOf(app, request.collections)
  const known = after === 0 ? 0 : (request.began ?? after)
  const { version, cursor } = await database.read(async (reader) => {
    const state = await readSpaceState(reader, space)
    if (Math.max(after, known) > state.version) throw new Problem('resync_required', { extra: { reason: 'diverged' } })
    const horizons = after === 0 ? new Map<string, number>() : await readHorizons(reader, space)
    if (collections.some(({ name }) => (horizons.get(name) ?? 0) > known)) throw new Problem('resync_required', { extra: { reason: 'horizon' } })
    return { version: state.version, cursor: await cursorAt(reader, request, state) }
  })
  const count = await countLive(database, collections, { space, after, upTo: version })
  yield lineOf({ snapshot: { epoch, version, count, ...(unreadable.length === 0 ? {} : { unreadable }) } })
  // One who resumes may hold a record that was deleted since: those tombstones are for them.
  const tombstonesAfter = after === 0 ? version : known
  for (let from = after; ;) {
    const scan = { space, after: from, upTo: version, tombstonesAfter, limit: PAGE_RECORDS, bytesMax: PAGE_BYTES_MAX, separator: '\n', end: '\n' } as const
    const page = await database.read((reader) => scanLines(reader, collections, scan))
    if (page.version === undefined) break
    yield page.json
    if (!page.more) break
    from = page.version
    await otherRequests()
  }
  yield lineOf({ cursor })
}

function lineOf(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`)
}

interface CountRange {
  readonly space: number
  readonly after: number
  readonly upTo: number
}

interface Counted {
  readonly rows: number
  readonly live: number
  readonly version: number
}

/** Counts live records a stretch of versions at a time, so that a space of millions holds up nobody. */
async function countLive(database: Database, collections: readonly CompiledCollection[], { space, after, upTo }: CountRange): Promise<number> {
  let count = 0
  for (const { table } of collections) {
    const stretch = `SELECT version, deleted_at FROM "${table}" WHERE space = ? AND version > ? AND version <= ? ORDER BY version LIMIT ?`
    const sql = `SELECT count(*) AS rows, count(*) - count(deleted_at) AS live, coalesce(max(version), 0) AS version FROM (${stretch}) AS stretch`
    for (let from = after; ;) {
      const [counted] = await database.read((reader) => reader.all<Counted>(sql, [space, from, upTo, COUNT_ROWS]))
      count += counted?.live ?? 0
      if (counted === undefined || counted.rows < COUNT_ROWS) break
      from = counted.version
      await otherRequests()
    }
  }
  return count
}
