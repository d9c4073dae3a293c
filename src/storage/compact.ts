import type { CompiledApp, CompiledCollection } from '../app/compile-app.ts'
import type { Database, Transactor } from './database.ts'
import { readSpaceState } from './space-state.ts'

export interface Compaction {
  readonly app: CompiledApp
  /** Tombstones of an earlier time are forgotten, epoch milliseconds. */
  readonly before: number
}

/** Tombstones of one transaction: few enough that a push hardly waits. */
const BATCH = 500
/** Spaces looked for at once. */
const SPACES_AT_ONCE = 200

/**
 * Forgets old tombstones and raises the horizon of their collection in the same transaction, so that a cursor that has not seen them
 * is told to read again. One that another record still refers to stays. Answers how many were forgotten.
 */
export async function compact(database: Database, { app, before }: Compaction): Promise<number> {
  let forgotten = 0
  for (const collection of app.collections.values()) {
    for (let after = 0; ;) {
      const spaces = await database.read((reader) =>
        reader.all<{ space: number }>(`SELECT DISTINCT space FROM "${collection.table}" WHERE deleted_at < ? AND space > ? ORDER BY space LIMIT ?`, [before, after, SPACES_AT_ONCE]),
      )
      for (const { space } of spaces) forgotten += await compactSpace(database, app, { collection, space, before })
      const last = spaces.at(-1)
      if (last === undefined || spaces.length < SPACES_AT_ONCE) break
      after = last.space
    }
  }
  return forgotten
}

interface SpaceCompaction {
  readonly collection: CompiledCollection
  readonly space: number
  readonly before: number
}

async function compactSpace(database: Database, app: CompiledApp, compaction: SpaceCompaction): Promise<number> {
  const { space } = compaction
  let forgotten = 0
  for (;;) {
    const count = await database.write(
      async (tx) => {
        await readSpaceState(tx, space, { lock: true })
        return forgetSome(tx, app, compaction)
      },
      { space },
    )
    forgotten += count
    if (count < BATCH) return forgotten
  }
}

async function forgetSome(tx: Transactor, app: CompiledApp, { collection, space, before }: SpaceCompaction): Promise<number> {
  const { table, name } = collection
  const unused = referrersOf(app, collection).map((referrer) => ` AND NOT EXISTS (SELECT 1 FROM "${referrer.table}" AS other WHERE other.space = old.space AND other."${referrer.column}" = old.id)`)
  const sql = `SELECT old.id, old.version FROM "${table}" AS old WHERE old.space = ? AND old.deleted_at < ?${unused.join('')} ORDER BY old.version LIMIT ?`
  const rows = await tx.all<{ id: string; version: number }>(sql, [space, before, BATCH])
  const last = rows.at(-1)
  if (last === undefined) return 0
  await tx.run(`DELETE FROM "${table}" WHERE space = ? AND ${tx.dialect.inJsonArray('id')}`, [space, JSON.stringify(rows.map(({ id }) => id))])
  const raise =
    'INSERT INTO holdfast_horizons (space, collection, version) VALUES (?, ?, ?) ON CONFLICT (space, collection) DO UPDATE SET version = excluded.version WHERE holdfast_horizons.version < excluded.version'
  await tx.run(raise, [space, name, last.version])
  return rows.length
}

/** Columns of the app that refer to records of a collection. */
function referrersOf(app: CompiledApp, { name }: CompiledCollection): { readonly table: string; readonly column: string }[] {
  return [...app.collections.values()].flatMap(({ table, refs }) => refs.filter(({ ref }) => ref === name).map(({ column }) => ({ table, column })))
}
