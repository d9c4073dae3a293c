import type { CompiledCollection } from '../app/compile-app.ts'
import type { Reader } from './database.ts'
import type { Dialect } from './dialect.ts'
import { recordBytes, recordJson } from './record-json.ts'

/** A range of versions over several collections. */
export interface LineScan {
  readonly space: number
  /** Only versions above this one. */
  readonly after: number
  /** Only versions up to this one. */
  readonly upTo: number
  /** Tombstones up to this version are left out. */
  readonly tombstonesAfter: number
  readonly limit: number
  /** A page ends early, after at least one record, when the texts in it pass this. */
  readonly bytesMax: number
  /** Stands between two records. */
  readonly separator: ',' | '\n'
  /** Stands behind the last one: bytes that are added later are copied once more. */
  readonly end: '' | '\n'
}

/** Records in the order of their versions. */
export interface LinePage {
  /** The records' JSON with the separator between, in UTF-8. */
  readonly json: Buffer
  /** Version of the last record; undefined on an empty page. */
  readonly version: number | undefined
  /** True when the range holds records behind this page. */
  readonly more: boolean
}

export const emptyPage: LinePage = { json: Buffer.alloc(0), version: undefined, more: false }

/**
 * Records and tombstones of several collections in the order of their versions. The database merges the collections' version
 * indexes: once to see how far the page goes, which reads no texts, and once to build all of its JSON as one value. So a page costs
 * what is on it, however large the space, and no record is a string here.
 */
export async function scanLines(reader: Reader, collections: readonly CompiledCollection[], scan: LineScan): Promise<LinePage> {
  if (collections.length === 0) return emptyPage
  const { space, after, upTo, tombstonesAfter, limit, bytesMax, separator, end } = scan
  const texts = scanTexts(reader.dialect, collections)
  const found = await reader.all<{ version: number; bytes: number }>(texts.extent, [space, after, upTo, tombstonesAfter, limit + 1])
  let count = 0
  let bytes = 0
  for (const row of found) {
    bytes += row.bytes
    if (count === limit || (bytes > bytesMax && count > 0)) break
    count += 1
  }
  const version = found[count - 1]?.version
  if (version === undefined) return emptyPage
  const [page] = await reader.all<{ json: string | Uint8Array }>(texts.json, [space, after, version, tombstonesAfter, count, separator, end])
  const json = page?.json ?? ''
  return { json: typeof json === 'string' ? Buffer.from(json) : Buffer.from(json.buffer, json.byteOffset, json.byteLength), version, more: count < found.length }
}

interface ScanTexts {
  /** Version and bytes of each record. */
  readonly extent: string
  readonly json: string
}

/** Kept per list of collections, so that each statement is prepared once. */
const kept = new Map<string, ScanTexts>()

export function scanTexts(dialect: Dialect, collections: readonly CompiledCollection[]): ScanTexts {
  const key = `${dialect.name} ${collections.map(({ table, fields }) => `${table}(${fields.map(({ column }) => column).join()})`).join()}`
  const known = kept.get(key)
  if (known !== undefined) return known
  const texts = {
    extent: scanText(dialect, collections, (collection) => `${recordBytes(collection)} AS bytes`),
    json: `SELECT ${dialect.joinedText('json', '?6', '?7')} AS json FROM (${scanText(dialect, collections, (collection) => `${recordJson(dialect, collection)} AS json`)}) AS page`,
  }
  kept.set(key, texts)
  return texts
}

function scanText(dialect: Dialect, collections: readonly CompiledCollection[], select: (collection: CompiledCollection) => string): string {
  const parts = collections.map((collection) =>
    dialect.orderedPart(
      `SELECT "version", ${select(collection)} FROM "${collection.table}" WHERE "space" = ?1 AND "version" > ?2 AND "version" <= ?3 AND ("deleted_at" IS NULL OR "version" > ?4)`,
      '?5',
    ),
  )
  return `${parts.join(' UNION ALL ')} ORDER BY 1 LIMIT ?5`
}
