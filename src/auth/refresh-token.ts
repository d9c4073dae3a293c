import { createHmac } from 'node:crypto'
import type { Chance } from '../lib/chance.ts'
import { accountLimits } from './account-limits.ts'
import type { RefreshToken } from './account-records.ts'
import { hashSecret } from './hash-secret.ts'

/** What every refresh token begins with, so that people and secret scanners know one. */
const PREFIX = 'hfr_'

/** The first refresh token of a session, from the random source. */
export function firstRefreshToken(chance: Chance): string {
  return `${PREFIX}${chance.secret()}`
}

/**
 * The one successor of a refresh token: HMAC-SHA-256 of it under the server's secret. It can be given again to a client that lost
 * the answer without being stored, and nobody can derive it from the predecessor alone.
 */
export function successorOf(refreshToken: string, refreshSecret: string): string {
  return `${PREFIX}${createHmac('sha256', refreshSecret).update(refreshToken).digest('base64url')}`
}

/** The row that stands for a refresh token: its hash and how long it lives. */
export function storedToken(refreshToken: string, sessionId: string, now: number): RefreshToken {
  return { hash: hashSecret(refreshToken), sessionId, createdAt: now, expiresAt: now + accountLimits.REFRESH_TOKEN_LIFE_MS, usedAt: null }
}
