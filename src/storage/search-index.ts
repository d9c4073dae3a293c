import type { CompiledApp, CompiledCollection } from '../app/compile-app.ts'
import type { StoredRecord } from '../app/rule.ts'
import { FOLD_VERSION } from '../search/fold-text.ts'
import { gramsOf } from '../search/grams.ts'
import { searchLimits } from '../search/search-limits.ts'
import { searchTextOf } from '../search/search-text.ts'
import type { SqlValue, Transactor } from './database.ts'
import { recordFromRow, selectList, type RecordRow } from './record-rows.ts'
import { searchColumns, searchDialects, type SearchEntry } from './search-dialect.ts'

/** A record as a commit leaves it, and whether the database had it before. */
export interface WrittenRecord {
  readonly collection: CompiledCollection
  readonly record: StoredRecord
  readonly exists: boolean
}

/** Keeps the index in step with records that are being written: in the same transaction, so that a search never sees another state than a reader. */
export async function indexRecords(tx: Transactor, space: number, written: Iterable<WrittenRecord>): Promise<void> {
  const changed = await writeEntries(tx, space, written)
  // Behind all entries of the transaction: SQLite writes out what it has gathered of the index at every other statement, and at every savepoint.
  if (changed.length > 0) tx.beforeCommit(() => writeGrams(tx, changed))
}

interface ChangedEntry {
  readonly entry: SearchEntry
  /** Its text; undefined for one that is removed. */
  readonly segments: readonly string[] | undefined
}

/** Writes or removes the entries of records; answers those whose text has changed. */
async function writeEntries(tx: Transactor, space: number, written: Iterable<WrittenRecord>): Promise<ChangedEntry[]> {
  const changed: ChangedEntry[] = []
  for (const one of written) if (one.collection.search.length > 0) changed.push(...(await writeEntry(tx, space, one)))
  return changed
}

async function writeGrams(tx: Transactor, changed: readonly ChangedEntry[]): Promise<void> {
  const { putGrams, removeGrams } = searchDialects[tx.dialect.name]
  for (const { entry, segments } of changed) await (segments === undefined ? removeGrams(tx, entry) : putGrams(tx, entry, gramsOf(entry.space, segments)))
}

/** Writes or removes a record's entry; answers it when its text has changed. */
async function writeEntry(tx: Transactor, space: number, { collection, record, exists }: WrittenRecord): Promise<ChangedEntry[]> {
  const place = [space, collection.name, record.id] as const
  if (record.deletedAt !== null) return exists ? removeEntry(tx, place) : []
  const { head, body, segments } = searchTextOf(collection, record.fields)
  const listed = listedAs(collection, record)
  // Most changes leave the searched text as it is.
  if (
    exists &&
    (await tx.run('UPDATE holdfast_search SET version = ?, listed_by = ?, listed_at = ? WHERE space = ? AND collection = ? AND record = ? AND body = ? AND head = ?', [
      record.version,
      ...listed,
      ...place,
      body,
      head,
    ])) > 0
  )
    return []
  const rows = await tx.all<{ entry: number }>(
    `INSERT INTO holdfast_search (space, collection, record, version, listed_by, listed_at, head, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (space, collection, record) DO UPDATE SET version = excluded.version, listed_by = excluded.listed_by, listed_at = excluded.listed_at, head = excluded.head, body = excluded.body RETURNING entry`,
    [...place, record.version, ...listed, head, body],
  )
  return rows.map(({ entry }) => ({ entry: { space, entry }, segments }))
}

/** Where a listed record is found; nulls for one that is not. */
function listedAs({ listed }: CompiledCollection, { fields }: StoredRecord): SqlValue[] {
  if (listed === undefined) return [null, null]
  const [by, at] = [fields[listed.by.name], fields[listed.sort.name]]
  return typeof by === 'string' && typeof at === 'number' ? [by, at] : [null, null]
}

async function removeEntry(tx: Transactor, [space, collection, record]: readonly [space: number, collection: string, record: string]): Promise<ChangedEntry[]> {
  const rows = await tx.all<{ entry: number }>('DELETE FROM holdfast_search WHERE space = ? AND collection = ? AND record = ? RETURNING entry', [space, collection, record])
  return rows.map(({ entry }) => ({ entry: { space, entry }, segments: undefined }))
}

/** Makes the index, and makes it anew for collections whose searched fields have changed since it was made. */
export async function evolveSearch(tx: Transactor, app: CompiledApp): Promise<void> {
  const columns = await tx.dialect.columnsOf(tx, 'holdfast_search')
  const { key, createTables } = searchDialects[tx.dialect.name]
  const isOfThisForm = columns.size === searchColumns.length && searchColumns.every((name) => columns.has(name)) && key.join() === (await tx.dialect.keyOf(tx, 'holdfast_search')).join()
  if (columns.size > 0 && !isOfThisForm) await dropIndex(tx)
  if (!isOfThisForm) await createTables(tx)
  for (const collection of app.collections.values()) {
    const state = `search/${app.name}.${collection.name}`
    const listed = collection.listed === undefined ? '' : ` / ${collection.listed.by.name} ${collection.listed.sort.name}`
    const wanted = `${FOLD_VERSION} ${collection.search.map(({ name }) => name).join(' ')}${listed}`
    const [known] = await tx.all<{ value: string }>('SELECT value FROM holdfast_meta WHERE key = ?', [state])
    if (known?.value === wanted || (known === undefined && collection.search.length === 0)) continue
    await reindex(tx, app, collection)
    await tx.run('INSERT INTO holdfast_meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value', [state, wanted])
  }
}

/** An index of an earlier form: nothing is lost, as it is made of the records. */
async function dropIndex(tx: Transactor): Promise<void> {
  for (const table of await tx.dialect.tablesOf(tx, 'holdfast_search')) {
    // The tables behind a virtual one go with it.
    if (table === 'holdfast_search' || table === 'holdfast_search_grams') await tx.run(`DROP TABLE "${table}"`)
  }
  await tx.run("DELETE FROM holdfast_meta WHERE substr(key, 1, 7) = 'search/'")
}

async function reindex(tx: Transactor, app: CompiledApp, collection: CompiledCollection): Promise<void> {
  const stale = await tx.all<{ space: number; record: string }>(
    'SELECT search.space, search.record FROM holdfast_search AS search JOIN holdfast_spaces AS space ON space.space = search.space WHERE space.app = ? AND search.collection = ?',
    [app.name, collection.name],
  )
  for (const { space, record } of stale) await writeGrams(tx, await removeEntry(tx, [space, collection.name, record]))
  if (collection.search.length === 0) return
  const sql = `SELECT space, ${selectList(collection)} FROM "${collection.table}" WHERE deleted_at IS NULL AND (space > ? OR (space = ? AND id > ?)) ORDER BY space, id LIMIT ?`
  for (let [space, id] = [0, '']; ;) {
    const rows = await tx.all<RecordRow & { readonly space: number; readonly id: string }>(sql, [space, space, id, searchLimits.REINDEX_BATCH])
    const last = rows.at(-1)
    if (last === undefined) return
    for (const [spaceKey, itsRows] of Map.groupBy(rows, (row) => row.space)) {
      const written = itsRows.map((row) => ({ collection, record: recordFromRow(collection, row), exists: false }))
      await writeGrams(tx, await writeEntries(tx, spaceKey, written))
    }
    ;[space, id] = [last.space, last.id]
  }
}
