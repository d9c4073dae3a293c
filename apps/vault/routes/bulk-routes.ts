import { requireRole, type HttpServer } from 'holdfast/server'
import { about } from './about-route.ts'
import { actOnMany } from './actions-route.ts'
import { captureBatch } from './batch-route.ts'
import { registerImportRoute } from './import-route.ts'
import { scopeOf, type VaultContext } from './vault-context.ts'

/** Bytes of a body with many captures in it. */
const BULK_BYTES_MAX = 10_485_760

/** Many items at once. Whoever may write none of them is refused before the body is read, not row by row. */
export async function registerBulkRoutes(server: HttpServer, vault: VaultContext): Promise<void> {
  await server.register(async (scope) => {
    scope.addHook('onRequest', async (request) => requireRole(await scopeOf(vault, request), 'editor'))
    scope.post('/items/batch', { ...about('Capture many texts and links'), bodyLimit: BULK_BYTES_MAX }, (request, reply) => captureBatch(vault, request, reply))
    scope.post('/items/actions', about('Do one thing to many items'), (request, reply) => actOnMany(vault, request, reply))
    await registerImportRoute(scope, vault)
  })
}
