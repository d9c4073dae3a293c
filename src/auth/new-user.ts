import { emailKey } from '../lib/email-key.ts'
import { emailSchema, labelSchema, passwordSchema } from '../protocol/accounts.ts'
import type { AccountDeps } from './account-deps.ts'
import type { User } from './account-records.ts'
import { requireValid } from './require-valid.ts'

const NAME_CHARS_MAX = 200

export interface NewUser {
  readonly email: string
  readonly password: string
  /** The part before the @ when absent. */
  readonly displayName?: string | undefined
  readonly serverRole: User['serverRole']
}

/** Builds an account to be stored, its password hashed. Throws `request.invalid` naming the field. */
export async function newUser(deps: Pick<AccountDeps, 'chance' | 'hasher'>, wanted: NewUser): Promise<User> {
  const email = requireValid(emailSchema, 'email', wanted.email)
  const password = requireValid(passwordSchema, 'password', wanted.password)
  const displayName = requireValid(labelSchema, 'displayName', wanted.displayName ?? nameFrom(email))
  return {
    id: deps.chance.id(),
    email,
    emailKey: emailKey(email),
    passwordHash: await deps.hasher.hash(password),
    displayName,
    serverRole: wanted.serverRole,
    createdAt: deps.chance.now(),
    disabledAt: null,
  }
}

function nameFrom(email: string): string {
  return email.slice(0, Math.min(email.indexOf('@'), NAME_CHARS_MAX)).toWellFormed()
}
