import { lowerRole } from '../app/role-rank.ts'
import { RecentMap } from '../lib/recent-map.ts'
import { Problem } from '../protocol/problem.ts'
import type { AccountDeps } from './account-deps.ts'
import { accountLimits } from './account-limits.ts'
import type { LiveKey } from './account-records.ts'
import { devPrincipal } from './dev-user.ts'
import { looksLikeKey, parseKey, secretMatches } from './key-text.ts'
import type { Authenticator, Credentials, KeyPrincipal, Principal, UserPrincipal } from './principal.ts'

type AuthenticateDeps = Pick<AccountDeps, 'store' | 'chance' | 'accessTokens' | 'background' | 'hasher' | 'record' | 'devAuth'>

/**
 * Checks the credential of a request. Signatures are remembered, rights are not: session, user and key are read from the database
 * each time, by one indexed read. Throws `auth.required`, `auth.expired`, or `auth.ambiguous` for two credentials at once.
 */
export function createAuthenticator(deps: AuthenticateDeps): Authenticator {
  const touched = new RecentMap<number>(accountLimits.CACHE_ENTRIES_MAX)
  return {
    authenticate: async ({ bearer, apiKey, devUserId }: Credentials): Promise<Principal> => {
      if (bearer !== undefined && apiKey !== undefined) throw new Problem('auth.ambiguous')
      if (apiKey !== undefined) return keyPrincipal(deps, touched, apiKey)
      if (bearer === undefined && devUserId !== undefined && deps.devAuth) return devPrincipal(deps, devUserId)
      if (bearer === undefined) throw new Problem('auth.required')
      return looksLikeKey(bearer) ? keyPrincipal(deps, touched, bearer) : userPrincipal(deps, bearer)
    },
  }
}

async function userPrincipal(deps: AuthenticateDeps, bearer: string): Promise<UserPrincipal> {
  const check = await deps.accessTokens.check(bearer)
  switch (check.kind) {
    case 'invalid':
      throw new Problem('auth.required')
    case 'expired':
      throw new Problem('auth.expired')
    case 'valid': {
      const { sessionId, userId } = check.claims
      const session = await deps.store.read((reader) => reader.findLiveSession(sessionId, deps.chance.now()), { oneStatement: true })
      if (session === undefined || session.userId !== userId) throw new Problem('auth.expired')
      const actor = { type: 'user', id: userId, name: session.email } as const
      return { kind: 'user', actor, userId, device: session.deviceId, sessionId, serverRole: session.serverRole }
    }
  }
}

async function keyPrincipal(deps: AuthenticateDeps, touched: RecentMap<number>, text: string): Promise<KeyPrincipal> {
  const parsed = parseKey(text)
  const key = parsed === undefined ? undefined : await deps.store.read((reader) => reader.findLiveKey(parsed.id), { oneStatement: true })
  if (parsed === undefined || key === undefined || !secretMatches(parsed.secret, key.hash)) throw new Problem('auth.required')
  const principal: KeyPrincipal = {
    kind: 'key',
    actor: { type: 'key', id: key.id, name: key.name },
    keyId: key.id,
    device: `key:${key.id}`,
    app: key.app,
    space: key.space,
    role: key.makerRole === null ? key.role : lowerRole(key.role, key.makerRole),
  }
  const noted = noteUse(deps, touched, { key, principal })
  if (key.lastUsedAt === null) await noted
  return principal
}

/** Notes the use: with the first one, then behind a request once a minute. The first is an event of the space's log. Never rejects. */
async function noteUse(deps: AuthenticateDeps, touched: RecentMap<number>, { key, principal }: { readonly key: LiveKey; readonly principal: KeyPrincipal }): Promise<void> {
  const now = deps.chance.now()
  const last = Math.max(key.lastUsedAt ?? 0, touched.get(key.id) ?? 0)
  if (now - last < accountLimits.KEY_TOUCH_MS) return
  touched.set(key.id, now)
  await deps.background.run('key-use', () =>
    deps.store.write(async (writer) => {
      await writer.lockSpace(key.space)
      if (!(await writer.touchKey(key.id, now))) return
      const event = { action: 'keys.use', entity: 'keys', entityId: key.id, detail: { name: key.name } }
      await writer.appendEvent({ ...event, space: key.space, actor: principal.actor, requestId: '', now })
    }),
  )
}
