import { emailKey } from '../lib/email-key.ts'
import { passwordSchema } from '../protocol/accounts.ts'
import { Problem } from '../protocol/problem.ts'
import type { AccountDeps } from './account-deps.ts'
import { accountLimits } from './account-limits.ts'
import { hashSecret } from './hash-secret.ts'
import { makeLink } from './make-link.ts'
import type { UserPrincipal } from './principal.ts'
import { requireValid } from './require-valid.ts'

export interface PasswordChange {
  readonly currentPassword: string
  readonly newPassword: string
}

/** Changes the caller's password and ends all their other sessions. Throws `request.invalid` when the current one is wrong. */
export async function changePassword(deps: AccountDeps, principal: UserPrincipal, change: PasswordChange): Promise<void> {
  const user = await deps.store.read((reader) => reader.findUser(principal.userId))
  const newPassword = requireValid(passwordSchema, 'newPassword', change.newPassword)
  if (!(await deps.hasher.verify(user?.passwordHash, change.currentPassword))) {
    deps.record({ action: 'auth.password_change_failed', level: 'warn', userId: principal.userId })
    throw wrongPassword()
  }
  const passwordHash = await deps.hasher.hash(newPassword)
  await deps.store.write(async (writer) => {
    // While the hash was computed somebody may have ended this session, or set another password.
    const current = await writer.findUser(principal.userId)
    if ((await writer.findLiveSession(principal.sessionId, deps.chance.now())) === undefined) throw new Problem('auth.expired')
    if (current?.passwordHash !== user?.passwordHash) throw wrongPassword()
    await writer.setPassword(principal.userId, passwordHash)
    await writer.dropLinks(principal.userId, 'reset')
    await writer.endSessions({ userId: principal.userId, exceptSessionId: principal.sessionId }, deps.chance.now())
  })
  deps.record({ action: 'auth.password_changed', level: 'info', userId: principal.userId })
  deps.onRevoked()
}

function wrongPassword(): Problem {
  return new Problem('request.invalid', { fields: [{ path: 'currentPassword', message: 'The current password is wrong.' }] })
}

/** Sends a reset link if there is such an account. Returns before anything is looked up, so the answer tells nothing. */
export function requestReset(deps: AccountDeps, email: string): void {
  void deps.background.run('reset-mail', () => sendReset(deps, email))
}

/** Sets a new password with a link from a mail and ends all sessions of the account. Throws `auth.token_invalid`. */
export async function resetPassword(deps: AccountDeps, token: string, password: string): Promise<void> {
  const newPassword = requireValid(passwordSchema, 'newPassword', password)
  const key = { hash: hashSecret(token), purpose: 'reset' } as const
  const link = await deps.store.read((reader) => reader.findLink({ ...key, now: deps.chance.now() }))
  if (link === undefined || link.userId === null) throw new Problem('auth.token_invalid')
  const { userId } = link
  const passwordHash = await deps.hasher.hash(newPassword)
  await deps.store.write(async (writer) => {
    const now = deps.chance.now()
    const user = await writer.findUser(userId)
    if (!(await writer.useLink({ ...key, now })) || user === undefined || user.disabledAt !== null) throw new Problem('auth.token_invalid')
    await writer.setPassword(userId, passwordHash)
    await writer.dropLinks(userId, 'reset')
    await writer.endSessions({ userId }, now)
  })
  deps.record({ action: 'auth.password_reset', level: 'info', userId })
  deps.onRevoked()
}

async function sendReset(deps: AccountDeps, email: string): Promise<void> {
  const now = deps.chance.now()
  const sent = await deps.store.write(async (writer) => {
    const user = await writer.findUserByEmail(emailKey(email))
    if (user === undefined || user.disabledAt !== null) return undefined
    const since = now - accountLimits.RESET_LINK_LIFE_MS
    if ((await writer.countLinks({ userId: user.id, purpose: 'reset', since })) >= accountLimits.RESET_MAILS_MAX) return undefined
    const link = await makeLink(deps, writer, { purpose: 'reset', userId: user.id, lifeMs: accountLimits.RESET_LINK_LIFE_MS })
    return { user, link }
  })
  if (sent === undefined) return
  const { user, link } = sent
  await deps.mailer.send({ to: user.email, subject: 'Set a new password', text: resetText(link.url) })
  deps.record({ action: 'auth.reset_requested', level: 'info', userId: user.id })
}

function resetText(url: string): string {
  return [
    'Somebody, probably you, asked to set a new password for your account.',
    '',
    'Open this link within one hour. It works once:',
    url,
    '',
    'If it was not you, ignore this mail: nothing has changed.',
    '',
  ].join('\n')
}
