import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'

/** A table of jobs made by hand, with nothing but what a job needs: what the database alone can do. */
export interface RawJobs {
  /** One transaction, one flush. */
  insert(ids: readonly string[]): Promise<void>
  finish(ids: readonly string[]): Promise<void>
  close(): Promise<void>
}

const table = 'CREATE TABLE raw_jobs (id TEXT PRIMARY KEY, space BIGINT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL, state TEXT NOT NULL, run_at BIGINT NOT NULL, ended_at BIGINT)'
const index = "CREATE INDEX raw_jobs_ready ON raw_jobs (kind, run_at, id) WHERE state = 'ready'"

/** WAL and FULL, like the server. */
export function openRawSqlite(path: string): RawJobs {
  const database = new DatabaseSync(path)
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; ${table}; ${index}`)
  const insert = database.prepare("INSERT INTO raw_jobs (id, space, kind, payload, state, run_at) VALUES (?, 1, 'note', '{}', 'ready', ?)")
  const finish = database.prepare("UPDATE raw_jobs SET state = 'done', ended_at = ? WHERE id = ?")
  const inTransaction = (work: () => void) => {
    database.exec('BEGIN IMMEDIATE')
    work()
    database.exec('COMMIT')
  }
  return {
    insert: async (ids) =>
      inTransaction(() => {
        for (const id of ids) insert.run(id, Date.now())
      }),
    finish: async (ids) =>
      inTransaction(() => {
        for (const id of ids) finish.run(Date.now(), id)
      }),
    close: async () => database.close(),
  }
}

/** One connection, one statement and one commit for each batch. */
export async function openRawPostgres(url: string): Promise<RawJobs> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`${table}; ${index}`)
  return {
    insert: async (ids) =>
      void (await client.query("INSERT INTO raw_jobs (id, space, kind, payload, state, run_at) SELECT id, 1, 'note', '{}', 'ready', $2 FROM unnest($1::text[]) AS id", [ids, Date.now()])),
    finish: async (ids) => void (await client.query("UPDATE raw_jobs SET state = 'done', ended_at = $2 WHERE id = ANY($1::text[])", [ids, Date.now()])),
    close: () => client.end(),
  }
}
