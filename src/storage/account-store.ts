import type { AccountStore } from '../auth/account-store.ts'
import { keyReader, keyWriter } from './account-keys.ts'
import { memberReader, memberWriter } from './account-members.ts'
import { sessionReader, sessionWriter } from './account-sessions.ts'
import { userReader, userWriter } from './account-users.ts'
import type { Database } from './database.ts'

/** Keeps accounts in the platform's tables. */
export function createAccountStore(database: Database): AccountStore {
  return {
    read: (work, options) => database.read((reader) => work({ ...userReader(reader), ...sessionReader(reader), ...keyReader(reader), ...memberReader(reader) }), options),
    write: (work) =>
      database.write((tx) =>
        work({
          ...userReader(tx, { lock: true }),
          ...sessionReader(tx),
          ...keyReader(tx),
          ...memberReader(tx),
          ...userWriter(tx),
          ...sessionWriter(tx),
          ...keyWriter(tx),
          ...memberWriter(tx),
        }),
      ),
  }
}
