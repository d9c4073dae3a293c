import type { FastifyReply, FastifyRequest } from 'fastify'
import { problemOf, type HttpServer, type ProblemView, type RouteList } from 'holdfast/server'
import { invalidFields, notFound, VaultError, type VaultErrorCode } from './vault-error.ts'

/** Answers every error of the scope in the dialect's envelope: its own, the platform's, the framework's, and paths and methods that nothing answers for. */
export function answerErrors(server: HttpServer, routes: RouteList): void {
  server.setErrorHandler(answerError)
  server.setNotFoundHandler((request, reply) => {
    const methods = routes.methodsOf(request.url.split('?', 1)[0] ?? '')
    if (methods.length === 0) return answerError(notFound(), request, reply)
    const allow = methods.join(', ')
    return answerError(new VaultError('METHOD_NOT_ALLOWED', { message: `This path takes ${allow}.`, headers: { allow } }), request, reply)
  })
}

/** Answers in the envelope. A fault of the server is logged with its stack and shown without. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const shown = vaultErrorOf(error)
  if (shown.status >= 500) request.log.error({ err: error, requestId: request.id, route: request.routeOptions.url }, shown.code)
  return reply
    .code(shown.status)
    .headers(shown.options.headers ?? {})
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ error: shown.view(request.id) }))
}

/** Any thrown error as one of the dialect. The framework's own texts quote what was sent, so they are not passed on. */
export function vaultErrorOf(error: unknown): VaultError {
  return error instanceof VaultError ? error : translated(problemOf(error))
}

function translated({ status, code, detail, fields, retryAfterS }: ProblemView): VaultError {
  const headers = retryAfterS === undefined ? {} : { headers: { 'retry-after': String(retryAfterS) } }
  if (code === 'auth.ambiguous') return unauthorized('UNAUTHORIZED', detail)
  switch (status) {
    case 400:
      if (fields.length > 0) return invalidFields(fields.map(({ path, message }) => ({ field: path, message })))
      return new VaultError('INVALID_REQUEST', { message: 'The request cannot be read: send well-formed JSON as UTF-8.' })
    case 401:
      return unauthorized(code === 'auth.expired' ? 'TOKEN_EXPIRED' : 'UNAUTHORIZED', detail)
    case 422:
      if (code === 'idempotency.mismatch') return new VaultError('IDEMPOTENCY_KEY_REUSED', { message: detail })
      return invalidFields(fields.map(({ path, message }) => ({ field: path, message })))
    default:
      return new VaultError(codes[status] ?? 'INTERNAL_ERROR', { message: detail, ...headers })
  }
}

const codes: Readonly<Record<number, VaultErrorCode>> = {
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'RATE_LIMITED',
  503: 'UNAVAILABLE',
}

function unauthorized(code: 'UNAUTHORIZED' | 'TOKEN_EXPIRED', message: string): VaultError {
  return new VaultError(code, { message, headers: { 'www-authenticate': 'Bearer' } })
}
