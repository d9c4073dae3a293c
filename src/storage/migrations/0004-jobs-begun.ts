import { sql, type Kysely } from 'kysely'

/** A limit for a time counts what has begun since: it reads those jobs and not all that the space has. */
export async function indexJobsBegun(db: Kysely<never>): Promise<void> {
  await db.schema
    .createIndex('holdfast_jobs_begun')
    .on('holdfast_jobs')
    .columns(['space', 'kind', 'started_at'])
    .where(sql`started_at`, 'is not', sql`null`)
    .execute()
}
