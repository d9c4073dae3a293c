import type { Chance } from '../lib/chance.ts'
import { createAccessTokens, type AccessTokens } from './access-tokens.ts'
import type { AccountEvent } from './account-event.ts'
import type { AccountStore } from './account-store.ts'
import { createBackground, type Background } from './background.ts'
import type { Mailer } from './mailer.ts'
import { createPasswordHasher, type PasswordCost, type PasswordHasher } from './password-hasher.ts'

/** What the account functions work with. */
export interface AccountDeps {
  readonly store: AccountStore
  readonly chance: Chance
  readonly hasher: PasswordHasher
  readonly accessTokens: AccessTokens
  readonly background: Background
  readonly mailer: Mailer
  readonly registration: 'open' | 'invite' | 'closed'
  /** `https://…` without a slash at the end; links are paths without it. */
  readonly publicUrl: string | undefined
  /** Development sign-in: whoever reaches the server can be anybody. */
  readonly devAuth: boolean
  /** Key from which the successor of a refresh token is derived. */
  readonly refreshSecret: string
  record(event: AccountEvent): void
  /** A session, key or membership has ended: whoever holds a stream open checks again. */
  onRevoked(): void
}

export interface AccountOptions {
  readonly store: AccountStore
  readonly chance: Chance
  readonly mailer: Mailer
  readonly registration: AccountDeps['registration']
  readonly publicUrl: string | undefined
  /** Off unless switched on. */
  readonly devAuth?: boolean
  /** Signs access tokens; at least 32 bytes. */
  readonly accessSecret: string
  /** Derives the successors of refresh tokens; at least 32 bytes, and not the same. */
  readonly refreshSecret: string
  /** Cost of one password hash; lower only in tests. */
  readonly passwordCost?: PasswordCost
  record(event: AccountEvent): void
  onRevoked(): void
}

/** Makes the parts that accounts need from what a server is given. */
export function createAccountDeps(options: AccountOptions): AccountDeps {
  const { store, chance, mailer, registration, publicUrl, refreshSecret, record, onRevoked } = options
  return {
    store,
    chance,
    mailer,
    registration,
    publicUrl,
    refreshSecret,
    devAuth: options.devAuth ?? false,
    record,
    onRevoked,
    hasher: createPasswordHasher(options.passwordCost),
    accessTokens: createAccessTokens(options.accessSecret, chance),
    background: createBackground(record),
  }
}
