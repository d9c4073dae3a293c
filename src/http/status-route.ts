import { z } from 'zod'
import { versionSchema } from '../protocol/ids.ts'
import { countOpenConflicts } from '../storage/conflict-store.ts'
import { countRecords } from '../storage/read-records.ts'
import { countRejected } from '../storage/rejected-store.ts'
import { readHorizons, readSpaceState } from '../storage/space-state.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { visibleTo } from './rejected-routes.ts'
import { appOf, checkScope, mayRead, readableNames } from './route-scope.ts'
import { appParamsSchema, jsonAnswer, needsCredential, refusals, spaceQuerySchema } from './route-schema.ts'

const statusSchema = z.object({
  epoch: z.string(),
  serverTime: z.int(),
  role: z.enum(['viewer', 'editor', 'owner']),
  version: versionSchema,
  horizon: versionSchema.meta({ description: 'Highest version purged from any collection; 0 when nothing was.' }),
  collections: z.record(z.string(), z.object({ records: z.int(), horizon: versionSchema })),
  openConflicts: z.int(),
  rejected: z.int(),
})

/** `GET …/status`: where a space stands, in one consistent reading. */
export function registerStatusRoute(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'GET',
    url: '/api/v1/:app/status',
    schema: {
      operationId: 'getStatus',
      tags: ['sync'],
      summary: 'Version, counts, open conflicts and refused edits of a space',
      security: needsCredential,
      params: appParamsSchema,
      querystring: spaceQuerySchema,
      response: { 200: jsonAnswer('The status.', statusSchema), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      const app = appOf(context, scope.app)
      const { space, role } = scope
      const readable = [...app.collections.values()].filter((collection) => mayRead(scope, collection))
      const status = await context.database.read(async (reader) => {
        const { version } = await readSpaceState(reader, space)
        const horizons = await readHorizons(reader, space)
        const collections: Record<string, { records: number; horizon: number }> = {}
        for (const collection of readable) {
          collections[collection.name] = { records: await countRecords(reader, collection, space), horizon: horizons.get(collection.name) ?? 0 }
        }
        return {
          version,
          horizon: Math.max(0, ...readable.map(({ name }) => horizons.get(name) ?? 0)),
          collections,
          openConflicts: await countOpenConflicts(reader, { space, collections: readableNames(app, scope) }),
          rejected: await countRejected(reader, visibleTo(scope)),
        }
      })
      return reply.send({ epoch: context.epoch, serverTime: context.chance.now(), role, ...status })
    },
  })
}
