import type { WireAccount, WireUser } from '../protocol/accounts.ts'
import type { User } from './account-records.ts'

/** An account as its owner sees it. */
export function wireUser({ id, email, displayName, serverRole }: User): WireUser {
  return { id, email, displayName, role: serverRole }
}

/** An account as an admin sees it. */
export function wireAccount(user: User): WireAccount {
  return { ...wireUser(user), createdAt: user.createdAt, disabledAt: user.disabledAt }
}
