import { z } from 'zod'
import { reaches } from '../app/role-rank.ts'
import type { Scope } from '../app/rule.ts'
import { idSchema } from '../protocol/ids.ts'
import { jsonValueSchema } from '../protocol/json-value-schema.ts'
import { Problem } from '../protocol/problem.ts'
import { clientName } from '../storage/client-name.ts'
import { discardRejected, discardRejectedOf, listRejected, type RejectedOwner, type RejectedRow } from '../storage/rejected-store.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { decodeListCursor, encodeListCursor } from './list-cursor.ts'
import { checkScope } from './route-scope.ts'
import { appParamsSchema, jsonAnswer, needsCredential, noContent, pageQuerySchema, refusals, spaceQuerySchema } from './route-schema.ts'

const tags = ['rejected']
const security = needsCredential

const rejectedSchema = z.object({
  id: z.string(),
  collection: z.string(),
  recordId: z.string(),
  op: z.string(),
  code: z.string(),
  message: z.string(),
  fields: z.array(z.object({ path: z.string(), message: z.string() })),
  mutation: jsonValueSchema.meta({ description: 'As it was sent; a text when it was too long to keep whole.' }),
  clientId: z.string(),
  author: z.string(),
  device: z.string().nullable(),
  createdAt: z.int(),
})

/** `…/rejected`: refused edits, kept until they are mended or discarded. Owners see everybody's, others their own. */
export function registerRejectedRoutes(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'GET',
    url: '/api/v1/:app/rejected',
    schema: {
      operationId: 'listRejected',
      tags,
      summary: 'Refused edits, oldest first',
      description: 'Owners of the space see all, others their own.',
      security,
      params: appParamsSchema,
      querystring: pageQuerySchema,
      response: { 200: jsonAnswer('A page; `cursor` is null on the last.', z.object({ rejected: z.array(rejectedSchema), cursor: z.string().nullable() })), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      const { limit, cursor } = request.query
      const list = ['rejected', scope.space]
      const after = decodeListCursor(list, cursor)?.[0]
      const { rows: rejected, more } = await context.database.read((reader) => listRejected(reader, { ...visibleTo(scope), after: after === undefined ? undefined : String(after), limit }))
      const last = more ? rejected.at(-1) : undefined
      return reply.send({ rejected: rejected.map(wireRejected), cursor: last === undefined ? null : encodeListCursor(list, [last.id]) })
    },
  })
  server.route({
    method: 'DELETE',
    url: '/api/v1/:app/rejected',
    schema: {
      operationId: 'discardRejectedOf',
      tags,
      summary: 'Discard what was refused of a record, as the client that sent it knows it',
      description: 'Again, or for a record of which nothing was refused, it changes nothing.',
      security,
      params: appParamsSchema,
      querystring: spaceQuerySchema.extend({ clientId: idSchema, collection: idSchema, id: idSchema }),
      response: { 204: noContent, ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      const { clientId, collection, id: record } = request.query
      await context.database.write((tx) => discardRejectedOf(tx, { space: scope.space, client: clientName(scope, clientId), collection, record }))
      return reply.code(204).send()
    },
  })
  server.route({
    method: 'DELETE',
    url: '/api/v1/:app/rejected/:id',
    schema: {
      operationId: 'discardRejected',
      tags,
      summary: 'Discard a refused edit',
      security,
      params: appParamsSchema.extend({ id: idSchema }),
      querystring: spaceQuerySchema,
      response: { 204: noContent, ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      const discarded = await context.database.write((tx) => discardRejected(tx, visibleTo(scope), request.params.id))
      if (!discarded) throw new Problem('not_found')
      return reply.code(204).send()
    },
  })
}

/** Whose refused edits the caller may see. */
export function visibleTo({ space, role, actor }: Scope): RejectedOwner {
  return { space, author: reaches(role, 'owner') ? undefined : `${actor.type}:${actor.id}` }
}

function wireRejected(row: RejectedRow): z.infer<typeof rejectedSchema> {
  const { record, operation, client, mutation, fields, ...same } = row
  return { ...same, recordId: record, op: operation, clientId: client, fields: JSON.parse(fields) as { path: string; message: string }[], mutation: parsedOrText(mutation) }
}

function parsedOrText(text: string) {
  try {
    return jsonValueSchema.parse(JSON.parse(text))
  } catch {
    return text
  }
}
