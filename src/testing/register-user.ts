import type { Accounts } from '../auth/accounts.ts'
import type { UserPrincipal } from '../auth/principal.ts'

/** Registers an account and answers it as the principal of its first session. */
export async function registerUser(accounts: Accounts, email: string, deviceId?: string): Promise<UserPrincipal> {
  const { accessToken } = await accounts.register({ email, password: 'correct horse', ...(deviceId === undefined ? {} : { device: { id: deviceId } }) })
  return userOf(accounts, accessToken)
}

/** The user behind an access token. */
export async function userOf(accounts: Accounts, accessToken: string): Promise<UserPrincipal> {
  const principal = await accounts.authenticate({ bearer: accessToken })
  if (principal.kind === 'key') throw new Error('This is a key.')
  return principal
}
