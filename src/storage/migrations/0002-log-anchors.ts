import type { Kysely } from 'kysely'

/** Where the change log of a space begins, once its oldest entries were forgotten. */
export async function createLogAnchors(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('holdfast_log_anchors')
    .addColumn('space', 'integer', (column) => column.notNull().primaryKey())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('version', 'bigint', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addColumn('lost', 'text', (column) => column.notNull())
    .execute()
}
