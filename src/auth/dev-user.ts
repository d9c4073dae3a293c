import { createHash } from 'node:crypto'
import { emailKey } from '../lib/email-key.ts'
import { Problem } from '../protocol/problem.ts'
import type { AccountDeps } from './account-deps.ts'
import { newUser } from './new-user.ts'
import type { UserPrincipal } from './principal.ts'

const idPattern = /^[A-Za-z0-9_.:@-]{1,128}$/

type DevUserDeps = Pick<AccountDeps, 'store' | 'chance' | 'hasher' | 'record'>

/** The account behind `X-Dev-User-Id`, made at its first use: for development on one's own machine, where anybody may be anybody. Throws `request.invalid` for what is no id. */
export async function devPrincipal(deps: DevUserDeps, devUserId: string): Promise<UserPrincipal> {
  if (!idPattern.test(devUserId)) throw new Problem('request.invalid', { fields: [{ path: 'X-Dev-User-Id', message: 'Use 1 to 128 of letters, digits and _ . : @ -' }] })
  const email = emailOf(devUserId)
  const user = (await findByEmail(deps, email)) ?? (await make(deps, email, devUserId))
  if (user.disabledAt !== null) throw new Problem('auth.required')
  return { kind: 'user', actor: { type: 'user', id: user.id, name: user.email }, userId: user.id, device: 'dev', sessionId: '', serverRole: 'user' }
}

/** Ids that differ in case alone are two people; addresses would not be. */
function emailOf(devUserId: string): string {
  return `${createHash('sha256').update(devUserId).digest('hex').slice(0, 32)}@dev.invalid`
}

function findByEmail({ store }: Pick<AccountDeps, 'store'>, email: string) {
  return store.read((reader) => reader.findUserByEmail(emailKey(email)))
}

/** Makes the account. Of two requests that come together one makes it and both get it. */
async function make(deps: DevUserDeps, email: string, displayName: string) {
  const user = await newUser(deps, { email, password: deps.chance.secret(), displayName, serverRole: 'user' })
  const isMine = await deps.store.write((writer) => writer.addUser(user))
  if (isMine) deps.record({ action: 'auth.dev_user', level: 'info', userId: user.id })
  const found = isMine ? user : await findByEmail(deps, email)
  if (found === undefined) throw new Error('An account that exists was not found.')
  return found
}
