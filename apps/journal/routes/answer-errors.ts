import type { FastifyReply, FastifyRequest } from 'fastify'
import { problemOf, type HttpContext, type HttpServer, type ProblemView } from 'holdfast/server'
import { readSettings, type JournalSettings } from '../settings.ts'
import { DialectError, invalidField, notFound, tooLarge, type DialectCode } from './dialect-error.ts'

/** Answers every error of the scope in the dialect's envelope: its own, the platform's, the framework's, and paths that nothing answers for. */
export function answerErrors(server: HttpServer, context: HttpContext, settings: JournalSettings): void {
  server.setErrorHandler((error, request, reply) => answerError(error, request, reply, { context, settings }))
  server.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(notFound('The journal has no such path, or not with this method.').body(context.chance.now()))),
  )
}

/** Answers what is refused before a route is found. */
export function answerUnrouted(error: unknown, request: FastifyRequest, reply: FastifyReply, context: HttpContext): FastifyReply {
  return answerError(error, request, reply, { context, settings: readSettings(context.settings.environment) })
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, { context, settings }: { readonly context: HttpContext; readonly settings: JournalSettings }): FastifyReply {
  const shown = error instanceof DialectError ? error : translated(problemOf(error), settings)
  if (shown.status >= 500) request.log.error({ err: error, requestId: request.id, route: request.routeOptions.url }, shown.code)
  return reply
    .code(shown.status)
    .headers(shown.options.headers ?? {})
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(shown.body(context.chance.now())))
}

function translated(problem: ProblemView, { bodyBytesMax }: JournalSettings): DialectError {
  const { status, detail, retryAfterS } = problem
  const retry = retryAfterS === undefined ? {} : { headers: { 'retry-after': String(retryAfterS) } }
  if (problem.code === 'auth.ambiguous') return unauthorized(detail)
  switch (status) {
    case 400:
    case 422:
      if (problem.code === 'idempotency.mismatch') return new DialectError('IDEMPOTENCY_MISMATCH', { message: detail })
      return invalidField(problem.fields[0]?.path ?? 'body', detail)
    case 401:
      return unauthorized(detail)
    case 413:
      return tooLarge(bodyBytesMax, detail)
    case 429:
      return new DialectError('RATE_LIMIT_EXCEEDED', { message: detail, details: { retryAfterSeconds: String(retryAfterS ?? 1) }, ...retry })
    default:
      return new DialectError(codes[status] ?? 'INTERNAL_ERROR', { message: detail, ...retry })
  }
}

const codes: Readonly<Record<number, DialectCode>> = { 403: 'FORBIDDEN', 404: 'NOT_FOUND', 405: 'NOT_FOUND', 415: 'UNSUPPORTED_MEDIA_TYPE', 503: 'STORAGE_UNAVAILABLE' }

function unauthorized(message: string): DialectError {
  return new DialectError('UNAUTHORIZED', { message, headers: { 'www-authenticate': 'Bearer' } })
}
