import { randomUUID } from 'node:crypto'
import pg from 'pg'

export interface PostgresTestDatabase {
  readonly location: string
  /** Removes it, whoever is still connected. */
  drop(): Promise<void>
}

/** Makes an empty database on a PostgreSQL server. */
export async function makePostgresDatabase(server: string): Promise<PostgresTestDatabase> {
  const name = `holdfast_test_${randomUUID().replaceAll('-', '')}`
  const location = new URL(server)
  location.pathname = `/${name}`
  // Copying files is several times faster than logging every page, for a database this small.
  await onServer(server, `CREATE DATABASE ${name} STRATEGY FILE_COPY`)
  return { location: location.href, drop: () => onServer(server, `DROP DATABASE ${name} WITH (FORCE)`) }
}

async function onServer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
