import type { CompiledCollection } from '../app/compile-app.ts'
import type { StoredRecord } from '../app/rule.ts'
import type { Reader } from './database.ts'
import { readPage, type Page } from './page.ts'
import { recordList } from './read-records.ts'

export interface TombstonePage {
  readonly space: number
  /** Only versions below this one; undefined for the first page. */
  readonly before: number | undefined
  readonly limit: number
}

/** Tombstones that are still kept, newest first, with the fields their records had. */
export async function listTombstones(reader: Reader, collection: CompiledCollection, { space, before, limit }: TombstonePage): Promise<Page<StoredRecord>> {
  const below = before === undefined ? '' : ' AND version < ?'
  const text = `FROM "${collection.table}" WHERE space = ? AND deleted_at IS NOT NULL${below} ORDER BY version DESC LIMIT ?`
  return readPage(recordList(reader, collection, { text, values: before === undefined ? [space] : [space, before] }), limit)
}
