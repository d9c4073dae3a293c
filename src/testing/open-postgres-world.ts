import { compileApp } from '../app/compile-app.ts'
import type { App } from '../app/define-app.ts'
import type { Database } from '../storage/database.ts'
import { migrate } from '../storage/migrate.ts'
import { openPostgres, postgresDefaults, type PostgresOptions } from '../storage/open-postgres.ts'
import { ensureSpace } from '../storage/space-store.ts'
import { makePostgresDatabase } from './make-postgres-database.ts'

/** The PostgreSQL server of this run of the tests; undefined in the run with SQLite. */
export const postgresServer = process.env['HOLDFAST_TEST_DATABASE_URL']

/** Why a test of PostgreSQL alone does not run: pass it as `skip`. */
export const withoutPostgres = postgresServer === undefined ? 'HOLDFAST_TEST_DATABASE_URL names no PostgreSQL server.' : false

export interface PostgresWorld extends AsyncDisposable {
  readonly location: string
  readonly database: Database
  /** One more process on the same database, with options and, behind a proxy, a port of its own. */
  open(options?: Partial<PostgresOptions>, port?: number): Database
  makeSpace(name: string): Promise<number>
}

/** Opens a database of a test's own on the PostgreSQL server, with the platform's tables and those of an app. */
export async function openPostgresWorld(app?: App): Promise<PostgresWorld> {
  const made = await makePostgresDatabase(postgresServer ?? '')
  const opened: Database[] = []
  const open = (options: Partial<PostgresOptions> = {}, port?: number) => {
    const url = new URL(made.location)
    if (port !== undefined) url.port = String(port)
    const database = openPostgres(url.href, { ...postgresDefaults, ...options })
    opened.push(database)
    return database
  }
  const database = open()
  await migrate(database, app === undefined ? [] : [compileApp(app)], [], 1)
  return {
    location: made.location,
    database,
    open,
    makeSpace: async (name) => (await database.write((tx) => ensureSpace(tx, { id: name, app: 'notes', kind: 'organisation', name, ownerId: null, now: 1 }))).space,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(opened.map((one) => one.close()))
      await made.drop()
    },
  }
}
