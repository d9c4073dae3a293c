import { sql, type Kysely } from 'kysely'

const needed = ['space', 'id', 'app', 'kind', 'payload', 'state', 'run_at', 'created_at', 'alone', 'attempts'] as const
const others = ['unique_key', 'collection', 'record', 'lease', 'progress_label', 'reason_code', 'reason_message', 'progress', 'lease_until', 'started_at', 'ended_at'] as const
const types: Readonly<Record<string, 'integer' | 'bigint' | 'double precision'>> = {
  space: 'integer',
  alone: 'integer',
  attempts: 'integer',
  run_at: 'bigint',
  created_at: 'bigint',
  lease_until: 'bigint',
  started_at: 'bigint',
  ended_at: 'bigint',
  progress: 'double precision',
}

/**
 * Has the key of a job begin with its space, as in every other table of a space, so that the table can be divided by it.
 * SQLite changes no key in place: the table is made anew, with the same columns and all indexes but the one that the key replaces.
 */
export async function keyJobsBySpace(db: Kysely<never>): Promise<void> {
  let table = db.schema.createTable('holdfast_jobs_new').addPrimaryKeyConstraint('holdfast_jobs_by_space', ['space', 'id'] as never[])
  for (const name of needed) table = table.addColumn(name, types[name] ?? 'text', (column) => column.notNull())
  for (const name of others) table = table.addColumn(name, types[name] ?? 'text')
  await table.execute()
  const columns = sql.join([...needed, ...others].map((name) => sql.ref(name)))
  await sql`INSERT INTO holdfast_jobs_new (${columns}) SELECT ${columns} FROM holdfast_jobs`.execute(db)
  await db.schema.dropTable('holdfast_jobs').execute()
  await db.schema.alterTable('holdfast_jobs_new').renameTo('holdfast_jobs').execute()
  await makeIndexes(db)
}

async function makeIndexes(db: Kysely<never>): Promise<void> {
  const index = (name: string, columns: readonly string[]) =>
    db.schema
      .createIndex(`holdfast_jobs_${name}`)
      .on('holdfast_jobs')
      .columns([...columns])
  await index('ready', ['app', 'kind', 'alone', 'space', 'run_at', 'id'])
    .where(sql`state`, '=', sql`'ready'`)
    .execute()
  await index('later', ['run_at'])
    .where(sql`state`, '=', sql`'later'`)
    .execute()
  await index('running', ['lease_until'])
    .where(sql`state`, '=', sql`'running'`)
    .execute()
  await index('ended', ['ended_at'])
    .where(sql`ended_at`, 'is not', sql`null`)
    .execute()
  await index('record', ['space', 'collection', 'record', 'kind', 'id'])
    .where(sql`record`, 'is not', sql`null`)
    .execute()
  await index('unique', ['space', 'kind', 'unique_key'])
    .unique()
    .where(sql`unique_key`, 'is not', sql`null`)
    .where(sql`state`, 'in', sql`('later', 'ready', 'running')`)
    .execute()
}
