import type { SpaceRole } from '../app/collection.ts'
import type { SpaceKind } from '../app/define-app.ts'
import { emailKey } from '../lib/email-key.ts'
import { emailSchema } from '../protocol/accounts.ts'
import { Problem } from '../protocol/problem.ts'
import { spaceNameSchema } from '../protocol/spaces.ts'
import type { AccountDeps } from './account-deps.ts'
import { newUser } from './new-user.ts'
import { organisationSpace } from './organisation-space.ts'
import { requireValid } from './require-valid.ts'
import { systemActor } from './system-actor.ts'

export interface UserToAdd {
  readonly email: string
  /** Made when absent. Ignored for an account that exists. */
  readonly password?: string | undefined
  readonly displayName?: string | undefined
  /** Of a new account; an existing one keeps its own. */
  readonly serverRole?: 'admin' | 'user' | undefined
  readonly membership?: { readonly app: string; readonly spaces: SpaceKind; readonly role: SpaceRole; readonly space: string } | undefined
}

export interface AddedUser {
  readonly id: string
  readonly email: string
  /** Only when the account and its password were made now: the one time it is shown. */
  readonly password?: string
}

/** Makes the account unless it exists and gives it a role in an organisation's space, which is made at its first mention. Throws `request.invalid`. */
export async function addUser(deps: Pick<AccountDeps, 'store' | 'chance' | 'hasher'>, { email, membership, ...wanted }: UserToAdd): Promise<AddedUser> {
  const key = emailKey(requireValid(emailSchema, 'email', email))
  if (membership !== undefined) requireShared(membership)
  const existing = await deps.store.read((reader) => reader.findUserByEmail(key))
  const made = wanted.password === undefined ? deps.chance.secret() : undefined
  const user = existing ?? (await newUser(deps, { email, password: wanted.password ?? made ?? '', displayName: wanted.displayName, serverRole: wanted.serverRole ?? 'user' }))
  await deps.store.write(async (writer) => {
    if (existing === undefined && !(await writer.addUser(user))) throw new Problem('account.exists')
    if (membership === undefined) return
    const { space } = await organisationSpace(deps, writer, { app: membership.app, name: membership.space })
    await writer.lockSpace(space)
    const before = await writer.roleIn(space, user.id)
    if (before === membership.role) return
    const now = deps.chance.now()
    await writer.setMember({ space, userId: user.id, role: membership.role, now })
    await writer.appendEvent({ space, actor: systemActor, requestId: '', action: 'members.set', entity: 'members', entityId: user.id, detail: { role: membership.role, before: before ?? null }, now })
  })
  return { id: user.id, email: user.email, ...(existing === undefined && made !== undefined ? { password: made } : {}) }
}

function requireShared({ app, spaces, space }: NonNullable<UserToAdd['membership']>): void {
  requireValid(spaceNameSchema, 'space', space)
  if (spaces === 'personal') throw new Problem('request.invalid', { fields: [{ path: 'app', message: `The spaces of ${app} are personal: every account has its own.` }] })
}
