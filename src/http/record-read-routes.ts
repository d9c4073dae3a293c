import { z } from 'zod'
import { Problem } from '../protocol/problem.ts'
import { idSchema } from '../protocol/ids.ts'
import { recordSchema } from '../protocol/push.ts'
import type { StoredRecord } from '../app/rule.ts'
import type { CompiledCollection } from '../app/compile-app.ts'
import type { Reader, SqlValue } from '../storage/database.ts'
import { countListed, listRecords, type RecordList } from '../storage/list-records.ts'
import { getRecord } from '../storage/read-records.ts'
import { rowFromRecord, syncColumns, wireRecord } from '../storage/record-rows.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { decodeListCursor, encodeListCursor, type ListPosition } from './list-cursor.ts'
import { filterQuerySchema, parseFilter, parseSort, type RecordSort } from './list-query.ts'
import { etagOf, namesVersion } from './etag.ts'
import { appOf, checkScope, readableCollection } from './route-scope.ts'
import { jsonAnswer, needsCredential, pageQuerySchema, recordParamsSchema, refusals, spaceQuerySchema } from './route-schema.ts'

const tags = ['records']
const JSON_TYPE = 'application/json; charset=utf-8'

const listQuerySchema = pageQuerySchema.extend({
  filter: filterQuerySchema,
  sort: z.string().max(100).optional().meta({ description: 'A field, with - before it for descending; by id when absent.' }),
  total: z.enum(['true', 'false']).default('false').meta({ description: 'Count what passes the filters; costs a scan.' }),
})

const listSchema = z.object({ records: z.array(recordSchema), cursor: z.string().nullable(), total: z.int().optional() })

/** Reading records one by one and in lists. */
export function registerRecordReadRoutes(server: HttpServer, context: HttpContext): void {
  registerGet(server, context)
  registerList(server, context)
}

function registerGet(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'GET',
    url: '/api/v1/:app/records/:collection/:id',
    schema: {
      operationId: 'getRecord',
      tags,
      summary: 'One record',
      description: '`ETag` is the version; `If-None-Match` answers 304.',
      security: needsCredential,
      params: recordParamsSchema.extend({ id: idSchema }),
      querystring: spaceQuerySchema,
      response: { 200: jsonAnswer('The record.', recordSchema), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      const collection = readableCollection(appOf(context, scope.app), scope, request.params.collection)
      const record = await context.database.read((reader) => getRecord(reader, collection, scope.space, request.params.id), { oneStatement: true })
      if (record === undefined || record.deletedAt !== null) throw new Problem('not_found')
      reply.header('etag', etagOf(record.version))
      if (namesVersion(request.headers['if-none-match'], record.version)) return reply.code(304).send()
      return reply.type(JSON_TYPE).send(JSON.stringify(wireRecord(collection.name, record)))
    },
  })
}

function registerList(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'GET',
    url: '/api/v1/:app/records/:collection',
    schema: {
      operationId: 'listRecords',
      tags,
      summary: 'Records that pass filters, in order, by pages',
      description: 'A missing value comes before any other; ties are in the order of ids. `contains` does not tell ASCII capitals from small letters.',
      security: needsCredential,
      params: recordParamsSchema,
      querystring: listQuerySchema,
      response: { 200: jsonAnswer('A page; `cursor` is null on the last.', listSchema), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      const collection = readableCollection(appOf(context, scope.app), scope, request.params.collection)
      const { filter, limit, total } = request.query
      const sort = parseSort(collection, request.query.sort)
      const filters = filter.map((text) => parseFilter(collection, text))
      const list = ['records', scope.space, collection.name, filter.toSorted(), request.query.sort ?? '']
      const position = decodeListCursor(list, request.query.cursor)
      const { space } = scope
      const page = await context.database.read(async (reader) => ({
        records: await listRecords(reader, collection, { space, filters, sort, after: await positionOf(reader, { collection, space, sort }, position), limit }),
        total: total === 'true' ? await countListed(reader, collection, { space, filters }) : undefined,
      }))
      const records = page.records.rows
      const last = page.records.more ? records.at(-1) : undefined
      const answer = {
        records: records.map((record) => wireRecord(collection.name, record)),
        cursor: last === undefined ? null : encodeListCursor(list, cursorPosition(last, columnValue(collection, last, sort))),
        ...(page.total === undefined ? {} : { total: page.total }),
      }
      return reply.type(JSON_TYPE).send(JSON.stringify(answer))
    },
  })
}

/** Longest text that a cursor carries; a page that ends at a longer one names the record alone. */
const CURSOR_TEXT_CHARS_MAX = 256

function cursorPosition({ id }: StoredRecord, value: SqlValue): ListPosition {
  return typeof value === 'string' && value.length > CURSOR_TEXT_CHARS_MAX ? [id] : [id, value]
}

interface SortedList {
  readonly collection: CompiledCollection
  readonly space: number
  readonly sort: RecordSort
}

async function positionOf(reader: Reader, { collection, space, sort }: SortedList, position: ListPosition | undefined): Promise<RecordList['after']> {
  if (position === undefined) return undefined
  const [id, value] = position
  if (typeof id !== 'string') throw new Problem('cursor.invalid')
  if (value !== undefined) {
    if (!fits(sort.field.kind, value)) throw new Problem('cursor.invalid')
    return { id, value }
  }
  const record = await getRecord(reader, collection, space, id)
  if (record === undefined) throw new Problem('cursor.invalid')
  return { id, value: columnValue(collection, record, sort) }
}

/** True for a value that a column of the kind can be compared with. */
function fits(kind: RecordSort['field']['kind'], value: SqlValue): boolean {
  if (value === null) return true
  if (kind === 'text') return typeof value === 'string'
  return typeof value === 'number' && (kind === 'real' || Number.isSafeInteger(value))
}

/** The value that the record is sorted by, as it stands in its column. */
function columnValue(collection: CompiledCollection, record: StoredRecord, { column }: RecordSort): SqlValue {
  const columns = [...syncColumns, ...collection.fields.map((field) => field.column)]
  return rowFromRecord(collection, 0, record)[columns.indexOf(column)] ?? null
}
