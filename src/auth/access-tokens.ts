import { createSecretKey } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import type { Chance } from '../lib/chance.ts'
import { RecentMap } from '../lib/recent-map.ts'
import { accountLimits } from './account-limits.ts'

/** What an access token says: user, session, device. Whether they still stand is asked of the database. */
export interface AccessClaims {
  readonly userId: string
  readonly sessionId: string
  readonly deviceId: string
}

export type AccessCheck = { readonly kind: 'valid'; readonly claims: AccessClaims } | { readonly kind: 'expired' } | { readonly kind: 'invalid' }

export interface AccessTokens {
  issue(claims: AccessClaims): Promise<string>
  check(token: string): Promise<AccessCheck>
}

interface VerifiedToken {
  readonly claims: AccessClaims
  readonly expiresAtMs: number
}

/** Access tokens of RFC 9068's type are never mistaken for another JWT signed with the same secret. */
const TYPE = 'at+jwt'
const SECRET_BYTES_MIN = 32

/** JWTs signed with HMAC-SHA-256 that live 15 minutes. A signature is computed once per token, then remembered by the token's text. */
export function createAccessTokens(secret: string, chance: Chance): AccessTokens {
  const bytes = Buffer.from(secret)
  if (bytes.length < SECRET_BYTES_MIN) throw new Error(`The secret for access tokens must have at least ${SECRET_BYTES_MIN} bytes.`)
  const key = createSecretKey(bytes)
  const verified = new RecentMap<VerifiedToken>(accountLimits.CACHE_ENTRIES_MAX)
  return {
    issue: async ({ userId, sessionId, deviceId }) => {
      const nowS = Math.floor(chance.now() / 1_000)
      return new SignJWT({ sid: sessionId, did: deviceId })
        .setProtectedHeader({ alg: 'HS256', typ: TYPE })
        .setSubject(userId)
        .setIssuedAt(nowS)
        .setExpirationTime(nowS + accountLimits.ACCESS_TOKEN_LIFE_S)
        .sign(key)
    },
    check: async (token) => {
      const now = chance.now()
      const known = verified.get(token) ?? (await verify(token, key))
      if (known === undefined) return { kind: 'invalid' }
      if (known.expiresAtMs <= now) {
        verified.delete(token)
        return { kind: 'expired' }
      }
      verified.set(token, known)
      return { kind: 'valid', claims: known.claims }
    },
  }
}

/** The 32 bytes of a signature leave two bits of their last character unused: only 0 is right there, else one token had four spellings. */
const shape = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

/** Checks everything but the expiry, which the caller compares with its own clock at each use. */
async function verify(token: string, key: ReturnType<typeof createSecretKey>): Promise<VerifiedToken | undefined> {
  if (!shape.test(token)) return undefined
  try {
    const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'], typ: TYPE, currentDate: new Date(0) })
    const { sub, sid, did, exp } = payload
    if (typeof sub !== 'string' || typeof sid !== 'string' || typeof did !== 'string' || typeof exp !== 'number') return undefined
    return { claims: { userId: sub, sessionId: sid, deviceId: did }, expiresAtMs: exp * 1_000 }
  } catch {
    return undefined
  }
}
