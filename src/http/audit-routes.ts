import { z } from 'zod'
import type { JsonValue } from '../lib/json.ts'
import { isWellFormedText } from '../lib/well-formed-text.ts'
import { versionSchema } from '../protocol/ids.ts'
import { jsonValueSchema } from '../protocol/json-value-schema.ts'
import { Problem } from '../protocol/problem.ts'
import { listChanges, type ChangeRow } from '../storage/list-changes.ts'
import { verifyChain } from '../storage/verify-chain.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { decodeListCursor, encodeListCursor } from './list-cursor.ts'
import { checkScope, requireRole } from './route-scope.ts'
import { appParamsSchema, jsonAnswer, needsCredential, pageQuerySchema, refusals, spaceQuerySchema } from './route-schema.ts'

const tags = ['audit']
const security = needsCredential

const entrySchema = z.object({
  seq: z.int(),
  version: versionSchema,
  at: z.int().meta({ description: 'Epoch milliseconds of the server.' }),
  actor: z.object({ type: z.string(), id: z.string(), name: z.string() }),
  action: z.string().meta({ examples: ['content.update', 'keys.create'] }),
  entity: z.string(),
  entityId: z.string(),
  changes: z.record(z.string(), z.array(jsonValueSchema)).meta({ description: '`{ field: [before, after] }`.' }),
  detail: z.record(z.string(), jsonValueSchema),
  requestId: z.string(),
  hash: z.string(),
})

const moment = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional()
const filterText = z.string().min(1).max(200).refine(isWellFormedText, 'Not well-formed text.').optional()

const auditQuerySchema = pageQuerySchema.extend({
  entity: filterText.meta({ description: 'A collection, or what an event is about.' }),
  entityId: filterText,
  actorId: filterText,
  action: filterText,
  from: moment.meta({ description: 'Epoch milliseconds, included.' }),
  to: moment.meta({ description: 'Epoch milliseconds, included.' }),
  order: z.enum(['newest', 'oldest']).default('newest'),
})

const checkSchema = z.object({
  intact: z.boolean(),
  entries: z.int().optional(),
  forgotten: z.int().optional().meta({ description: 'Entries at the beginning that are older than the history is kept.' }),
  head: z.string().optional(),
  seq: z.int().optional().meta({ description: 'Number of the first entry that does not fit.' }),
  reason: z.string().optional(),
})

/** `…/audit`: who changed what, for owners of the space; and whether the log is still what it was. */
export function registerAuditRoutes(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'GET',
    url: '/api/v1/:app/audit',
    schema: {
      operationId: 'listAudit',
      tags,
      summary: 'Entries of the change log, for owners',
      security,
      params: appParamsSchema,
      querystring: auditQuerySchema,
      response: { 200: jsonAnswer('A page; `cursor` is null on the last.', z.object({ entries: z.array(entrySchema), cursor: z.string().nullable() })), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      requireRole(scope, 'owner')
      const { limit, cursor, order, entity, entityId, actorId, action, from, to } = request.query
      const { space } = scope
      const filters = { entity, entityId, actorId, action, from, to }
      const list = ['audit', space, order, filters]
      const after = decodeListCursor(list, cursor)?.[0]
      if (after !== undefined && (typeof after !== 'number' || !Number.isSafeInteger(after))) throw new Problem('cursor.invalid')
      const { rows: entries, more } = await context.database.read((reader) => listChanges(reader, { space, ...filters, newestFirst: order === 'newest', after, limit }))
      const last = more ? entries.at(-1) : undefined
      return reply.send({ entries: entries.map(wireEntry), cursor: last === undefined ? null : encodeListCursor(list, [last.version]) })
    },
  })
  server.route({
    method: 'GET',
    url: '/api/v1/:app/audit/verify',
    schema: {
      operationId: 'verifyAudit',
      tags,
      summary: 'Compute the hash chain of the log again, for owners',
      security,
      params: appParamsSchema,
      querystring: spaceQuerySchema,
      response: { 200: jsonAnswer('Whether every entry is as it was written.', checkSchema), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      requireRole(scope, 'owner')
      const { kind, ...found } = await verifyChain(context.database, scope.space)
      return reply.send({ intact: kind === 'intact', ...found })
    },
  })
}

function wireEntry({ actorType, actorId, actorName, changes, detail, ...same }: ChangeRow): z.infer<typeof entrySchema> {
  return {
    ...same,
    actor: { type: actorType, id: actorId, name: actorName },
    changes: JSON.parse(changes) as Record<string, JsonValue[]>,
    detail: JSON.parse(detail) as Record<string, JsonValue>,
  }
}
