import type { AccountOptions } from '../auth/account-deps.ts'
import { createAccountDeps, type AccountDeps } from '../auth/account-deps.ts'
import { createAccounts, type Accounts } from '../auth/accounts.ts'
import { createHttpContext } from '../http/create-http-context.ts'
import type { HostedApp, HttpContext, HttpSettings } from '../http/http-context.ts'
import type { Chance } from '../lib/chance.ts'
import type { Doorbell } from '../realtime/doorbell.ts'
import { createAccountStore } from '../storage/account-store.ts'
import type { Database } from '../storage/database.ts'
import { migrate } from '../storage/migrate.ts'

export interface CoreParts {
  readonly database: Database
  readonly doorbell: Doorbell
  readonly apps: readonly HostedApp[]
  readonly chance: Chance
  readonly settings: HttpSettings
  readonly accounts: Pick<AccountOptions, 'mailer' | 'accessSecret' | 'refreshSecret' | 'passwordCost' | 'record'>
}

/** Everything but HTTP: what a server and the commands have in common. */
export interface Core {
  readonly context: HttpContext
  readonly accounts: Accounts
  readonly accountDeps: AccountDeps
}

/** Brings the database to the program's state and joins the parts on top of it. Throws when the database is newer, or would lose data. */
export async function createCore({ database, doorbell, apps, chance, settings, accounts: given }: CoreParts): Promise<Core> {
  const { epoch } = await migrateApps(database, apps, chance.now())
  const { registration, publicUrl } = settings
  const options: AccountOptions = {
    ...given,
    store: createAccountStore(database),
    chance,
    registration,
    publicUrl,
    devAuth: settings.environment['HOLDFAST_DEV_AUTH'] === '1',
    onRevoked: () => doorbell.revoke(),
  }
  const accounts = createAccounts(options)
  const byName = new Map(apps.map((hosted) => [hosted.app.name, { ...hosted, ...hosted.partsFor?.(settings.environment) }]))
  const context = createHttpContext({ database, apps: byName, authenticator: accounts, doorbell, chance, settings, epoch })
  return { context, accounts, accountDeps: createAccountDeps(options) }
}

/** Runs what is outstanding for these apps; answers the epoch. */
export function migrateApps(database: Database, apps: readonly HostedApp[], now: number): Promise<{ readonly epoch: string }> {
  return migrate(
    database,
    apps.map(({ app }) => app),
    apps.flatMap(({ migrations = [] }) => migrations),
    now,
  )
}
