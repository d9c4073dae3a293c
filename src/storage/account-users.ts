import { sql } from 'kysely'
import type { Link } from '../auth/account-records.ts'
import type { UserReader, UserWriter } from '../auth/account-store.ts'
import type { Reader, Transactor } from './database.ts'

const userColumns = [
  'id',
  'email',
  'email_key as emailKey',
  'password_hash as passwordHash',
  'display_name as displayName',
  'server_role as serverRole',
  'created_at as createdAt',
  'disabled_at as disabledAt',
] as const

/** Reads users and one-time links. `lock` makes two writers that ask for the same user follow one another. */
export function userReader(reader: Reader, options: { readonly lock: boolean } = { lock: false }): UserReader {
  const users = () => reader.query.selectFrom('holdfast_users').select(userColumns)
  const lock = sql.raw(options.lock ? reader.dialect.forUpdate : '')
  return {
    findUser: (id) => users().where('id', '=', id).modifyEnd(lock).executeTakeFirst(),
    findUserByEmail: (emailKey) => users().where('email_key', '=', emailKey).modifyEnd(lock).executeTakeFirst(),
    hasAdmin: async () => {
      const admin = await reader.query.selectFrom('holdfast_users').select('id').where('server_role', '=', 'admin').limit(1).executeTakeFirst()
      return admin !== undefined
    },
    listUsers: ({ after, limit }) =>
      users()
        .where('id', '>', after ?? '')
        .orderBy('id')
        .limit(limit)
        .execute(),
    findLink: ({ hash, purpose, now }): Promise<Link | undefined> =>
      reader.query
        .selectFrom('holdfast_one_time_links')
        .select(['hash', 'purpose', 'user_id as userId', 'created_at as createdAt', 'expires_at as expiresAt'])
        .where('hash', '=', hash)
        .where('purpose', '=', purpose)
        .where('used_at', 'is', null)
        .where('expires_at', '>', now)
        .executeTakeFirst(),
    countLinks: async ({ userId, purpose, since }) => {
      const links = reader.query.selectFrom('holdfast_one_time_links').where('user_id', '=', userId).where('purpose', '=', purpose).where('created_at', '>', since)
      const { count } = await links.select(({ fn }) => fn.countAll<number>().as('count')).executeTakeFirstOrThrow()
      return Number(count)
    },
  }
}

/** Writes users and one-time links. */
export function userWriter(tx: Transactor): UserWriter {
  return {
    addUser: async (user) => {
      const { numInsertedOrUpdatedRows } = await tx.query
        .insertInto('holdfast_users')
        .values({
          id: user.id,
          email: user.email,
          email_key: user.emailKey,
          password_hash: user.passwordHash,
          display_name: user.displayName,
          server_role: user.serverRole,
          created_at: user.createdAt,
          disabled_at: user.disabledAt,
        })
        .onConflict((conflict) => conflict.column('email_key').doNothing())
        .executeTakeFirstOrThrow()
      return numInsertedOrUpdatedRows === 1n
    },
    setPassword: async (userId, passwordHash) => {
      await tx.query.updateTable('holdfast_users').set({ password_hash: passwordHash }).where('id', '=', userId).execute()
    },
    setDisabled: async (userId, at) => {
      await tx.query.updateTable('holdfast_users').set({ disabled_at: at }).where('id', '=', userId).execute()
    },
    addLink: async (link) => {
      await tx.query.deleteFrom('holdfast_one_time_links').where('expires_at', '<=', link.createdAt).execute()
      await tx.query
        .insertInto('holdfast_one_time_links')
        .values({ hash: link.hash, purpose: link.purpose, user_id: link.userId, created_at: link.createdAt, expires_at: link.expiresAt, used_at: null })
        .execute()
    },
    useLink: async ({ hash, purpose, now }) => {
      const { numUpdatedRows } = await tx.query
        .updateTable('holdfast_one_time_links')
        .set({ used_at: now })
        .where('hash', '=', hash)
        .where('purpose', '=', purpose)
        .where('used_at', 'is', null)
        .where('expires_at', '>', now)
        .executeTakeFirstOrThrow()
      return numUpdatedRows === 1n
    },
    dropLinks: async (userId, purpose) => {
      await tx.query
        .updateTable('holdfast_one_time_links')
        .set(({ ref }) => ({ used_at: ref('created_at') }))
        .where('user_id', '=', userId)
        .where('purpose', '=', purpose)
        .where('used_at', 'is', null)
        .execute()
    },
  }
}
