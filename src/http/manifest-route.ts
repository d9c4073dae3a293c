import { z } from 'zod'
import type { CompiledCollection } from '../app/compile-app.ts'
import { limits } from '../protocol/limits.ts'
import { Problem } from '../protocol/problem.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { appOf } from './route-scope.ts'
import { appParamsSchema, jsonAnswer, needsCredential, refusals } from './route-schema.ts'

/** Versions of the protocol that this server speaks. */
const PROTOCOL_VERSIONS = [1]

const manifestSchema = z.object({
  app: z.string(),
  protocols: z.array(z.int()),
  epoch: z.string(),
  serverTime: z.int(),
  spaces: z.enum(['personal', 'organisation']),
  limits: z.record(z.string(), z.int()),
  collections: z.record(
    z.string(),
    z.object({
      schema: z.record(z.string(), z.unknown()),
      conflict: z.string(),
      access: z.object({ read: z.string(), write: z.string(), delete: z.string() }),
      server: z.array(z.string()),
      encrypted: z.boolean(),
      singleton: z.string().nullable(),
    }),
  ),
})

/** `GET …/manifest`: what a client must know of an app before it syncs. */
export function registerManifestRoute(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'GET',
    url: '/api/v1/:app/manifest',
    schema: {
      operationId: 'getManifest',
      tags: ['sync'],
      summary: 'Protocol versions, epoch, limits and collections of an app',
      security: needsCredential,
      params: appParamsSchema,
      response: { 200: jsonAnswer('The manifest.', manifestSchema), ...refusals },
    },
    onRequest: async (request) => {
      await context.principalOf(request)
    },
    handler: async (request, reply) => {
      const principal = await context.principalOf(request)
      const app = appOf(context, request.params.app)
      if (principal.kind === 'key' && principal.app !== app.name) throw new Problem('access.forbidden', { detail: 'This key belongs to another app.' })
      return reply.send({
        app: app.name,
        protocols: PROTOCOL_VERSIONS,
        epoch: context.epoch,
        serverTime: context.chance.now(),
        spaces: app.spaces,
        limits,
        collections: Object.fromEntries([...app.collections].map(([name, collection]) => [name, describe(collection)])),
      })
    },
  })
}

function describe({ jsonSchema, conflict, access, fields, encrypted, singleton }: CompiledCollection) {
  return {
    schema: jsonSchema,
    conflict: typeof conflict === 'function' ? 'custom' : conflict,
    access,
    server: fields.filter((field) => field.server).map(({ name }) => name),
    encrypted,
    singleton: singleton ?? null,
  }
}
