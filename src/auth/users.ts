import type { WireAccount } from '../protocol/accounts.ts'
import { Problem } from '../protocol/problem.ts'
import type { AccountDeps } from './account-deps.ts'
import { accountLimits } from './account-limits.ts'
import type { User } from './account-records.ts'
import type { UserPrincipal } from './principal.ts'
import { wireAccount } from './wire-user.ts'

/** Accounts by id from behind `after`, at most 1,000. For admins; the caller checks that. */
export async function listUsers(deps: AccountDeps, after?: string): Promise<WireAccount[]> {
  const users = await deps.store.read((reader) => reader.listUsers({ after, limit: accountLimits.LIST_MAX }))
  return users.map(wireAccount)
}

/** The caller's own account. */
export async function findAccount(deps: AccountDeps, principal: UserPrincipal): Promise<User> {
  const user = await deps.store.read((reader) => reader.findUser(principal.userId))
  if (user === undefined) throw new Problem('auth.expired')
  return user
}

/** Disables an account, which ends its sessions and rests its keys, or enables it again. Admins cannot disable themselves. Throws `not_found`. */
export async function setDisabled(deps: AccountDeps, admin: UserPrincipal, userId: string, disabled: boolean): Promise<WireAccount> {
  if (disabled && userId === admin.userId) throw new Problem('access.forbidden', { detail: 'You cannot disable your own account.' })
  const user = await deps.store.write(async (writer) => {
    const stored = await writer.findUser(userId)
    if (stored === undefined) throw new Problem('not_found')
    if ((stored.disabledAt !== null) === disabled) return stored
    const now = deps.chance.now()
    const disabledAt = disabled ? now : null
    await writer.setDisabled(userId, disabledAt)
    if (disabled) await writer.endSessions({ userId }, now)
    return { ...stored, disabledAt }
  })
  deps.record({ action: disabled ? 'auth.user_disabled' : 'auth.user_enabled', level: 'info', userId, detail: { by: admin.userId } })
  deps.onRevoked()
  return wireAccount(user)
}
