import type { CompiledApp } from '../app/compile-app.ts'
import { keyOfRow, readRows, RowDigest, type MovedTable, type TableDigest } from './copy-rows.ts'
import type { Database, Reader, SqlValue, Transactor } from './database.ts'
import { LIMITS_TABLE } from './limits-table.ts'
import { migrate, MOVING_KEY, type Migration } from './migrate.ts'
import { verifyChain } from './verify-chain.ts'

export interface Move {
  /** The server's database, which nobody writes to meanwhile. It is only read. */
  readonly from: Database
  /** An empty database, or one that an earlier run of the same move has begun to fill. */
  readonly to: Database
  readonly apps: readonly CompiledApp[]
  readonly migrations: readonly Migration[]
  /** Epoch milliseconds. */
  readonly now: number
  onProgress?(progress: MoveProgress): void
}

export interface MoveProgress {
  readonly step: 'copy' | 'compare' | 'chains'
  /** What is being done, such as the name of a table. */
  readonly what: string
  readonly done: number
  readonly total: number
}

export interface MoveResult {
  readonly tables: number
  readonly rows: number
  readonly spaces: number
}

const ROWS_PER_PAGE = 1_000
/** Spaces whose records are moved in one transaction: references between records hold at its end. */
const SPACES_PER_STEP = 100
const PARTS = 'moved_parts'
/** What each database says of itself: taken over at the end. */
const ownTables: ReadonlySet<string> = new Set(['holdfast_meta', 'holdfast_migrations'])
/** The index of the search looks different in each database and is made anew from the records. */
const SEARCH_TABLES = 'holdfast_search'
const staysBehind = (table: string) => table.startsWith(SEARCH_TABLES) || table === LIMITS_TABLE
const SEARCH_STATE = 'search/'

/**
 * Copies a whole server from one database to the other: every table of platform and apps with its versions, cursors and epoch, so
 * that clients go on where they were. What was copied is noted in the transaction that copies it, so a run that was broken off is
 * continued. At the end both are compared row by row and every chain of the change log is checked; until then no server starts on
 * the new one. Throws, saying what differs, and leaves the old one as it was.
 */
export async function moveDatabase(move: Move): Promise<MoveResult> {
  const epoch = await metaValue(move.from, 'epoch')
  if (epoch === undefined) throw new Error('There is no server in the database to move from.')
  await begin(move, epoch)
  const tables = await movedTables(move)
  await copyPlatform(move, tables)
  await copyRecords(move, tables)
  const rows = await compare(move, tables)
  const spaces = await checkChains(move)
  await finish(move, epoch)
  await migrate(move.to, move.apps, move.migrations, move.now)
  return { tables: tables.length, rows, spaces }
}

/** Makes the tables and marks the database as one that is being filled. */
async function begin({ from, to, apps, migrations, now }: Move, epoch: string): Promise<void> {
  const moving = await metaValue(to, MOVING_KEY)
  if (moving === epoch) return
  if (moving !== undefined) throw new Error('The database to move to was begun to be filled from another server. Empty it.')
  await refuseOtherApps(from, apps)
  await migrate(to, apps, migrations, now)
  await to.write(async (tx) => {
    for (const table of (await tx.dialect.tablesOf(tx, 'holdfast_')).filter((name) => !ownTables.has(name) && !staysBehind(name))) {
      if ((await tx.all(`SELECT 1 AS one FROM "${table}" LIMIT 1`)).length > 0) throw new Error('There is a server in the database to move to already. Name an empty one.')
    }
    await tx.run(`CREATE TABLE IF NOT EXISTS ${PARTS} (part ${tx.dialect.columnType('text')} PRIMARY KEY)`)
    await tx.run('INSERT INTO holdfast_meta (key, value) VALUES (?, ?)', [MOVING_KEY, epoch])
  })
}

async function refuseOtherApps(from: Database, apps: readonly CompiledApp[]): Promise<void> {
  const names = new Set(apps.map(({ name }) => name))
  const rows = await from.read((reader) => reader.all<{ app: string }>('SELECT DISTINCT app FROM holdfast_spaces ORDER BY app'))
  const other = rows.filter(({ app }) => !names.has(app)).map(({ app }) => app)
  if (other.length > 0) throw new Error(`The server to move has records of ${other.join(', ')}, which is not among the apps. Name all its apps.`)
}

/** The tables of the new database, which must be those of the old one. */
async function movedTables({ from, to, apps }: Move): Promise<readonly MovedTable[]> {
  const prefixes = ['holdfast_', ...apps.map(({ name }) => `${name}_`)]
  const [old, made] = await Promise.all([from, to].map((database) => database.read((reader) => describe(reader, prefixes))))
  for (const [name, { columns }] of old ?? []) {
    const other = made?.get(name)
    if (other === undefined) throw new Error(`The database to move has a table "${name}" that this program does not make.`)
    const missing = columns.filter((column) => !other.columns.includes(column))
    if (missing.length > 0) throw new Error(`The table "${name}" to move has columns that this program does not make: ${missing.join(', ')}.`)
    if (columns.length < other.columns.length) throw new Error(`The table "${name}" to move is of an older version. Start this program on it once, so that it is brought up to date.`)
  }
  return [...(made ?? new Map<string, MovedTable>()).values()].filter(({ name }) => old?.has(name) === true && !ownTables.has(name))
}

async function describe(reader: Reader, prefixes: readonly string[]): Promise<Map<string, MovedTable>> {
  const tables = new Map<string, MovedTable>()
  for (const prefix of prefixes) {
    for (const name of await reader.dialect.tablesOf(reader, prefix)) {
      if (staysBehind(name)) continue
      const columns = [...(await reader.dialect.columnsOf(reader, name)).keys()].toSorted()
      tables.set(name, { name, columns, key: await reader.dialect.keyOf(reader, name) })
    }
  }
  return tables
}

/** Tables that refer to nothing: page by page. */
async function copyPlatform(move: Move, tables: readonly MovedTable[]): Promise<void> {
  const platform = tables.filter(({ name }) => name.startsWith('holdfast_'))
  for (const [index, table] of platform.entries()) {
    move.onProgress?.({ step: 'copy', what: table.name, done: index, total: platform.length })
    await once(move, table.name, (tx) => copyRange(move, tx, table, undefined))
  }
}

/** Records refer to each other within a space, so a range of spaces is moved with all its tables at once. */
async function copyRecords(move: Move, tables: readonly MovedTable[]): Promise<void> {
  const records = tables.filter(({ name }) => !name.startsWith('holdfast_'))
  const spaces = await move.from.read((reader) => reader.all<{ space: number }>('SELECT space FROM holdfast_spaces ORDER BY space'))
  for (let start = 0; start < spaces.length; start += SPACES_PER_STEP) {
    move.onProgress?.({ step: 'copy', what: 'records', done: start, total: spaces.length })
    const above = spaces[start - 1]?.space ?? 0
    const upTo = spaces[Math.min(start + SPACES_PER_STEP, spaces.length) - 1]?.space ?? above
    await once(move, `spaces ${above}-${upTo}`, async (tx) => {
      for (const table of records) await copyRange(move, tx, table, [above, upTo])
    })
  }
}

async function copyRange({ from }: Move, tx: Transactor, table: MovedTable, spaces: readonly [number, number] | undefined): Promise<void> {
  for (let after: SqlValue[] | undefined; ;) {
    const rows = await from.read((reader) => readRows(reader, table, { after, spaces, limit: ROWS_PER_PAGE }))
    const last = rows.at(-1)
    if (last === undefined) return
    await tx.insertMany({ table: table.name, columns: table.columns, rows })
    after = keyOfRow(table, last)
  }
}

/** Does one part of the move in one transaction, unless an earlier run has done it. References of all its rows are checked in its commit. */
async function once({ to }: Move, part: string, work: (tx: Transactor) => Promise<void>): Promise<void> {
  await to.write(
    async (tx) => {
      const done = await tx.all(`SELECT part FROM ${PARTS} WHERE part = ?`, [part])
      if (done.length > 0) return
      await work(tx)
      await tx.run(`INSERT INTO ${PARTS} (part) VALUES (?)`, [part])
    },
    { unhurried: true },
  )
}

/** Reads every table on both sides and throws where they differ. Answers how many rows there are. */
async function compare(move: Move, tables: readonly MovedTable[]): Promise<number> {
  let rows = 0
  for (const [index, table] of tables.entries()) {
    move.onProgress?.({ step: 'compare', what: table.name, done: index, total: tables.length })
    const [old, made] = await Promise.all([digest(move.from, table), digest(move.to, table)])
    if (old.rows !== made.rows) throw new Error(`The table "${table.name}" has ${old.rows} rows, but ${made.rows} arrived. Was the server still running? Empty the new database and begin again.`)
    if (old.sha256 !== made.sha256) throw new Error(`The rows of the table "${table.name}" arrived differently. Was the server still running? Empty the new database and begin again.`)
    rows += old.rows
  }
  return rows
}

async function digest(database: Database, table: MovedTable): Promise<TableDigest> {
  const sum = new RowDigest()
  for (let after: SqlValue[] | undefined; ;) {
    const rows = await database.read((reader) => readRows(reader, table, { after, limit: ROWS_PER_PAGE }))
    const last = rows.at(-1)
    if (last === undefined) return sum.end()
    sum.add(rows)
    after = keyOfRow(table, last)
  }
}

/** Checks the chain of every space in the new database. Answers how many there are. */
async function checkChains(move: Move): Promise<number> {
  const spaces = await move.to.read((reader) => reader.all<{ space: number; id: string }>('SELECT space, id FROM holdfast_spaces ORDER BY space'))
  for (const [index, { space, id }] of spaces.entries()) {
    move.onProgress?.({ step: 'chains', what: id, done: index, total: spaces.length })
    const chain = await verifyChain(move.to, space)
    if (chain.kind === 'broken') throw new Error(`The change log of space ${id} is broken at entry ${chain.seq}: ${chain.reason}`)
  }
  return spaces.length
}

/** Takes over what the old database says of itself, and lets servers start. */
async function finish({ from, to }: Move, epoch: string): Promise<void> {
  const meta = await from.read((reader) => reader.all<{ key: string; value: string }>('SELECT key, value FROM holdfast_meta ORDER BY key'))
  const migrations = await from.read((reader) => reader.all<{ name: string; applied_at: number }>('SELECT name, applied_at FROM holdfast_migrations ORDER BY name'))
  if (meta.find(({ key }) => key === 'epoch')?.value !== epoch) throw new Error('The database to move from was exchanged meanwhile.')
  await to.write(async (tx) => {
    await tx.dialect.continueCounting(tx, 'holdfast_spaces', 'space')
    await tx.insertMany({ table: 'holdfast_meta', columns: ['key', 'value'], rows: meta.map(({ key, value }) => [key, value]), replaceBy: ['key'] })
    await tx.insertMany({ table: 'holdfast_migrations', columns: ['name', 'applied_at'], rows: migrations.map(({ name, applied_at }) => [name, applied_at]), replaceBy: ['name'] })
    await tx.run('DELETE FROM holdfast_meta WHERE key = ? OR substr(key, 1, length(?)) = ?', [MOVING_KEY, SEARCH_STATE, SEARCH_STATE])
    await tx.run(`DROP TABLE ${PARTS}`)
  })
}

async function metaValue(database: Database, key: string): Promise<string | undefined> {
  return database.read(async (reader) => {
    if (!(await reader.dialect.tablesOf(reader, 'holdfast_')).includes('holdfast_meta')) return undefined
    const [row] = await reader.all<{ value: string }>('SELECT value FROM holdfast_meta WHERE key = ?', [key])
    return row?.value
  })
}
