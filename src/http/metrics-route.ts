import { timingSafeEqual, hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { Problem } from '../protocol/problem.ts'
import { credentialsOf } from './credentials-of.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import type { Metrics } from './metrics.ts'
import { namesLoopback } from './names-loopback.ts'
import { needsMetricsToken, refusals, textAnswer } from './route-schema.ts'

/** `/metrics` in the text format of Prometheus: open on loopback without a token, else for whoever has the configured one. */
export function registerMetricsRoute(server: HttpServer, context: HttpContext, { registry }: Metrics): void {
  server.get(
    '/metrics',
    {
      schema: {
        operationId: 'metrics',
        tags: ['server'],
        summary: 'Measurements in the text format of Prometheus',
        description: 'Without `HOLDFAST_METRICS_TOKEN` only callers on the same machine see them.',
        security: needsMetricsToken,
        response: { 200: textAnswer('The measurements.', 'text/plain'), ...refusals },
      },
    },
    async (request, reply) => {
      requireReader(context, request)
      return reply.type(registry.contentType).send(await registry.metrics())
    },
  )
}

function requireReader({ settings: { metricsToken } }: HttpContext, request: FastifyRequest): void {
  const { bearer } = credentialsOf(request)
  if (metricsToken !== undefined) {
    if (bearer === undefined || !sameSecret(bearer, metricsToken)) throw new Problem('auth.required', { detail: 'Send the metrics token as Bearer.' })
    return
  }
  // The socket's own address: what a proxy says of the caller is not looked at, and neither a proxy nor a page from elsewhere is this machine's user.
  const isForwarded = request.headers['x-forwarded-for'] !== undefined || request.headers['forwarded'] !== undefined
  if (isForwarded || !namesLoopback(request) || !isLoopback(request.raw.socket.remoteAddress ?? '')) {
    throw new Problem('access.forbidden', { detail: 'Only on this machine. Set HOLDFAST_METRICS_TOKEN to read measurements from elsewhere.' })
  }
}

function sameSecret(one: string, other: string): boolean {
  return timingSafeEqual(hash('sha256', one, 'buffer'), hash('sha256', other, 'buffer'))
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address)
}
