import { z } from 'zod'
import type { Accounts } from '../auth/accounts.ts'
import { idSchema } from '../protocol/ids.ts'
import { apiKeySchema, madeKeySchema, newKeyRequestSchema } from '../protocol/keys.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { requireApp } from './require-app.ts'
import { requireUser } from './require-user.ts'
import { needsUser, noContent, refusals } from './route-schema.ts'

const tags = ['keys']

/** `/api/v1/keys`: API keys for programs and shared devices. */
export function registerKeyRoutes(server: HttpServer, context: HttpContext, accounts: Accounts): void {
  server.get(
    '/api/v1/keys',
    {
      schema: {
        operationId: 'listKeys',
        tags,
        summary: 'Keys that you made and keys of the spaces you own',
        security: needsUser,
        response: { 200: z.object({ keys: z.array(apiKeySchema) }), ...refusals },
      },
    },
    async (request) => ({ keys: await accounts.listKeys(await requireUser(context, request)) }),
  )
  server.post(
    '/api/v1/keys',
    {
      schema: {
        operationId: 'createKey',
        tags,
        summary: 'Make a key for one of your spaces',
        description: 'Its role is never above yours, now or later: if you lose the space, so does the key. `key` is shown this once.',
        security: needsUser,
        body: newKeyRequestSchema,
        response: { 201: madeKeySchema, ...refusals },
      },
    },
    async (request, reply) => {
      const principal = await requireUser(context, request)
      const { spaces } = requireApp(context, request.body.app)
      return reply.code(201).send(await accounts.createKey(principal, { request: request.body, spaces, requestId: request.id }))
    },
  )
  server.delete(
    '/api/v1/keys/:id',
    {
      schema: {
        operationId: 'revokeKey',
        tags,
        summary: 'Revoke a key; it fails from the next request on',
        security: needsUser,
        params: z.object({ id: idSchema }),
        response: { 204: noContent, ...refusals },
      },
    },
    async (request, reply) => {
      await accounts.revokeKey(await requireUser(context, request), { id: request.params.id, requestId: request.id })
      return reply.code(204).send()
    },
  )
}
