import type { SpaceRole } from '../app/collection.ts'
import { Problem } from '../protocol/problem.ts'
import type { WireMember, WireSpace } from '../protocol/spaces.ts'
import type { AccountDeps } from './account-deps.ts'
import type { AccountSpace, Member } from './account-records.ts'
import type { AccountReader, AccountWriter } from './account-store.ts'
import type { UserPrincipal } from './principal.ts'

/** The caller's spaces in all apps, with their role. */
export async function listSpaces(deps: AccountDeps, principal: UserPrincipal): Promise<WireSpace[]> {
  const memberships = await deps.store.read((reader) => reader.membershipsOf(principal.userId))
  return memberships.map(({ id, app, kind, name, role }) => ({ id, app, kind, name, role }))
}

/** Makes a space of an organisation; the caller becomes its owner. Throws `space.exists`. */
export async function createSpace(deps: AccountDeps, principal: UserPrincipal, { app, name }: { readonly app: string; readonly name: string }): Promise<WireSpace> {
  const { id, kind } = await deps.store.write(async (writer) => {
    const wanted = { app, kind: 'organisation', name } as const
    const newId = deps.chance.id()
    if ((await writer.findSpaceNamed(wanted)) !== undefined) throw new Problem('space.exists')
    const made = await writer.ensureSpace({ ...wanted, id: newId, ownerId: principal.userId, now: deps.chance.now() })
    if (made.id !== newId) throw new Problem('space.exists')
    return made
  })
  return { id, app, kind, name, role: 'owner' }
}

/** The members of a space that the caller owns. Throws `not_found`, or `access.forbidden` below owner. */
export async function listMembers(deps: AccountDeps, principal: UserPrincipal, spaceId: string): Promise<WireMember[]> {
  return deps.store.read(async (reader) => {
    const { space } = await ownedSpace(reader, principal, spaceId)
    return (await reader.membersOf(space)).map(wireMember)
  })
}

export interface MemberChange {
  readonly spaceId: string
  readonly userId: string
  readonly requestId: string
}

/** Gives an account a role in an organisation's space that the caller owns. The last owner stays one. */
export async function setMember(deps: AccountDeps, principal: UserPrincipal, { spaceId, userId, requestId, role }: MemberChange & { readonly role: SpaceRole }): Promise<WireMember> {
  const member = await deps.store.write(async (writer) => {
    const space = await sharedSpace(writer, principal, spaceId)
    const user = await writer.findUser(userId)
    if (user === undefined) throw new Problem('not_found', { detail: 'There is no such account.' })
    const before = await writer.roleIn(space, userId)
    if (before === 'owner' && role !== 'owner') await requireAnotherOwner(writer, space, userId)
    const now = deps.chance.now()
    await writer.setMember({ space, userId, role, now })
    if (before !== role)
      await writer.appendEvent({ space, actor: principal.actor, requestId, action: 'members.set', entity: 'members', entityId: userId, detail: { role, before: before ?? null }, now })
    return (await writer.membersOf(space)).find((one) => one.userId === userId)
  })
  deps.onRevoked()
  if (member === undefined) throw new Problem('not_found')
  return wireMember(member)
}

/** Removes an account from an organisation's space: an owner anybody, a member themselves. The last owner stays. */
export async function removeMember(deps: AccountDeps, principal: UserPrincipal, { spaceId, userId, requestId }: MemberChange): Promise<void> {
  await deps.store.write(async (writer) => {
    const space = await sharedSpace(writer, principal, spaceId, { leaving: userId === principal.userId })
    const before = await writer.roleIn(space, userId)
    if (before === undefined) throw new Problem('not_found', { detail: 'There is no such member.' })
    if (before === 'owner') await requireAnotherOwner(writer, space, userId)
    await writer.removeMember(space, userId)
    await writer.appendEvent({ space, actor: principal.actor, requestId, action: 'members.remove', entity: 'members', entityId: userId, detail: { before }, now: deps.chance.now() })
  })
  deps.onRevoked()
}

/** The space of the id if the caller may manage it. One they are no member of does not exist for them. */
async function ownedSpace(reader: AccountReader, principal: UserPrincipal, spaceId: string, { leaving } = { leaving: false }): Promise<AccountSpace> {
  const space = await reader.findSpace(spaceId)
  const role = space === undefined ? undefined : await reader.roleIn(space.space, principal.userId)
  if (space === undefined || role === undefined) throw new Problem('not_found')
  if (role !== 'owner' && !leaving) throw new Problem('access.forbidden')
  return space
}

/** Checks and locks a space whose members may change, and answers its integer key. */
async function sharedSpace(writer: AccountWriter, principal: UserPrincipal, spaceId: string, options = { leaving: false }): Promise<number> {
  const { space, kind } = await ownedSpace(writer, principal, spaceId, options)
  if (kind === 'personal') throw new Problem('access.forbidden', { detail: 'A personal space has one member.' })
  await writer.lockSpace(space)
  // Under the lock the right is asked again: somebody may have taken it in between.
  await ownedSpace(writer, principal, spaceId, options)
  return space
}

async function requireAnotherOwner(writer: AccountWriter, space: number, userId: string): Promise<void> {
  const members = await writer.membersOf(space)
  if (!members.some((member) => member.role === 'owner' && member.userId !== userId)) throw new Problem('space.last_owner')
}

function wireMember({ userId, email, displayName, role, createdAt }: Member): WireMember {
  return { userId, email, displayName, role, since: createdAt }
}
