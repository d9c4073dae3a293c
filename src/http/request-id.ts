import type { IncomingMessage } from 'node:http'

const pattern = /^[A-Za-z0-9._:-]{1,128}$/

/** The caller's `X-Request-Id` where it is harmless, else a new one. */
export function requestIdOf(request: IncomingMessage, nextId: () => string): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && pattern.test(given) ? given : nextId()
}
