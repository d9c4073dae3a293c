import { z } from 'zod'
import { limits } from '../protocol/limits.ts'
import { pullResponseSchema } from '../protocol/pull.ts'
import { pull } from '../storage/pull.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { appOf, askedCollections, checkScope } from './route-scope.ts'
import { appParamsSchema, cursorQuerySchema, jsonAnswer, needsCredential, pageLimitSchema, refusals, spaceQuerySchema } from './route-schema.ts'

/** Which collections a reader wants. */
export const collectionsQuerySchema = z.object({
  collections: z.string().max(4_096).optional().meta({ description: 'Names with commas between; all collections that may be read when absent.' }),
  readable: z.stringbool().optional().meta({ description: 'True to leave out what the caller may not read; without it a name of that kind is 403. The head of a snapshot says what was left out.' }),
})

const pullQuerySchema = spaceQuerySchema.extend({
  ...collectionsQuerySchema.shape,
  cursor: cursorQuerySchema,
  proof: cursorQuerySchema.meta({ description: 'The `proof` of the last push, until a page was read behind it: 410 where the log has been put back since.' }),
  rewound: z
    .stringbool()
    .optional()
    .meta({ description: 'True for a reader who has been told `epoch` or `diverged` and tries an older cursor: one of another epoch is good where the log up to it is the same.' }),
  limit: pageLimitSchema(limits.PULL_RECORDS_MAX, limits.PULL_RECORDS_DEFAULT),
})

/** `GET …/pull`: what is new since a cursor, in the order of versions. */
export function registerPullRoute(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'GET',
    url: '/api/v1/:app/pull',
    schema: {
      operationId: 'pull',
      tags: ['sync'],
      summary: 'What is new since a cursor',
      description: '410 `resync_required` says with `reason` why a cursor cannot be continued.',
      security: needsCredential,
      params: appParamsSchema,
      querystring: pullQuerySchema,
      response: { 200: jsonAnswer('A page of changes.', pullResponseSchema), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      const app = appOf(context, scope.app)
      const { cursor, proof, rewound, limit } = request.query
      const { collections } = askedCollections(app, scope, request.query)
      const text = await context.database.read((reader) => pull(reader, { app, space: scope.space, epoch: context.epoch, cursor, proof, rewound, limit, collections }))
      return reply.type('application/json; charset=utf-8').send(text)
    },
  })
}
