import type { HttpServer } from 'holdfast/server'
import { about } from './about-route.ts'
import { actOnMany } from './actions-route.ts'
import { captureBatch } from './batch-route.ts'
import { registerImportRoute } from './import-route.ts'
import type { VaultContext } from './vault-context.ts'

/** Bytes of a body with many captures in it. */
const BULK_BYTES_MAX = 10_485_760

/** Many items at once. */
export async function registerBulkRoutes(server: HttpServer, vault: VaultContext): Promise<void> {
  server.post('/items/batch', { ...about('Capture many texts and links'), bodyLimit: BULK_BYTES_MAX }, (request, reply) => captureBatch(vault, request, reply))
  server.post('/items/actions', about('Do one thing to many items'), (request, reply) => actOnMany(vault, request, reply))
  await registerImportRoute(server, vault)
}
