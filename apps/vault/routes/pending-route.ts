import type { FastifyReply, FastifyRequest } from 'fastify'
import { getRecords, type Reader } from 'holdfast/server'
import { viewItems } from '../item-view.ts'
import { cutPage, decodeCursor, type Position } from './page-cursor.ts'
import { readCursor, readLimit, readParameter } from './read-request.ts'
import { scopeOf, type VaultContext } from './vault-context.ts'

const pending = ['ENRICHING', 'READY_TO_CONFIRM', 'FAILED'] as const
const LIMIT_MAX = 100
/** Items of one answer where no limit was asked for. */
const ALL_MAX = 1_000

/** What waits for the AI or for a person, newest first. */
export async function listPending(vault: VaultContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { space } = await scopeOf(vault, request)
  const limit = readParameter(request, 'limit') === undefined ? ALL_MAX : readLimit(request, { byDefault: ALL_MAX, max: LIMIT_MAX })
  const list = ['pending', space]
  const after = decodeCursor({ list, shape: ['number', 'text'] }, readCursor(request))
  const { items } = vault.collections
  const answer = await vault.http.database.read(async (reader) => {
    const [places, total] = await Promise.all([findPlaces(reader, items.table, { space, after, limit: limit + 1 }), countPending(reader, items.table, space)])
    const { rows, pagination } = cutPage(places, { limit, list, positionOf: ({ id, created_at: createdAt }) => [createdAt, id] })
    const records = new Map((await getRecords(reader, items, space, rows.map(({ id }) => id))).map((record) => [record.id, record])) // prettier-ignore
    const shown = await viewItems(reader, { space, collections: vault.collections }, rows.flatMap(({ id }) => records.get(id) ?? []), 'listed') // prettier-ignore
    return { items: shown, total, pagination }
  })
  return reply.send(answer)
}

interface Place {
  readonly id: string
  readonly created_at: number
}

/** Ids in the order of the list: each state is read from the end of its index and no further than the page goes. */
async function findPlaces(reader: Reader, table: string, { space, after, limit }: { readonly space: number; readonly after: Position | undefined; readonly limit: number }): Promise<Place[]> {
  const behind = after === undefined ? '' : ' AND (created_at, id) < (?, ?)'
  const part = `SELECT id, created_at FROM "${table}" WHERE space = ? AND status = ? AND deleted_at IS NULL${behind} ORDER BY created_at DESC NULLS LAST, id DESC NULLS LAST LIMIT ?`
  const sql = `${pending.map((status) => `SELECT * FROM (${part}) AS "${status}"`).join(' UNION ALL ')} ORDER BY created_at DESC, id DESC LIMIT ?`
  return reader.all<Place>(sql, [...pending.flatMap((status) => [space, status, ...(after ?? []), limit]), limit])
}

async function countPending(reader: Reader, table: string, space: number): Promise<number> {
  const sql = `SELECT count(*) AS count FROM "${table}" WHERE space = ? AND status IN (${pending.map(() => '?').join(', ')}) AND deleted_at IS NULL`
  const [row] = await reader.all<{ readonly count: number }>(sql, [space, ...pending])
  return row?.count ?? 0
}
