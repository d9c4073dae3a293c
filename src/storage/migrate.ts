import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { CompiledApp } from '../app/compile-app.ts'
import type { Database, Transactor } from './database.ts'
import { evolveTables } from './evolve-tables.ts'
import { evolveMembers } from './member-index.ts'
import { MigrationRefused } from './migration-refused.ts'
import { createPlatform } from './migrations/0001-platform.ts'
import { createLogAnchors } from './migrations/0002-log-anchors.ts'
import { keyJobsBySpace } from './migrations/0003-jobs-by-space.ts'
import { indexJobsBegun } from './migrations/0004-jobs-begun.ts'
import { evolveSearch } from './search-index.ts'

/** A step that an app's author wrote because it could not be derived: a rename, a conversion, a removal. */
export interface Migration {
  /** `<app>/0001-what-it-does`; recorded, so it runs once. */
  readonly name: string
  up(db: Kysely<never>): Promise<void>
}

/** The platform's own steps, in order. A database that has recorded more than these is newer than the program. */
const platformMigrations: readonly Migration[] = [
  { name: 'platform/0001-platform', up: createPlatform },
  { name: 'platform/0002-log-anchors', up: createLogAnchors },
  { name: 'platform/0003-jobs-by-space', up: keyJobsBySpace },
  { name: 'platform/0004-jobs-begun', up: indexJobsBegun },
]

/**
 * Brings the database to the program's state: platform tables, the apps' written steps, then whatever the declarations add.
 * One transaction, under a lock, so several processes may start at once. Throws, changing nothing, when the
 * database is newer than the program or a declaration could lose data.
 */
export async function migrate(database: Database, apps: readonly CompiledApp[], migrations: readonly Migration[], now: number): Promise<{ readonly epoch: string }> {
  return database.write(
    async (tx) => {
      await tx.dialect.lockForMigration(tx)
      await tx.run('CREATE TABLE IF NOT EXISTS holdfast_migrations (name TEXT PRIMARY KEY, applied_at BIGINT NOT NULL)')
      await tx.run('CREATE TABLE IF NOT EXISTS holdfast_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)')
      await refuseHalfMoved(tx)
      const steps = [...platformMigrations, ...migrations]
      const applied = await appliedNames(tx)
      refuseNewer(applied, steps, apps)
      const schema = tx.dialect.schemaPlugins.reduce((db, plugin) => db.withPlugin(plugin), tx.query) as unknown as Kysely<never>
      for (const step of steps) {
        if (applied.has(step.name)) continue
        await step.up(schema)
        await tx.run('INSERT INTO holdfast_migrations (name, applied_at) VALUES (?, ?)', [step.name, now])
      }
      for (const app of apps) {
        await evolveTables(tx, app)
        await evolveSearch(tx, app)
        await evolveMembers(tx, app)
      }
      return { epoch: await ensureEpoch(tx) }
    },
    { unhurried: true },
  )
}

/** Set while a server is being moved into the database; then it holds the epoch of that server. */
export const MOVING_KEY = 'moving_from'

async function refuseHalfMoved(tx: Transactor): Promise<void> {
  const [moving] = await tx.all('SELECT value FROM holdfast_meta WHERE key = ?', [MOVING_KEY])
  if (moving !== undefined) throw new MigrationRefused('A server is being moved into this database and is not complete. Run `holdfast migrate-database` again to the end.')
}

async function appliedNames(tx: Transactor): Promise<ReadonlySet<string>> {
  const rows = await tx.all<{ name: string }>('SELECT name FROM holdfast_migrations')
  return new Set(rows.map(({ name }) => name))
}

function refuseNewer(applied: ReadonlySet<string>, steps: readonly Migration[], apps: readonly CompiledApp[]): void {
  const known = new Set(steps.map(({ name }) => name))
  const served = new Set(['platform', ...apps.map(({ name }) => name)])
  const unknown = [...applied].filter((name) => !known.has(name) && served.has(name.split('/')[0] ?? ''))
  if (unknown.length === 0) return
  throw new MigrationRefused(`This database was written by a newer version: it has run ${unknown.join(', ')}, which this program does not know. Start the newer version, or restore an older backup.`)
}

/** The database's name for itself; a restored one gets another, so that devices notice. */
async function ensureEpoch(tx: Transactor): Promise<string> {
  await tx.run("INSERT INTO holdfast_meta (key, value) VALUES ('epoch', ?) ON CONFLICT (key) DO NOTHING", [randomUUID()])
  const [row] = await tx.all<{ value: string }>("SELECT value FROM holdfast_meta WHERE key = 'epoch'")
  return row?.value ?? ''
}
