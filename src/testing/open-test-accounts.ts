import { createAccountDeps, type AccountDeps, type AccountOptions } from '../auth/account-deps.ts'
import type { AccountEvent } from '../auth/account-event.ts'
import { createAccounts, type Accounts } from '../auth/accounts.ts'
import { createLogMailer } from '../auth/log-mailer.ts'
import type { PasswordCost } from '../auth/password-hasher.ts'
import type { Chance } from '../lib/chance.ts'
import { createAccountStore } from '../storage/account-store.ts'
import type { Database } from '../storage/database.ts'
import { migrate } from '../storage/migrate.ts'
import { openTestDatabase } from './open-test-database.ts'

/** The least Argon2 takes: tests prove rules, not strength. */
export const cheapPasswords: PasswordCost = { memoryKib: 8, passes: 1 }

/** Accounts on a real database in a folder of their own, with a clock that the test moves. */
export interface TestAccounts extends AsyncDisposable {
  readonly accounts: Accounts
  readonly deps: AccountDeps
  readonly database: Database
  readonly chance: Chance
  readonly mails: string[]
  readonly events: AccountEvent[]
  /** How often somebody was told to check their right again. */
  revocations(): number
  advance(ms: number): void
  /** The same accounts after a restart, with other options if wished. */
  restarted(options?: Partial<AccountOptions>): Accounts
}

const START_MS = 1_700_000_000_000

/** Opens test accounts; `await using` closes and removes them. */
export async function openTestAccounts(options: Partial<AccountOptions> = {}): Promise<TestAccounts> {
  const opened = await openTestDatabase()
  const { database } = opened
  await migrate(database, [], [], START_MS)
  const clock = { now: START_MS }
  const chance = countingChance(() => clock.now)
  const mails: string[] = []
  const events: AccountEvent[] = []
  let revocations = 0
  const all: AccountOptions = {
    store: createAccountStore(database),
    chance,
    mailer: createLogMailer((mail) => mails.push(mail)),
    registration: 'open',
    publicUrl: 'https://holdfast.example',
    accessSecret: 'test-access-secret-of-32-bytes-or-more',
    refreshSecret: 'test-refresh-secret-of-32-bytes-or-more',
    passwordCost: cheapPasswords,
    record: (event) => events.push(event),
    onRevoked: () => {
      revocations += 1
    },
    ...options,
  }
  const accounts = createAccounts(all)
  return {
    accounts,
    deps: createAccountDeps(all),
    database,
    chance,
    mails,
    events,
    revocations: () => revocations,
    advance: (ms) => {
      clock.now += ms
    },
    restarted: (changed = {}) => createAccounts({ ...all, ...changed }),
    [Symbol.asyncDispose]: async () => {
      await accounts.settled()
      await opened[Symbol.asyncDispose]()
    },
  }
}

/** Ids and secrets of the right shape that only count up. */
export function countingChance(now: () => number): Chance {
  let count = 0
  return {
    now,
    id: () => {
      count += 1
      return `01890000-0000-7000-8000-${String(count).padStart(12, '0')}`
    },
    secret: () => {
      count += 1
      return String(count).padStart(43, 's')
    },
  }
}
