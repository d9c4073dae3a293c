import { z } from 'zod'
import type { Accounts } from '../auth/accounts.ts'
import { deviceSchema, renameDeviceRequestSchema, sessionSchema } from '../protocol/devices.ts'
import { idSchema } from '../protocol/ids.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { requireUser } from './require-user.ts'
import { needsUser, noContent, refusals } from './route-schema.ts'

const tags = ['devices']
const params = z.object({ id: idSchema })

/** `/api/v1/devices` and `/api/v1/sessions`: where an account is signed in. */
export function registerDeviceRoutes(server: HttpServer, context: HttpContext, accounts: Accounts): void {
  server.get(
    '/api/v1/devices',
    { schema: { operationId: 'listDevices', tags, summary: 'Your devices with their sessions', security: needsUser, response: { 200: z.object({ devices: z.array(deviceSchema) }), ...refusals } } },
    async (request) => ({ devices: await accounts.listDevices(await requireUser(context, request)) }),
  )
  server.patch(
    '/api/v1/devices/:id',
    { schema: { operationId: 'renameDevice', tags, summary: 'Rename a device', security: needsUser, params, body: renameDeviceRequestSchema, response: { 200: deviceSchema, ...refusals } } },
    async (request) => accounts.renameDevice(await requireUser(context, request), request.params.id, request.body.name),
  )
  server.delete(
    '/api/v1/devices/:id',
    { schema: { operationId: 'revokeDevice', tags, summary: 'Remove a device; its sessions end at once', security: needsUser, params, response: { 204: noContent, ...refusals } } },
    async (request, reply) => {
      await accounts.revokeDevice(await requireUser(context, request), request.params.id)
      return reply.code(204).send()
    },
  )
  server.get(
    '/api/v1/sessions',
    { schema: { operationId: 'listSessions', tags, summary: 'Your live sessions', security: needsUser, response: { 200: z.object({ sessions: z.array(sessionSchema) }), ...refusals } } },
    async (request) => ({ sessions: await accounts.listSessions(await requireUser(context, request)) }),
  )
  server.delete(
    '/api/v1/sessions/:id',
    { schema: { operationId: 'endSession', tags, summary: 'End a session at once', security: needsUser, params, response: { 204: noContent, ...refusals } } },
    async (request, reply) => {
      await accounts.endSession(await requireUser(context, request), request.params.id)
      return reply.code(204).send()
    },
  )
}
