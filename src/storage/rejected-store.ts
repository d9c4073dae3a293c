import type { Reader, Transactor } from './database.ts'
import { readPage, textBytes, type Page } from './page.ts'

/** A refused mutation as its row has it. */
export interface RejectedRow {
  readonly id: string
  readonly client: string
  readonly author: string
  readonly device: string | null
  readonly collection: string
  readonly record: string
  readonly operation: string
  readonly code: string
  readonly message: string
  /** JSON text of the mutation as sent; cut off where it was very long. */
  readonly mutation: string
  /** JSON text of the fields that were wrong. */
  readonly fields: string
  /** Epoch milliseconds. */
  readonly createdAt: number
}

const columns = ['id', 'client', 'author', 'device', 'collection', 'record', 'operation', 'code', 'message', 'mutation', 'fields', 'created_at as createdAt'] as const

/** Whose refused mutations: of one author, or of everybody in the space. */
export interface RejectedOwner {
  readonly space: number
  readonly author: string | undefined
}

export interface RejectedList extends RejectedOwner {
  readonly after: string | undefined
  readonly limit: number
}

/** Refused mutations in the order of their ids, which is that of their arrival. */
export async function listRejected(reader: Reader, { space, author, after, limit }: RejectedList): Promise<Page<RejectedRow>> {
  let all = reader.query.selectFrom('holdfast_rejected').where('space', '=', space).orderBy('id')
  if (author !== undefined) all = all.where('author', '=', author)
  if (after !== undefined) all = all.where('id', '>', after)
  const sizes = (count: number) => all.select(textBytes('mutation', 'fields').as('bytes')).limit(count).execute()
  return readPage({ sizes, rows: (count) => all.select(columns).limit(count).execute() }, limit)
}

/** Forgets a refused mutation; false when there is none of that id. */
export async function discardRejected(tx: Transactor, { space, author }: RejectedOwner, id: string): Promise<boolean> {
  let rows = tx.query.deleteFrom('holdfast_rejected').where('space', '=', space).where('id', '=', id)
  if (author !== undefined) rows = rows.where('author', '=', author)
  return (await rows.executeTakeFirst()).numDeletedRows > 0n
}

/** Forgets what was refused of a record of one client, if there is such a row. */
export async function discardRejectedOf(tx: Transactor, of: { readonly space: number; readonly client: string; readonly collection: string; readonly record: string }): Promise<void> {
  await tx.run('DELETE FROM holdfast_rejected WHERE space = ? AND client = ? AND collection = ? AND record = ?', [of.space, of.client, of.collection, of.record])
}

export async function countRejected(reader: Reader, { space, author }: RejectedOwner): Promise<number> {
  let rows = reader.query
    .selectFrom('holdfast_rejected')
    .select((build) => build.fn.countAll<number>().as('count'))
    .where('space', '=', space)
  if (author !== undefined) rows = rows.where('author', '=', author)
  return (await rows.executeTakeFirstOrThrow()).count
}
