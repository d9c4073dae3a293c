import { z } from 'zod'
import type { Fields } from '../app/conflict-policy.ts'
import type { Scope } from '../app/rule.ts'
import { idSchema, versionSchema } from '../protocol/ids.ts'
import { jsonValueSchema } from '../protocol/json-value-schema.ts'
import { Problem } from '../protocol/problem.ts'
import { recordSchema } from '../protocol/push.ts'
import { conflictTag, findConflict, listConflicts, type ConflictRow } from '../storage/conflict-store.ts'
import { resolveConflict } from '../storage/resolve-conflict.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { requiredTag } from './etag.ts'
import { decodeListCursor, encodeListCursor } from './list-cursor.ts'
import { rejectionProblem, shownRecord } from './record-answer.ts'
import { appOf, checkScope, readableNames } from './route-scope.ts'
import { appParamsSchema, jsonAnswer, needsCredential, pageQuerySchema, refusals, spaceQuerySchema } from './route-schema.ts'

const tags = ['conflicts']
const security = needsCredential
const fieldsSchema = z.record(z.string(), jsonValueSchema)
const sideSchema = fieldsSchema.nullable()

const headersSchema = z.looseObject({ 'if-match': z.string().optional().meta({ description: '`etag` of the conflict as it was looked at.' }) })

/** A conflict with its three sides. A side is null where it has no record, or where the log no longer knows it (`base`). */
const conflictSchema = z.object({
  id: z.string(),
  collection: z.string(),
  recordId: z.string(),
  state: z.enum(['open', 'merged', 'resolved']),
  reason: z.string(),
  op: z.enum(['put', 'patch', 'delete']),
  base: sideSchema,
  server: sideSchema,
  client: sideSchema,
  baseVersion: versionSchema,
  serverVersion: versionSchema,
  clientId: z.string(),
  author: z.string(),
  device: z.string().nullable(),
  createdAt: z.int(),
  updatedAt: z.int(),
  resolution: z.string().nullable(),
  resolvedAt: z.int().nullable(),
  resolvedBy: z.string().nullable(),
  etag: z.string(),
})
type WireConflict = z.infer<typeof conflictSchema>

const resolutionSchema = z
  .strictObject({ resolution: z.enum(['server', 'client', 'merged']), data: fieldsSchema.optional() })
  .refine(({ resolution, data }) => (resolution === 'merged') === (data !== undefined), { path: ['data'], message: 'Send data with merged, and only then.' })

const oneConflictSchema = appParamsSchema.extend({ id: idSchema })

/** `…/conflicts`: edits that met another one, with both sides, until somebody decides. */
export function registerConflictRoutes(server: HttpServer, context: HttpContext): void {
  registerList(server, context)
  registerShow(server, context)
  registerResolve(server, context)
}

function registerList(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'GET',
    url: '/api/v1/:app/conflicts',
    schema: {
      operationId: 'listConflicts',
      tags,
      summary: 'Conflicts, oldest first',
      security,
      params: appParamsSchema,
      querystring: pageQuerySchema.extend({ state: z.enum(['open', 'merged', 'resolved', 'all']).default('open') }),
      response: { 200: jsonAnswer('A page; `cursor` is null on the last.', z.object({ conflicts: z.array(conflictSchema), cursor: z.string().nullable() })), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      const { state, limit, cursor } = request.query
      const list = ['conflicts', scope.space, state]
      const after = decodeListCursor(list, cursor)?.[0]
      const page = {
        space: scope.space,
        collections: readableNames(appOf(context, scope.app), scope),
        state: state === 'all' ? undefined : state,
        after: after === undefined ? undefined : String(after),
        limit,
      }
      const { rows: conflicts, more } = await context.database.read((reader) => listConflicts(reader, page))
      const last = more ? conflicts.at(-1) : undefined
      return reply.send({ conflicts: conflicts.map(wireConflict), cursor: last === undefined ? null : encodeListCursor(list, [last.id]) })
    },
  })
}

function registerShow(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'GET',
    url: '/api/v1/:app/conflicts/:id',
    schema: {
      operationId: 'getConflict',
      tags,
      summary: 'One conflict with its base, server and client side',
      security,
      params: oneConflictSchema,
      querystring: spaceQuerySchema,
      response: { 200: jsonAnswer('The conflict.', conflictSchema), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      const conflict = wireConflict(await visibleConflict(context, scope, request.params.id))
      return reply.header('etag', conflict.etag).send(conflict)
    },
  })
}

function registerResolve(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'POST',
    url: '/api/v1/:app/conflicts/:id/resolve',
    schema: {
      operationId: 'resolveConflict',
      tags,
      summary: "Keep the server's side, the client's, or a merge of both",
      description:
        'When the record has moved on since the conflict was made, the answer is 409 `record.conflict` with `conflictId` of the fresh conflict and the `record`. With `If-Match`, a conflict with another `etag` answers 412 with the `conflict`: a choice then never counts for a side that its maker has not seen.',
      security,
      params: oneConflictSchema,
      querystring: spaceQuerySchema,
      headers: headersSchema,
      body: resolutionSchema,
      response: { 200: jsonAnswer('Resolved.', z.object({ version: versionSchema, record: recordSchema.nullable() })), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      const { collection: name } = await visibleConflict(context, scope, request.params.id)
      const collection = appOf(context, scope.app).collections.get(name)
      if (collection === undefined) throw new Problem('not_found')
      const { resolution, data } = request.body
      const choice = { resolution, ...(data === undefined ? {} : { data }), seen: requiredTag(request.headers['if-match']) }
      const outcome = await resolveConflict(context, scope, request.params.id, choice)
      switch (outcome.kind) {
        case 'resolved':
          return reply.send({ version: outcome.version, record: outcome.record === undefined ? null : shownRecord(scope, collection, outcome.record) })
        case 'conflict':
          throw new Problem('record.conflict', { extra: { conflictId: outcome.conflictId, record: outcome.record === undefined ? null : shownRecord(scope, collection, outcome.record) } })
        case 'already-resolved':
          throw new Problem('record.conflict', { detail: 'This conflict was resolved before.' })
        case 'unseen':
          throw new Problem('precondition.failed', { extra: { conflict: wireConflict(outcome.conflict) } })
        case 'not-found':
          throw new Problem('not_found')
        case 'rejected':
          throw rejectionProblem(outcome.error, null)
      }
    },
  })
}

/** A conflict of a collection that the caller may read; any other does not exist for them. */
async function visibleConflict(context: HttpContext, scope: Scope, id: string): Promise<ConflictRow> {
  const conflict = await context.database.read((reader) => findConflict(reader, scope.space, id))
  const names = readableNames(appOf(context, scope.app), scope)
  if (conflict === undefined || (names !== undefined && !names.includes(conflict.collection))) throw new Problem('not_found')
  return conflict
}

function wireConflict(row: ConflictRow): WireConflict {
  const { record, operation, clientFields, client, base, server, ...same } = row
  return { ...same, recordId: record, op: operation, clientId: client, base: sideOf(base), server: sideOf(server), client: sideOf(clientFields), etag: `"${conflictTag(row)}"` }
}

function sideOf(text: string | null): Fields | null {
  return text === null ? null : (JSON.parse(text) as Fields)
}
