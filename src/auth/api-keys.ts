import type { SpaceKind } from '../app/define-app.ts'
import { reaches } from '../app/role-rank.ts'
import type { Actor } from '../app/rule.ts'
import type { MadeKey, NewKeyRequest, WireKey } from '../protocol/keys.ts'
import { Problem } from '../protocol/problem.ts'
import type { AccountDeps } from './account-deps.ts'
import { accountLimits } from './account-limits.ts'
import type { AccountSpace, ApiKey } from './account-records.ts'
import type { AccountWriter } from './account-store.ts'
import { hashSecret } from './hash-secret.ts'
import { keyText } from './key-text.ts'
import type { UserPrincipal } from './principal.ts'

/** Keys that the caller made, and all keys of the spaces they own, newest first. */
export async function listKeys(deps: AccountDeps, principal: UserPrincipal): Promise<WireKey[]> {
  const keys = await deps.store.read((reader) => reader.keysOf(principal.userId))
  return keys.map(wireKey)
}

export interface KeyWish {
  readonly request: NewKeyRequest
  /** Who shares the spaces of the app that `request` names. */
  readonly spaces: SpaceKind
  readonly requestId: string
}

/** Makes a key for a space of the caller, never above their own role there. Throws `not_found`, `access.forbidden`, `space.required`. */
export async function createKey(deps: AccountDeps, principal: UserPrincipal, { request, spaces, requestId }: KeyWish): Promise<MadeKey> {
  const { userId, actor } = principal
  return deps.store.write(async (writer) => {
    const space = await spaceFor(deps, writer, { userId, app: request.app, spaces, id: request.space })
    const role = await writer.roleIn(space.space, userId)
    if (role === undefined) throw new Problem('not_found', { detail: 'There is no such space, or it is not yours.' })
    if (!reaches(role, request.role)) throw new Problem('access.forbidden', { detail: 'A key cannot have a higher role than its maker.' })
    return addKeyTo(deps, writer, { space, name: request.name, role: request.role, createdBy: userId, actor, requestId })
  })
}

export interface KeyToAdd {
  readonly space: AccountSpace
  readonly name: string
  readonly role: ApiKey['role']
  readonly createdBy: string
  readonly actor: Actor
  readonly requestId: string
}

/** Stores a new key of a space and the event in the space's log. Whether the maker may do it is the caller's to decide. */
export async function addKeyTo(deps: Pick<AccountDeps, 'chance'>, writer: AccountWriter, { space, name, role, createdBy, actor, requestId }: KeyToAdd): Promise<MadeKey> {
  await writer.lockSpace(space.space)
  const live = (await writer.keysOfSpace(space.space)).filter(({ revokedAt }) => revokedAt === null)
  if (live.length >= accountLimits.LIST_MAX) throw new Problem('access.forbidden', { detail: `A space has at most ${accountLimits.LIST_MAX} keys. Revoke one first.` })
  const now = deps.chance.now()
  const secret = deps.chance.secret()
  const row = { id: deps.chance.id(), hash: hashSecret(secret), name, app: space.app, space: space.space, role, createdBy, createdAt: now, lastUsedAt: null, revokedAt: null }
  await writer.addKey(row)
  await writer.appendEvent({ space: space.space, actor, requestId, action: 'keys.create', entity: 'keys', entityId: row.id, detail: { name, role }, now })
  return { ...wireKey({ ...row, spaceId: space.id }), key: keyText(row.id, secret) }
}

/** Revokes a key that the caller made or whose space they own; again changes nothing. It fails from the next request on. Throws `not_found`. */
export async function revokeKey(deps: AccountDeps, principal: UserPrincipal, { id, requestId }: { readonly id: string; readonly requestId: string }): Promise<void> {
  await deps.store.write(async (writer) => {
    const key = await writer.findKey(id)
    if (key === undefined || !(await answersFor(writer, principal.userId, key))) throw new Problem('not_found')
    await writer.lockSpace(key.space)
    // Read again under the lock: of two revocations one writes the event.
    if ((await writer.findKey(id))?.revokedAt !== null) return
    const now = deps.chance.now()
    await writer.revokeKey(id, now)
    await writer.appendEvent({ space: key.space, actor: principal.actor, requestId, action: 'keys.revoke', entity: 'keys', entityId: id, detail: { name: key.name }, now })
  })
  deps.onRevoked()
}

async function answersFor(writer: AccountWriter, userId: string, key: ApiKey): Promise<boolean> {
  return key.createdBy === userId || (await writer.roleIn(key.space, userId)) === 'owner'
}

interface SpaceWish {
  readonly userId: string
  readonly app: string
  readonly spaces: SpaceKind
  readonly id: string | undefined
}

async function spaceFor(deps: AccountDeps, writer: AccountWriter, { userId, app, spaces, id }: SpaceWish): Promise<AccountSpace> {
  if (id !== undefined) {
    const space = await writer.findSpace(id)
    if (space === undefined || space.app !== app) throw new Problem('not_found', { detail: 'There is no such space, or it is not yours.' })
    return space
  }
  if (spaces !== 'personal') throw new Problem('space.required')
  return writer.ensureSpace({ id: deps.chance.id(), app, kind: 'personal', name: userId, ownerId: userId, now: deps.chance.now() })
}

function wireKey({ id, name, app, spaceId, role, createdBy, createdAt, lastUsedAt, revokedAt }: ApiKey): WireKey {
  return { id, name, app, space: spaceId, role, createdBy, createdAt, lastUsedAt, revokedAt }
}
