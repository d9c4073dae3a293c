import type { FastifyRequest } from 'fastify'
import { idSchema, type Scope } from 'holdfast'
import { findSpaceById, type HttpContext, type HttpServer } from 'holdfast/server'
import type { JournalSettings } from '../settings.ts'
import { DialectError } from './dialect-error.ts'

/** Nobody gets to a route of the scope without a credential, and nobody who names another user or space, wherever they name them. */
export function checkAccess(server: HttpServer, context: HttpContext, { batchMax }: Pick<JournalSettings, 'batchMax'>): void {
  server.addHook('onRequest', async (request) => {
    await context.principalOf(request)
    await refuseOthers(context, request, request.query)
    await scopeOf(context, request)
  })
  server.addHook('preHandler', async (request) => {
    await refuseOthers(context, request, request.body)
    const items: unknown = isObject(request.body) ? request.body['associations'] : undefined
    // A longer batch is refused as a whole.
    if (!Array.isArray(items) || items.length > batchMax) return
    for (const item of items) if (namesSomebody(item)) await refuseOthers(context, request, item)
  })
}

/** Whose journal the request is about: the caller's own. */
export function scopeOf(context: HttpContext, request: FastifyRequest): Promise<Scope> {
  return context.scopeOf(request, 'journal')
}

function namesSomebody(named: unknown): boolean {
  return isObject(named) && ((named['userId'] ?? undefined) !== undefined || (named['space'] ?? undefined) !== undefined)
}

async function refuseOthers(context: HttpContext, request: FastifyRequest, named: unknown): Promise<void> {
  if (!isObject(named) || !namesSomebody(named)) return
  const userId = named['userId'] ?? undefined
  const space = named['space'] ?? undefined
  const principal = await context.principalOf(request)
  const ownUserId = principal.kind === 'key' ? undefined : principal.userId
  if (userId !== undefined && userId !== ownUserId) throw forbidden()
  if (space === undefined) return
  const found = typeof space === 'string' && idSchema.safeParse(space).success ? await context.database.read((reader) => findSpaceById(reader, 'journal', space)) : undefined
  const isOwn = found !== undefined && (principal.kind === 'key' ? found.space === principal.space : found.kind === 'personal' && found.name === principal.userId)
  if (!isOwn) throw forbidden()
}

function forbidden(): DialectError {
  return new DialectError('FORBIDDEN', { message: 'A request acts on the journal of whoever is signed in, and on no other.' })
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
