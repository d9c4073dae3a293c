import type { FastifyRequest } from 'fastify'

const loopbackHost = /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i

/**
 * Whether the request was meant for this machine by name as well. A page from elsewhere whose own name was made to lead here, after it
 * had been loaded, is of one origin with the server for its browser, which still sends that name.
 */
export function namesLoopback({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return headers.host !== undefined && loopbackHost.test(headers.host)
}
