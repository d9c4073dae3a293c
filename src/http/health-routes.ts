import { z } from 'zod'
import { Problem } from '../protocol/problem.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { jsonAnswer, refusals } from './route-schema.ts'

const healthSchema = z.object({ status: z.literal('ok') })

/** `/health/live`: the process answers. `/health/ready`: the database does too. */
export function registerHealthRoutes(server: HttpServer, context: HttpContext): void {
  server.get('/health/live', { schema: { operationId: 'live', tags: ['server'], summary: 'The process is running', response: { 200: jsonAnswer('It is.', healthSchema) } } }, async (_request, reply) =>
    reply.send({ status: 'ok' }),
  )
  server.get(
    '/health/ready',
    { schema: { operationId: 'ready', tags: ['server'], summary: 'The server can answer: its database does', response: { 200: jsonAnswer('It can.', healthSchema), ...refusals } } },
    async (request, reply) => {
      try {
        await context.database.read((reader) => reader.all("SELECT value FROM holdfast_meta WHERE key = 'epoch'"))
      } catch (error) {
        request.log.error({ err: error, requestId: request.id }, 'the database does not answer')
        throw new Problem('unavailable', { detail: 'The database does not answer.', retryAfterS: 5 })
      }
      return reply.send({ status: 'ok' })
    },
  )
}
