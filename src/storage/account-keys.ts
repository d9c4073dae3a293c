import { accountLimits } from '../auth/account-limits.ts'
import type { LiveKey } from '../auth/account-records.ts'
import type { KeyReader, KeyWriter } from '../auth/account-store.ts'
import type { Reader, Transactor } from './database.ts'

const keyColumns = [
  'key.id',
  'key.hash',
  'key.name',
  'key.app',
  'key.space',
  'space.id as spaceId',
  'key.role',
  'key.created_by as createdBy',
  'key.created_at as createdAt',
  'key.last_used_at as lastUsedAt',
  'key.revoked_at as revokedAt',
] as const

/** Runs with every request: one text, so that it is prepared once. A maker who was disabled or left the space takes the key along. */
const liveKeyText = `SELECT api_key.id, api_key.hash, api_key.name, api_key.app, api_key.space, api_key.role, api_key.last_used_at AS "lastUsedAt", member.role AS "makerRole"
FROM holdfast_keys AS api_key
LEFT JOIN holdfast_users AS maker ON maker.id = api_key.created_by
LEFT JOIN holdfast_members AS member ON member.space = api_key.space AND member.user_id = api_key.created_by
WHERE api_key.id = ? AND api_key.revoked_at IS NULL
  AND (api_key.created_by = 'system' OR (maker.id IS NOT NULL AND maker.disabled_at IS NULL AND member.role IS NOT NULL))`

/** Reads API keys. */
export function keyReader(reader: Reader): KeyReader {
  const keys = () => reader.query.selectFrom('holdfast_keys as key').innerJoin('holdfast_spaces as space', 'space.space', 'key.space').select(keyColumns)
  return {
    findLiveKey: async (id) => {
      const [key] = await reader.all<LiveKey>(liveKeyText, [id])
      return key
    },
    findKey: (id) => keys().where('key.id', '=', id).executeTakeFirst(),
    keysOf: (userId) => {
      const owned = reader.query.selectFrom('holdfast_members').select('space').where('user_id', '=', userId).where('role', '=', 'owner')
      return keys()
        .where((where) => where.or([where('key.created_by', '=', userId), where('key.space', 'in', owned)]))
        .orderBy('key.created_at', 'desc')
        .orderBy('key.id', 'desc')
        .limit(accountLimits.LIST_MAX)
        .execute()
    },
    keysOfSpace: (space) => keys().where('key.space', '=', space).orderBy('key.created_at', 'desc').orderBy('key.id', 'desc').limit(accountLimits.LIST_MAX).execute(),
  }
}

/** Writes API keys. */
export function keyWriter(tx: Transactor): KeyWriter {
  return {
    addKey: async (key) => {
      await tx.query
        .insertInto('holdfast_keys')
        .values({
          id: key.id,
          hash: key.hash,
          name: key.name,
          app: key.app,
          space: key.space,
          role: key.role,
          created_by: key.createdBy,
          created_at: key.createdAt,
          last_used_at: key.lastUsedAt,
          revoked_at: key.revokedAt,
        })
        .execute()
    },
    revokeKey: async (id, at) => {
      await tx.query.updateTable('holdfast_keys').set({ revoked_at: at }).where('id', '=', id).where('revoked_at', 'is', null).execute()
    },
    touchKey: async (id, at) => {
      const using = tx.query.updateTable('holdfast_keys').set({ last_used_at: at }).where('id', '=', id)
      const { numUpdatedRows } = await using.where('last_used_at', 'is', null).executeTakeFirstOrThrow()
      if (numUpdatedRows === 1n) return true
      await using.where('last_used_at', '<', at).execute()
      return false
    },
  }
}
