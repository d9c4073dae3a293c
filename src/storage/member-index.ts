import type { CompiledApp, CompiledCollection } from '../app/compile-app.ts'
import type { StoredRecord } from '../app/rule.ts'
import type { RecordChange } from './commit-draft.ts'
import type { SqlValue, Transactor } from './database.ts'
import { recordFromRow, selectList, type RecordRow } from './record-rows.ts'

/** Rows written by one statement: each is five parameters at most. */
const ROWS_PER_STATEMENT = 150
/** Records that are indexed again at once when a declaration has changed. */
const REINDEX_BATCH = 500

/** Keeps which records have a member, and how many of each group, in step with records that are being written. A change of neither costs nothing. */
export async function indexMembers(tx: Transactor, space: number, changes: Iterable<RecordChange>): Promise<void> {
  const gone: SqlValue[][] = []
  const come: SqlValue[][] = []
  const counts = new Map<string, { readonly key: readonly string[]; delta: number }>()
  const count = (key: readonly string[], delta: number) => {
    const known = counts.get(key.join('\0'))
    if (known === undefined) counts.set(key.join('\0'), { key, delta })
    else known.delta += delta
  }
  for (const { collection, original, record } of changes) {
    if (collection.members === undefined) continue
    const [before, after] = [membersOf(collection, original), membersOf(collection, record)]
    for (const member of before.members) {
      if (!after.members.has(member)) gone.push([space, collection.name, member, record.id])
      count([collection.name, member, before.group], -1)
    }
    for (const member of after.members) {
      if (!before.members.has(member)) come.push([space, collection.name, member, record.id])
      count([collection.name, member, after.group], 1)
    }
  }
  const changed = [...counts.values()].filter(({ delta }) => delta !== 0)
  await inBatches(gone, (rows) => tx.send(`DELETE FROM holdfast_list_members WHERE ${rows.map(() => '(space = ? AND collection = ? AND member = ? AND record = ?)').join(' OR ')}`, rows.flat()))
  await inBatches(come, (rows) => tx.insertMany({ table: 'holdfast_list_members', columns: ['space', 'collection', 'member', 'record'], rows }))
  await inBatches(
    changed.map(({ key, delta }) => [space, ...key, delta]),
    (rows) =>
      tx.send(
        `INSERT INTO holdfast_list_counts (space, collection, member, state, records) VALUES ${rows.map(() => '(?, ?, ?, ?, ?)').join(', ')}
ON CONFLICT (space, collection, member, state) DO UPDATE SET records = holdfast_list_counts.records + excluded.records`,
        rows.flat(),
      ),
  )
  if (changed.some(({ delta }) => delta < 0)) await tx.send('DELETE FROM holdfast_list_counts WHERE space = ? AND records = 0', [space])
}

/** Makes the index, and makes it anew for collections whose declaration of it has changed since it was made. */
export async function evolveMembers(tx: Transactor, app: CompiledApp): Promise<void> {
  const tables = await tx.dialect.tablesOf(tx, 'holdfast_list_')
  if (tables.length === 0) await createTables(tx)
  for (const collection of app.collections.values()) {
    const key = `members/${app.name}.${collection.name}`
    const wanted = collection.members === undefined ? '' : `${collection.members.name} ${collection.listed?.by.name ?? ''}`
    const [known] = await tx.all<{ value: string }>('SELECT value FROM holdfast_meta WHERE key = ?', [key])
    if ((known?.value ?? '') === wanted) continue
    await reindex(tx, app, collection)
    await tx.run('INSERT INTO holdfast_meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value', [key, wanted])
  }
}

async function createTables(tx: Transactor): Promise<void> {
  const text = `${tx.dialect.columnType('text')} NOT NULL`
  const rowless = tx.dialect.name === 'sqlite' ? ' WITHOUT ROWID' : ''
  await tx.run(`CREATE TABLE holdfast_list_members (space BIGINT NOT NULL, collection ${text}, member ${text}, record ${text}, PRIMARY KEY (space, collection, member, record))${rowless}`)
  await tx.run(
    `CREATE TABLE holdfast_list_counts (space BIGINT NOT NULL, collection ${text}, member ${text}, state ${text}, records BIGINT NOT NULL, PRIMARY KEY (space, collection, member, state))${rowless}`,
  )
  await tx.run('CREATE INDEX holdfast_list_counts_none ON holdfast_list_counts (space) WHERE records = 0')
}

async function reindex(tx: Transactor, app: CompiledApp, collection: CompiledCollection): Promise<void> {
  for (const table of ['holdfast_list_members', 'holdfast_list_counts']) {
    await tx.run(`DELETE FROM ${table} WHERE collection = ? AND space IN (SELECT space FROM holdfast_spaces WHERE app = ?)`, [collection.name, app.name])
  }
  if (collection.members === undefined) return
  const sql = `SELECT space, ${selectList(collection)} FROM "${collection.table}" WHERE deleted_at IS NULL AND (space > ? OR (space = ? AND id > ?)) ORDER BY space, id LIMIT ?`
  for (let [space, id] = [0, '']; ;) {
    const rows = await tx.all<RecordRow & { readonly space: number; readonly id: string }>(sql, [space, space, id, REINDEX_BATCH])
    const last = rows.at(-1)
    if (last === undefined) return
    for (const [spaceKey, itsRows] of Map.groupBy(rows, (row) => row.space)) {
      await indexMembers(
        tx,
        spaceKey,
        itsRows.map((row) => ({ collection, original: undefined, record: recordFromRow(collection, row) })),
      )
    }
    ;[space, id] = [last.space, last.id]
  }
}

interface Members {
  readonly members: ReadonlySet<string>
  readonly group: string
}

/** What a live record has; a tombstone has none. */
function membersOf({ members, listed }: CompiledCollection, record: StoredRecord | undefined): Members {
  if (members === undefined || record === undefined || record.deletedAt !== null) return { members: new Set(), group: '' }
  const list = record.fields[members.name]
  const group = record.fields[listed?.by.name ?? '']
  return { members: new Set(Array.isArray(list) ? list.filter((member) => typeof member === 'string') : []), group: typeof group === 'string' ? group : '' }
}

async function inBatches(rows: readonly SqlValue[][], write: (rows: SqlValue[][]) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) await write(rows.slice(start, start + ROWS_PER_STATEMENT))
}
