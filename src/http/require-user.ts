import type { FastifyRequest } from 'fastify'
import type { UserPrincipal } from '../auth/principal.ts'
import { Problem } from '../protocol/problem.ts'
import type { HttpContext } from './http-context.ts'

/** The signed-in person who asks. An API key acts on the records of its space and on no account: `access.forbidden`. */
export async function requireUser(context: HttpContext, request: FastifyRequest): Promise<UserPrincipal> {
  const principal = await context.principalOf(request)
  if (principal.kind === 'key') throw new Problem('access.forbidden', { detail: 'An API key cannot do this; sign in.' })
  return principal
}

/** The admin of the server who asks; `access.forbidden` for others. */
export async function requireAdmin(context: HttpContext, request: FastifyRequest): Promise<UserPrincipal> {
  const principal = await requireUser(context, request)
  if (principal.serverRole !== 'admin') throw new Problem('access.forbidden', { detail: 'Only an admin of this server may do this.' })
  return principal
}
