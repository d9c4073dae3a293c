import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../server/open-database.ts'
import type { Database } from '../storage/database.ts'
import { makePostgresDatabase } from './make-postgres-database.ts'

/** A database of a test's own; `await using` closes and removes it. */
export interface TestDatabase extends AsyncDisposable {
  readonly database: Database
  /** What `openDatabase` takes, to open it once more as another process would. */
  readonly location: string
  /** A folder of the test's own, removed with the database. */
  readonly folder: string
}

/**
 * Opens an empty database of a kind that `HOLDFAST_TEST_DATABASE_URL` names: unset for SQLite, the address of a PostgreSQL
 * server whose user may make databases for PostgreSQL. Every suite runs once with each.
 */
export async function openTestDatabase(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-test-'))
  const server = process.env['HOLDFAST_TEST_DATABASE_URL']
  const made = server === undefined ? undefined : await makePostgresDatabase(server)
  const location = made?.location ?? join(folder, 'holdfast.db')
  const database = await openDatabase(location)
  return {
    database,
    location,
    folder,
    [Symbol.asyncDispose]: async () => {
      await database.close()
      await made?.drop()
      await rm(folder, { recursive: true })
    },
  }
}
