import type { HttpContext, HttpServer } from './http-context.ts'
import { registerRecordReadRoutes } from './record-read-routes.ts'
import { registerRecordWriteRoutes } from './record-write-routes.ts'

/** `…/records/{collection}`: records one by one and in lists, for scripts and tools. */
export function registerRecordRoutes(server: HttpServer, context: HttpContext): void {
  registerRecordReadRoutes(server, context)
  registerRecordWriteRoutes(server, context)
}
