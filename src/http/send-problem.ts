import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { errorCodes, type ProblemCode } from '../protocol/error-codes.ts'
import { Problem } from '../protocol/problem.ts'
import { problemOf, type ProblemView } from './problem-of.ts'
import type { RouteList } from './route-list.ts'

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** Answers an error as `application/problem+json` (RFC 9457). A fault of the server is logged with its stack and shown without. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error)
  if (problem.status >= 500) request.log.error({ err: error, requestId: request.id, route: request.routeOptions.url }, problem.code)
  if (problem.retryAfterS !== undefined) reply.header('retry-after', String(problem.retryAfterS))
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  return reply.code(problem.status).type(PROBLEM_TYPE).send(problemText(problem, request.id))
}

/** The answer's body. `type` names the code; its meaning is in docs/ERRORS.md. */
export function problemText(problem: ProblemView, requestId: string): string {
  const { status, code, detail, fields, extra } = problem
  return JSON.stringify({ ...extra, type: problemType(code), title: errorCodes[code].says, status, code, detail, requestId, ...(fields.length === 0 ? {} : { fields }) })
}

function problemType(code: ProblemCode): string {
  return `urn:holdfast:problem:${code}`
}

/** Answers what no route matched: 405 with `Allow` where the path exists for other methods, else 404. */
export function answerNotFound(routes: RouteList): (request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  return (request, reply) => {
    const methods = routes.methodsOf(request.url.split('?', 1)[0] ?? '')
    if (methods.length === 0) return sendProblem(new Problem('not_found'), request, reply)
    return sendProblem(new Problem('method.not_allowed', { detail: `This path takes ${methods.join(', ')}.` }), request, reply.header('allow', methods.join(', ')))
  }
}

/** Answers bytes that are not HTTP, with the headers of every answer: there is no request yet, so it is written by hand. */
export function answerClientError(headers: Readonly<Record<string, string>>, nextId: () => string): (error: Error, socket: Socket) => void {
  return (error, socket) => {
    if (!socket.writable) return void socket.destroy()
    const tooSlow = 'code' in error && error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
    const tooLong = 'code' in error && error.code === 'HPE_HEADER_OVERFLOW'
    const status = tooSlow ? '408 Request Timeout' : tooLong ? '431 Request Header Fields Too Large' : '400 Bad Request'
    const requestId = nextId()
    const problem = problemOf(new Problem('request.invalid', { detail: 'This is not a readable HTTP request.' }))
    const body = problemText({ ...problem, status: Number.parseInt(status, 10) }, requestId)
    const common = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    const head = [`HTTP/1.1 ${status}`, ...common, `Content-Type: ${PROBLEM_TYPE}`, `Content-Length: ${Buffer.byteLength(body)}`, `X-Request-Id: ${requestId}`, 'Connection: close']
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  }
}
