import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { Mutation, StalePolicy } from '../engine/mutation.ts'
import { idSchema } from '../protocol/ids.ts'
import { jsonValueSchema } from '../protocol/json-value-schema.ts'
import { recordSchema, type WireRecord } from '../protocol/push.ts'
import { etagOf, requiredVersion } from './etag.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { writeHeadersSchema } from './idempotency.ts'
import { checkScope } from './route-scope.ts'
import { jsonAnswer, needsCredential, noContent, recordParamsSchema, refusals, spaceQuerySchema } from './route-schema.ts'
import { placeOf, prepareWrite, writeOne, type WriteAnswer } from './write-record.ts'

const tags = ['records']
const security = needsCredential
const dataSchema = z.record(z.string(), jsonValueSchema)
const oneRecordSchema = recordParamsSchema.extend({ id: idSchema })

/** Writing records one by one. Every write is a commit of one mutation; a stale one is refused and leaves nothing. */
export function registerRecordWriteRoutes(server: HttpServer, context: HttpContext): void {
  registerPost(server, context)
  registerPatch(server, context)
  registerDelete(server, context)
}

/** Another record than the expected one is never overwritten. */
const refuseStale: StalePolicy = () => 'conflict'

function registerPost(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'POST',
    url: '/api/v1/:app/records/:collection',
    schema: {
      operationId: 'createRecord',
      tags,
      summary: 'Make a record',
      description: 'Without `id` the server makes one. The same id with the same content answers 200, with other content 409 `record.exists` and the record. A deleted id comes back to life.',
      security,
      params: recordParamsSchema,
      querystring: spaceQuerySchema,
      headers: writeHeadersSchema,
      body: z.strictObject({ id: idSchema.optional(), data: dataSchema }),
      response: { 201: jsonAnswer('The record was made.', recordSchema), 200: jsonAnswer('It was there already.', recordSchema), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const { body, params } = request
      const place = await placeOf(context, request, params)
      const id = body.id ?? context.chance.id()
      const mutation = { ...wholeRecord(prepareWrite(context, place, { id, op: 'put', data: body.data })), policy: reviveOnly }
      const answer = await writeOne(context, request, place, { mutation, body: { id: body.id ?? null, data: body.data }, doneStatus: 201, stale: 'record.exists' })
      const { id: made } = JSON.parse(answer.body) as WireRecord
      return sendRecord(reply.code(answer.status).header('location', `/api/v1/${params.app}/records/${params.collection}/${made}`), answer)
    },
  })
}

/** A create may take the place of a tombstone, never of a live record. */
const reviveOnly: StalePolicy = ({ stored }) => (stored.deletedAt === null ? 'conflict' : 'client')

/** A record made by POST has its own defaults, and nothing of a deleted one with the same id. */
function wholeRecord(mutation: Mutation): Mutation {
  return mutation.complete === undefined ? mutation : { ...mutation, sent: mutation.complete }
}

function registerPatch(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'PATCH',
    url: '/api/v1/:app/records/:collection/:id',
    schema: {
      operationId: 'updateRecord',
      tags,
      summary: 'Change fields of a record',
      description: '`data` holds the fields to change; null clears one. With `If-Match`, another version than the named one answers 412 with the record.',
      security,
      params: oneRecordSchema,
      querystring: spaceQuerySchema,
      headers: writeHeadersSchema,
      body: z.strictObject({ data: dataSchema }),
      response: { 200: jsonAnswer('The record as it is now.', recordSchema), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const { body, params } = request
      const place = await placeOf(context, request, params)
      const base = requiredVersion(request.headers['if-match'])
      const mutation = { ...prepareWrite(context, place, { id: params.id, op: 'patch', data: body.data }), base, policy: refuseStale }
      return sendRecord(reply, await writeOne(context, request, place, { mutation, body, doneStatus: 200, stale: 'precondition.failed' }))
    },
  })
}

function registerDelete(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'DELETE',
    url: '/api/v1/:app/records/:collection/:id',
    schema: {
      operationId: 'deleteRecord',
      tags,
      summary: 'Delete a record',
      description: 'Deleting it again answers 204 as well. `If-Match` as for a change.',
      security,
      params: oneRecordSchema,
      querystring: spaceQuerySchema,
      headers: writeHeadersSchema,
      response: { 204: noContent, ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const place = await placeOf(context, request, request.params)
      const base = requiredVersion(request.headers['if-match'])
      const mutation = { ...prepareWrite(context, place, { id: request.params.id, op: 'delete' }), base, policy: refuseStale }
      const { replayed } = await writeOne(context, request, place, { mutation, body: null, doneStatus: 204, stale: 'precondition.failed' })
      return markReplay(reply, replayed).code(204).send()
    },
  })
}

function sendRecord(reply: FastifyReply, { body, replayed }: WriteAnswer): FastifyReply {
  const { version } = JSON.parse(body) as WireRecord
  return markReplay(reply, replayed).header('etag', etagOf(version)).type('application/json; charset=utf-8').send(body)
}

/** Says that an idempotency key was used before and this is its answer. */
function markReplay(reply: FastifyReply, replayed: boolean): FastifyReply {
  return replayed ? reply.header('idempotency-replayed', 'true') : reply
}
