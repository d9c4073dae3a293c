import type { FastifyRequest } from 'fastify'
import type { Scope } from '../app/rule.ts'
import type { Authenticator, KeyPrincipal, Principal, UserPrincipal } from '../auth/principal.ts'
import type { Chance } from '../lib/chance.ts'
import { idPattern } from '../protocol/ids.ts'
import { Problem } from '../protocol/problem.ts'
import type { Database } from '../storage/database.ts'
import { findSpaceById, ensureSpace } from '../storage/space-store.ts'
import { findSeat, type Seat } from '../storage/find-seat.ts'
import { credentialsOf } from './credentials-of.ts'
import type { HostedApp } from './http-context.ts'

export interface ScopeDeps {
  readonly database: Database
  readonly authenticator: Authenticator
  readonly apps: ReadonlyMap<string, HostedApp>
  readonly chance: Chance
}

/** Who asks. Throws `Problem` 401 for a missing, wrong or ended credential. */
export function principalOf(deps: ScopeDeps, request: FastifyRequest): Promise<Principal> {
  return deps.authenticator.authenticate(credentialsOf(request))
}

/** Who asks, in which space, with which role. A space the caller is no member of is `space.not_found`, like one that does not exist. */
export async function scopeOf(deps: ScopeDeps, request: FastifyRequest, principal: Principal, appName: string): Promise<Scope> {
  const hosted = deps.apps.get(appName)
  if (hosted === undefined) throw new Problem('not_found', { detail: 'This server runs no such app.' })
  const spaceId = spaceIdOf(request.query)
  const seat = principal.kind === 'key' ? await seatOfKey(deps, principal, { app: appName, spaceId }) : await seatOfUser(deps, principal, { hosted, spaceId })
  return { actor: principal.actor, device: principal.device, app: appName, space: seat.space, role: seat.role, requestId: request.id }
}

/** A key acts in its own app and space, whatever it asks for. */
async function seatOfKey(deps: ScopeDeps, key: KeyPrincipal, asked: { readonly app: string; readonly spaceId: string | undefined }): Promise<Seat> {
  if (key.app !== asked.app) throw new Problem('access.forbidden', { detail: 'This key belongs to another app.' })
  const { spaceId } = asked
  if (spaceId !== undefined) {
    const named = await deps.database.read((reader) => findSpaceById(reader, asked.app, spaceId), { oneStatement: true })
    if (named?.space !== key.space) throw new Problem('space.not_found')
  }
  return { space: key.space, role: key.role }
}

async function seatOfUser(deps: ScopeDeps, user: UserPrincipal, { hosted, spaceId }: { readonly hosted: HostedApp; readonly spaceId: string | undefined }): Promise<Seat> {
  const { name: app, spaces } = hosted.app
  if (spaceId === undefined && spaces === 'organisation') throw new Problem('space.required')
  const seat = await deps.database.read((reader) => findSeat(reader, { app, userId: user.userId, spaceId }), { oneStatement: true })
  if (seat !== undefined) return seat
  if (spaceId !== undefined) throw new Problem('space.not_found')
  const now = deps.chance.now()
  const made = await deps.database.write((tx) => ensureSpace(tx, { id: deps.chance.id(), app, kind: 'personal', name: user.userId, ownerId: user.userId, now }))
  return { space: made.space, role: 'owner' }
}

function spaceIdOf(query: unknown): string | undefined {
  if (typeof query !== 'object' || query === null || !('space' in query)) return undefined
  // What no space could be called is no space: asked of the database it might be an error.
  if (typeof query.space === 'string' && query.space !== '' && !idPattern.test(query.space)) throw new Problem('not_found')
  if (typeof query.space === 'string' && query.space !== '') return query.space
  throw new Problem('request.invalid', { detail: 'space: name one space.', fields: [{ path: 'space', message: 'Name one space.' }] })
}
