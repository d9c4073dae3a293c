import { emailKey } from '../lib/email-key.ts'
import type { LoginRequest, SignedIn, Tokens } from '../protocol/accounts.ts'
import { Problem } from '../protocol/problem.ts'
import type { AccountDeps } from './account-deps.ts'
import { accountLimits } from './account-limits.ts'
import type { Session } from './account-records.ts'
import type { AccountWriter } from './account-store.ts'
import { hashSecret } from './hash-secret.ts'
import { storedToken, successorOf } from './refresh-token.ts'
import { startSession } from './start-session.ts'

/** Signs in. Unknown, wrong and disabled take the same work and give the same answer: `auth.credentials`. */
export async function login(deps: AccountDeps, { email, password, device }: LoginRequest): Promise<SignedIn> {
  const user = await deps.store.read((reader) => reader.findUserByEmail(emailKey(email)))
  const matches = await deps.hasher.verify(user?.passwordHash, password)
  if (user === undefined || !matches || user.disabledAt !== null) {
    deps.record({ action: 'auth.sign_in_failed', level: 'warn', ...(user === undefined ? {} : { userId: user.id }) })
    throw new Problem('auth.credentials')
  }
  const signedIn = await deps.store.write(async (writer) => {
    const current = await writer.findUser(user.id)
    // The password may have been changed, or the account disabled, while the hash was computed.
    if (current === undefined || current.passwordHash !== user.passwordHash || current.disabledAt !== null) throw new Problem('auth.credentials')
    return startSession(deps, writer, current, device)
  })
  deps.record({ action: 'auth.sign_in', level: 'info', userId: user.id, detail: { device: signedIn.device.id } })
  return signedIn
}

/** Ends the session that asks. */
export async function logout(deps: AccountDeps, session: Pick<Session, 'userId' | 'id'>): Promise<void> {
  await deps.store.write((writer) => writer.endSessions({ userId: session.userId, sessionId: session.id }, deps.chance.now()))
  deps.onRevoked()
}

type Refreshed = { readonly kind: 'tokens'; readonly tokens: Tokens } | { readonly kind: 'unknown' } | { readonly kind: 'reused'; readonly userId: string }

/**
 * Exchanges a refresh token for its successor and a new access token. The same request again within 30 s, before the successor
 * was used, gets the same successor. Any other use of a spent token ends the session. Throws `auth.expired`.
 */
export async function refresh(deps: AccountDeps, refreshToken: string): Promise<Tokens> {
  const refreshed = await deps.store.write((writer) => exchange(deps, writer, refreshToken))
  if (refreshed.kind === 'tokens') return refreshed.tokens
  if (refreshed.kind === 'reused') {
    deps.record({ action: 'auth.refresh_reused', level: 'warn', userId: refreshed.userId })
    deps.onRevoked()
  }
  throw new Problem('auth.expired')
}

async function exchange(deps: AccountDeps, writer: AccountWriter, refreshToken: string): Promise<Refreshed> {
  const now = deps.chance.now()
  const hash = hashSecret(refreshToken)
  const token = await writer.findRefreshToken(hash)
  if (token === undefined) return { kind: 'unknown' }
  const session = await writer.findLiveSession(token.sessionId, now)
  if (session === undefined) return { kind: 'unknown' }
  const { userId, deviceId } = session
  const successor = successorOf(refreshToken, deps.refreshSecret)
  if (await writer.useRefreshToken(hash, now)) {
    if (token.expiresAt <= now) return { kind: 'unknown' }
    const next = storedToken(successor, token.sessionId, now)
    await writer.addRefreshToken(next)
    await writer.keepSession({ id: token.sessionId, userId, deviceId, now, expiresAt: next.expiresAt })
  } else if (!(await mayRepeat(writer, hash, { successor, now }))) {
    await writer.endSessions({ userId, sessionId: token.sessionId }, now)
    return { kind: 'reused', userId }
  }
  const accessToken = await deps.accessTokens.issue({ userId, sessionId: token.sessionId, deviceId })
  return { kind: 'tokens', tokens: { accessToken, refreshToken: successor, expiresIn: accountLimits.ACCESS_TOKEN_LIFE_S } }
}

/** True for a client that lost the answer: soon after the first use, and nobody has used the successor. */
async function mayRepeat(writer: AccountWriter, hash: string, { successor, now }: { readonly successor: string; readonly now: number }): Promise<boolean> {
  const used = await writer.findRefreshToken(hash)
  if (used === undefined || used.usedAt === null || now - used.usedAt > accountLimits.REFRESH_GRACE_MS) return false
  const next = await writer.findRefreshToken(hashSecret(successor))
  return next !== undefined && next.usedAt === null
}
