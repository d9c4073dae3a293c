import type { Fields } from '../app/conflict-policy.ts'
import { findConflict } from './conflict-store.ts'
import type { Reader } from './database.ts'
import { readPage, textBytes, type Page } from './page.ts'

/** A write that lost by a rule: nothing of it was taken, and what it said is kept. */
export interface SupersededWrite {
  /** Id of the row that keeps it. */
  readonly id: string
  /** Epoch milliseconds of its arrival. */
  readonly at: number
  /** Version of the record that it lost against. */
  readonly winnerVersion: number
  readonly operation: 'put' | 'patch' | 'delete'
  readonly device: string | null
  /** The winner's fields; null when that is a tombstone. */
  readonly winner: Fields | null
  /** The fields that were sent; null for a delete. */
  readonly sent: Fields | null
}

interface SupersededRow extends Omit<SupersededWrite, 'winner' | 'sent'> {
  readonly winner: string | null
  readonly sent: string | null
}

export interface SupersededPage {
  readonly space: number
  readonly collection: string
  readonly record: string
  /** Only losers against an older version, or against this one with a smaller id. */
  readonly before: { readonly winnerVersion: number; readonly id: string | undefined } | undefined
  readonly limit: number
}

/** Kept losers against one record: newest winner first, and the latest of each first. */
export async function listSuperseded(reader: Reader, { space, collection, record, before, limit }: SupersededPage): Promise<Page<SupersededWrite>> {
  let all = reader.query
    .selectFrom('holdfast_conflicts')
    .where('space', '=', space)
    .where('collection', '=', collection)
    .where('record', '=', record)
    .where('reason', '=', 'superseded')
    .orderBy('server_version', 'desc')
    .orderBy('id', 'desc')
  if (before !== undefined) {
    const { winnerVersion, id = '' } = before
    all = all.where((build) => build.or([build('server_version', '<', winnerVersion), build.and([build('server_version', '=', winnerVersion), build('id', '<', id)])]))
  }
  const sizes = (count: number) => all.select(textBytes('server', 'client_fields').as('bytes')).limit(count).execute()
  const rowsOf = async (count: number): Promise<SupersededRow[]> =>
    all.select(['id', 'created_at as at', 'server_version as winnerVersion', 'operation', 'device', 'server as winner', 'client_fields as sent']).limit(count).execute()
  const { rows, more } = await readPage({ sizes, rows: rowsOf }, limit)
  return { rows: rows.map((row) => ({ ...row, winner: fieldsOf(row.winner), sent: fieldsOf(row.sent) })), more }
}

/** One kept loser by the id of its row. */
export async function findSuperseded(reader: Reader, place: Omit<SupersededPage, 'before' | 'limit'>, id: string): Promise<SupersededWrite | undefined> {
  const row = await findConflict(reader, place.space, id)
  if (row === undefined || row.reason !== 'superseded' || row.collection !== place.collection || row.record !== place.record) return undefined
  return { id, at: row.createdAt, winnerVersion: row.serverVersion, operation: row.operation, device: row.device, winner: fieldsOf(row.server), sent: fieldsOf(row.clientFields) }
}

function fieldsOf(text: string | null): Fields | null {
  return text === null ? null : (JSON.parse(text) as Fields)
}
