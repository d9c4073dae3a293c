import type { Chance } from '../lib/chance.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { AccountEvent } from './account-event.ts'
import type { AccountStore } from './account-store.ts'
import type { Background } from './background.ts'
import type { Mailer } from './mailer.ts'
import type { PasswordHasher } from './password-hasher.ts'

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
  /** Key from which the successor of a refresh token is derived. */
  readonly refreshSecret: string
  record(event: AccountEvent): void
  /** A session, key or membership has ended: whoever holds a stream open checks again. */
  onRevoked(): void
}
