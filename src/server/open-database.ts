import type { Database } from '../storage/database.ts'
import { openSqlite } from '../storage/open-sqlite.ts'

/** Opens the database that a location names: `postgres://…`, or the path of a SQLite file. */
export async function openDatabase(location: string): Promise<Database> {
  if (!isPostgresUrl(location)) return openSqlite(location)
  const { openPostgres } = await import('../storage/open-postgres.ts')
  return openPostgres(location)
}

export function isPostgresUrl(location: string): boolean {
  return /^postgres(ql)?:\/\//.test(location)
}
