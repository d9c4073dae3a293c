import type { FastifyRequest } from 'fastify'
import type { Credentials } from '../auth/principal.ts'
import { namesLoopback } from './names-loopback.ts'

/** The credentials of a request as sent: `Authorization: Bearer …` and `X-API-Key`. Another scheme counts as none. `X-Dev-User-Id` stands in for neither, and counts only where the request names this machine. */
export function credentialsOf(request: FastifyRequest): Credentials {
  const { authorization } = request.headers
  const bearer = authorization === undefined ? undefined : /^Bearer +(\S+) *$/i.exec(authorization)?.[1]
  const apiKey = request.headers['x-api-key']
  const devUserId = authorization === undefined && apiKey === undefined && namesLoopback(request) ? request.headers['x-dev-user-id'] : undefined
  return { ...(bearer === undefined ? {} : { bearer }), ...(typeof apiKey === 'string' ? { apiKey } : {}), ...(typeof devUserId === 'string' ? { devUserId } : {}) }
}
