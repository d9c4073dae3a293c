import type { FastifyRequest } from 'fastify'
import { listRoutes, type HttpContext, type HttpServer } from 'holdfast/server'
import { readSettings } from '../settings.ts'
import { about } from './about-route.ts'
import { answerErrors } from './answer-errors.ts'
import { registerBulkRoutes } from './bulk-routes.ts'
import { registerItemRoutes } from './item-routes.ts'
import { registerLibraryRoutes } from './library-routes.ts'
import { registerProfileRoutes } from './profile-routes.ts'
import { registerSearchRoutes } from './search-routes.ts'
import { registerTagRoutes } from './tag-routes.ts'
import { createVaultContext, scopeOf, type VaultContext } from './vault-context.ts'

/** Longest JSON body in bytes; routes that take many items at once say otherwise. */
const BODY_BYTES_MAX = 262_144

/** Gives the scope the vault's dialect, at the prefix and once more behind `/api/v1`. Nobody gets past `/health` without a credential. */
export async function registerRoutes(server: HttpServer, context: HttpContext): Promise<void> {
  const vault = createVaultContext(context, readSettings(context.settings.environment))
  answerErrors(server, listRoutes(server))
  const admit = async (request: FastifyRequest) => void (await scopeOf(vault, request))
  for (const prefix of ['', '/api/v1']) await server.register(async (scope) => registerFamily(scope, vault, admit), { prefix })
}

async function registerFamily(server: HttpServer, vault: VaultContext, admit: (request: FastifyRequest) => Promise<void>): Promise<void> {
  server.get('/health', about('Whether the vault answers'), async (_request, reply) => reply.send({ status: 'ok' }))
  await server.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.bodyLimit ??= BODY_BYTES_MAX
    })
    scope.addHook('onRequest', admit)
    registerItemRoutes(scope, vault)
    await registerBulkRoutes(scope, vault)
    registerLibraryRoutes(scope, vault)
    registerSearchRoutes(scope, vault)
    registerTagRoutes(scope, vault)
    registerProfileRoutes(scope, vault)
  })
}
