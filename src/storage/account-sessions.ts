import type { LiveSession } from '../auth/account-records.ts'
import { accountLimits } from '../auth/account-limits.ts'
import type { SessionReader, SessionWriter } from '../auth/account-store.ts'
import type { Reader, Transactor } from './database.ts'
import { keptReports } from './device-reports.ts'

const deviceColumns = [
  'user_id as userId',
  'id',
  'name',
  'platform',
  'app_version as appVersion',
  'created_at as createdAt',
  'last_seen_at as lastSeenAt',
  'revoked_at as revokedAt',
  'heartbeat',
] as const

const sessionColumns = ['id', 'user_id as userId', 'device_id as deviceId', 'created_at as createdAt', 'last_used_at as lastUsedAt', 'expires_at as expiresAt'] as const

/** Runs with every request: one text, so that it is prepared once. */
const liveSessionText = `SELECT session.user_id AS "userId", session.device_id AS "deviceId", account.email, account.server_role AS "serverRole"
FROM holdfast_sessions AS session JOIN holdfast_users AS account ON account.id = session.user_id
WHERE session.id = ? AND session.revoked_at IS NULL AND session.expires_at > ? AND account.disabled_at IS NULL`

/** Reads devices, sessions and refresh tokens. */
export function sessionReader(reader: Reader): SessionReader {
  return {
    findLiveSession: async (id, now) => {
      const [session] = await reader.all<LiveSession>(liveSessionText, [id, now])
      return session
    },
    liveSessionsOf: (userId, now) =>
      reader.query
        .selectFrom('holdfast_sessions')
        .select(sessionColumns)
        .where('user_id', '=', userId)
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', now)
        .orderBy('last_used_at', 'desc')
        .orderBy('id', 'desc')
        .limit(accountLimits.LIST_MAX)
        .execute(),
    devicesOf: async (userId) => {
      const rows = await reader.query
        .selectFrom('holdfast_devices')
        .select(deviceColumns)
        .where('user_id', '=', userId)
        .where('revoked_at', 'is', null)
        .orderBy('last_seen_at', 'desc')
        .orderBy('id')
        .limit(accountLimits.LIST_MAX)
        .execute()
      return rows.map(reported)
    },
    findDevice: async (userId, id) => {
      const row = await reader.query.selectFrom('holdfast_devices').select(deviceColumns).where('user_id', '=', userId).where('id', '=', id).executeTakeFirst()
      return row === undefined ? undefined : reported(row)
    },
    findRefreshToken: (hash) =>
      reader.query
        .selectFrom('holdfast_refresh_tokens')
        .select(['hash', 'session_id as sessionId', 'created_at as createdAt', 'expires_at as expiresAt', 'used_at as usedAt'])
        .where('hash', '=', hash)
        .executeTakeFirst(),
  }
}

/** Writes devices, sessions and refresh tokens. */
export function sessionWriter(tx: Transactor): SessionWriter {
  return {
    saveDevice: async ({ userId, id, name, platform, appVersion, createdAt, lastSeenAt, revokedAt }) => {
      const said = { name, platform, app_version: appVersion, last_seen_at: lastSeenAt, revoked_at: revokedAt }
      await tx.query
        .insertInto('holdfast_devices')
        .values({ ...said, user_id: userId, id, created_at: createdAt, heartbeat: null })
        .onConflict((conflict) => conflict.columns(['user_id', 'id']).doUpdateSet(said))
        .execute()
    },
    revokeDevice: async (userId, id, at) => {
      await tx.query.updateTable('holdfast_devices').set({ revoked_at: at }).where('user_id', '=', userId).where('id', '=', id).execute()
    },
    addSession: async ({ id, userId, deviceId, createdAt, lastUsedAt, expiresAt }) => {
      await tx.query
        .insertInto('holdfast_sessions')
        .values({ id, user_id: userId, device_id: deviceId, created_at: createdAt, last_used_at: lastUsedAt, expires_at: expiresAt, revoked_at: null })
        .execute()
    },
    keepSession: async ({ id, userId, deviceId, now, expiresAt }) => {
      await tx.query.updateTable('holdfast_sessions').set({ last_used_at: now, expires_at: expiresAt }).where('id', '=', id).execute()
      await tx.query.updateTable('holdfast_devices').set({ last_seen_at: now }).where('user_id', '=', userId).where('id', '=', deviceId).execute()
    },
    endSessions: async ({ userId, sessionId, deviceId, exceptSessionId }, at) => {
      let ending = tx.query.updateTable('holdfast_sessions').set({ revoked_at: at }).where('user_id', '=', userId).where('revoked_at', 'is', null)
      if (sessionId !== undefined) ending = ending.where('id', '=', sessionId)
      if (deviceId !== undefined) ending = ending.where('device_id', '=', deviceId)
      if (exceptSessionId !== undefined) ending = ending.where('id', '!=', exceptSessionId)
      const { numUpdatedRows } = await ending.executeTakeFirstOrThrow()
      return numUpdatedRows > 0n
    },
    addRefreshToken: async ({ hash, sessionId, createdAt, expiresAt, usedAt }) => {
      await tx.query.insertInto('holdfast_refresh_tokens').values({ hash, session_id: sessionId, created_at: createdAt, expires_at: expiresAt, used_at: usedAt }).execute()
    },
    useRefreshToken: async (hash, at) => {
      const using = tx.query.updateTable('holdfast_refresh_tokens').set({ used_at: at }).where('hash', '=', hash).where('used_at', 'is', null)
      const { numUpdatedRows } = await using.executeTakeFirstOrThrow()
      return numUpdatedRows === 1n
    },
    forgetExpired: async (userId, now) => {
      const sessions = tx.query.selectFrom('holdfast_sessions').select('id').where('user_id', '=', userId)
      await tx.query.deleteFrom('holdfast_refresh_tokens').where('session_id', 'in', sessions).where('expires_at', '<=', now).execute()
      await tx.query.deleteFrom('holdfast_sessions').where('user_id', '=', userId).where('expires_at', '<=', now).execute()
    },
  }
}

function reported<Row extends { readonly heartbeat: string | null }>({ heartbeat, ...device }: Row) {
  return { ...device, reports: keptReports(heartbeat) }
}
