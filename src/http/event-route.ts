import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import type { Gauge } from 'prom-client'
import { limits } from '../protocol/limits.ts'
import { Problem } from '../protocol/problem.ts'
import { createPlaces, whenOver } from './account-places.ts'
import { EventStream } from './event-stream.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { checkScope } from './route-scope.ts'
import { appParamsSchema, needsCredential, refusals, spaceQuerySchema, textAnswer } from './route-schema.ts'

/** `GET …/events`: a doorbell by server-sent events, one stream per device over all its spaces of the app. */
export function registerEventRoute(server: HttpServer, context: HttpContext, openStreams: Gauge): void {
  const streams = new Set<EventStream>()
  const takePlace = createPlaces({ max: limits.EVENT_STREAMS_MAX, what: 'event streams' })
  server.addHook('preClose', async () => {
    for (const stream of streams) stream.end()
  })
  server.route({
    method: 'GET',
    url: '/api/v1/:app/events',
    exposeHeadRoute: false,
    schema: {
      operationId: 'events',
      tags: ['sync'],
      summary: 'Server-sent events: something is new',
      description:
        '`change` carries `space`, `from` and `to` versions and, when small, the `changes` themselves. `Last-Event-ID` resumes. A lost event costs nothing: when `from` is above what the device has, it pulls. `job` carries `jobs` of a `space` whose state or progress has changed, or `more` when they are many.',
      security: needsCredential,
      params: appParamsSchema,
      querystring: spaceQuerySchema,
      response: { 200: textAnswer('Events.', 'text/event-stream'), ...refusals },
    },
    onRequest: checkScopeOrMember(context),
    handler: async (request, reply) => {
      const giveBack = takePlace(await context.principalOf(request))
      const stream = await EventStream.open(context, request, request.params.app).catch((error: unknown) => {
        giveBack()
        throw error
      })
      streams.add(stream)
      openStreams.set(streams.size)
      const close = () => {
        stream.end()
        giveBack()
        streams.delete(stream)
        openStreams.set(streams.size)
      }
      whenOver(reply, close)
      reply.headers({ 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no', connection: 'close' })
      return reply.send(Readable.from(stream.events(), { objectMode: false, highWaterMark: 1 }))
    },
  })
}

/** An app with shared spaces has no space to fall back on: without `space` the stream is over all that the caller is a member of. */
function checkScopeOrMember(context: HttpContext): (request: FastifyRequest) => Promise<void> {
  const check = checkScope(context)
  return async (request) => {
    try {
      await check(request)
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'space.required') throw error
    }
  }
}
