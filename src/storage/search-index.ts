import type { CompiledApp, CompiledCollection } from '../app/compile-app.ts'
import type { StoredRecord } from '../app/rule.ts'
import { sameJson } from '../lib/json.ts'
import { FOLD_VERSION } from '../search/fold-text.ts'
import { gramsOf } from '../search/grams.ts'
import { searchLimits } from '../search/search-limits.ts'
import { searchTextOf } from '../search/search-text.ts'
import type { RecordChange } from './commit-draft.ts'
import type { SqlValue, Transactor } from './database.ts'
import { recordFromRow, selectList, type RecordRow } from './record-rows.ts'
import { searchColumns, searchDialects, writtenColumns } from './search-dialect.ts'

/** Keeps the index in step with records that are being written: in the same transaction, so that a search never sees another state than a reader. */
export async function indexRecords(tx: Transactor, space: number, changes: Iterable<RecordChange>): Promise<void> {
  const stale = await writeEntries(tx, space, changes)
  // Behind all entries of the transaction: SQLite writes out what it has gathered of the index at every savepoint, and for most other statements.
  if (stale.texts.length > 0 || stale.removed.length > 0) tx.beforeCommit(() => writeGrams(tx, space, stale))
}

/** What the grams do not know yet. */
interface Stale {
  readonly texts: readonly { readonly collection: string; readonly record: string; readonly segments: readonly string[] }[]
  /** Entries that are no more. */
  readonly removed: readonly number[]
}

const entryKey = ['space', 'collection', 'record'] as const

/** Writes and removes the entries of records. Nothing of what is written is waited for. */
async function writeEntries(tx: Transactor, space: number, changes: Iterable<RecordChange>): Promise<Stale> {
  const rows: SqlValue[][] = []
  const texts: Stale['texts'][number][] = []
  const removals: Promise<number[]>[] = []
  for (const { collection, original, record } of changes) {
    if (collection.search.length === 0) continue
    const known = original?.deletedAt === null ? original : undefined
    if (record.deletedAt !== null) {
      if (known !== undefined) removals.push(removeEntry(tx, [space, collection.name, record.id]))
      continue
    }
    const { head, body, segments } = searchTextOf(collection, record.fields)
    rows.push([space, collection.name, record.id, record.version, ...listedAs(collection, record), head, body])
    // Most changes leave the searched text as it is.
    const isSame = known !== undefined && collection.search.every(({ name }) => sameJson(known.fields[name] ?? null, record.fields[name] ?? null))
    if (!isSame) texts.push({ collection: collection.name, record: record.id, segments })
  }
  await tx.insertMany({ table: 'holdfast_search', columns: writtenColumns, rows, replaceBy: entryKey })
  return { texts, removed: (await Promise.all(removals)).flat() }
}

async function writeGrams(tx: Transactor, space: number, { texts, removed }: Stale): Promise<void> {
  const { putGrams, removeGrams, gramsText } = searchDialects[tx.dialect.name]
  await removeGrams(tx, space, removed)
  const put = texts.values().map(({ collection, record, segments }) => ({ collection, record, grams: gramsText(gramsOf(space, segments)) }))
  await putGrams(tx, space, put)
}

/** Where a listed record is found; nulls for one that is not. */
function listedAs({ listed }: CompiledCollection, { fields }: StoredRecord): SqlValue[] {
  if (listed === undefined) return [null, null]
  const [by, at] = [fields[listed.by.name], fields[listed.sort.name]]
  return typeof by === 'string' && typeof at === 'number' ? [by, at] : [null, null]
}

/** Answers the number of the entry. */
async function removeEntry(tx: Transactor, place: readonly [space: number, collection: string, record: string]): Promise<number[]> {
  const rows = await tx.all<{ entry: number }>('DELETE FROM holdfast_search WHERE space = ? AND collection = ? AND record = ? RETURNING entry', place)
  return rows.map(({ entry }) => entry)
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
  for (const { space, record } of stale) await writeGrams(tx, space, { texts: [], removed: await removeEntry(tx, [space, collection.name, record]) })
  if (collection.search.length === 0) return
  const sql = `SELECT space, ${selectList(collection)} FROM "${collection.table}" WHERE deleted_at IS NULL AND (space > ? OR (space = ? AND id > ?)) ORDER BY space, id LIMIT ?`
  for (let [space, id] = [0, '']; ;) {
    const rows = await tx.all<RecordRow & { readonly space: number; readonly id: string }>(sql, [space, space, id, searchLimits.REINDEX_BATCH])
    const last = rows.at(-1)
    if (last === undefined) return
    for (const [spaceKey, itsRows] of Map.groupBy(rows, (row) => row.space)) {
      const changes = itsRows.map((row) => ({ collection, record: recordFromRow(collection, row), original: undefined }))
      await writeGrams(tx, spaceKey, await writeEntries(tx, spaceKey, changes))
    }
    ;[space, id] = [last.space, last.id]
  }
}
