import type { Logger } from 'pino'
import type { AccountEvent } from '../auth/account-event.ts'
import type { Chance } from '../lib/chance.ts'
import type { Database } from '../storage/database.ts'
import { MigrationRefused } from '../storage/migration-refused.ts'
import { chooseMailer } from './choose-mailer.ts'
import type { Config } from './config.ts'
import { createCore, type Core } from './create-core.ts'
import { dataFiles, prepareDataFolder } from './data-folder.ts'
import { deriveSecret, keepSecret } from './keep-secret.ts'
import { openDatabase } from './open-database.ts'
import { openDoorbell } from './open-doorbell.ts'
import { StartFailure } from './start-failure.ts'

/** A core with what it was built on; closing it closes the database. */
export interface OpenCore extends Core, AsyncDisposable {
  readonly database: Database
}

export interface CoreDeps {
  readonly chance: Chance
  readonly log: Logger
  /** Shows a text to whoever sits at the terminal: mails where no mail server is configured. */
  show(text: string): void
}

/** Where the database of a configuration is. */
export function databaseLocation({ databaseUrl, data }: Pick<Config, 'databaseUrl' | 'data'>): string {
  return databaseUrl ?? dataFiles(data).database
}

/** Opens what a configuration names: data folder, secret, database in the program's state, accounts. Throws `StartFailure`. */
export async function openCore(config: Config, { chance, log, show }: CoreDeps): Promise<OpenCore> {
  prepareDataFolder(config.data)
  const secret = config.secret ?? keepSecret(config.data, chance)
  const location = databaseLocation(config)
  await using opened = new AsyncDisposableStack()
  const database = await openOrExplain(config)
  opened.defer(() => database.close())
  const doorbell = opened.use(
    await openDoorbell(location, { database, chance }).catch((error: unknown) => {
      throw explainDatabase(config, error)
    }),
  )
  const { publicUrl, rateLimits, trustProxy, registration, metricsToken, corsOrigins, environment } = config
  const core = await createCore({
    database,
    doorbell,
    apps: config.apps,
    chance,
    settings: { publicUrl, rateLimits, trustProxy, registration, metricsToken, corsOrigins, environment },
    accounts: {
      mailer: await chooseMailer(config, show),
      accessSecret: deriveSecret(secret, 'access-token'),
      refreshSecret: deriveSecret(secret, 'refresh-token'),
      record: (event) => logEvent(log, event),
    },
  }).catch((error: unknown) => {
    throw explainDatabase(config, error)
  })
  opened.defer(() => core.accounts.settled())
  const closing = opened.move()
  return { ...core, database, [Symbol.asyncDispose]: () => closing.disposeAsync() }
}

/** Writes an event of accounts or jobs to the log. */
export function logEvent(log: Logger, { level, ...event }: AccountEvent | { readonly action: string; readonly level: 'info' | 'warn'; readonly detail: unknown }): void {
  log[level](event, event.action)
}

async function openOrExplain(config: Config): Promise<Database> {
  try {
    return await openDatabase(databaseLocation(config))
  } catch (error) {
    throw explainDatabase(config, error)
  }
}

/** SQLite primary result codes (sqlite.org/rescode.html). */
const sqliteSays: Readonly<Record<number, string>> = {
  8: 'cannot be written to. Give the file to this account (chown), or mount its disk for writing.',
  11: 'is damaged. Run "holdfast doctor", and restore a backup.',
  13: 'cannot grow: the disk is full. Make room and start again; nothing is lost.',
  14: 'cannot be opened. Look at the permissions of the file and its folder.',
  26: 'is not a SQLite database. Move the file away, or restore a backup.',
}

/** Turns what a database says at the start into what an operator can do. */
export function explainDatabase(config: Pick<Config, 'databaseUrl' | 'data'>, error: unknown): unknown {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return error
  if ('errcode' in cause && typeof cause.errcode === 'number') {
    const says = sqliteSays[cause.errcode & 0xff]
    if (says !== undefined) return new StartFailure(`The database ${databaseLocation(config)} ${says}`, { cause })
  }
  if (cause instanceof MigrationRefused) return new StartFailure(cause.message, { cause })
  if (config.databaseUrl !== undefined && 'code' in cause) {
    const { hostname, pathname } = new URL(config.databaseUrl)
    return new StartFailure(`The database ${pathname.slice(1)} on ${hostname} does not answer: ${cause.message}. Look at HOLDFAST_DATABASE_URL.`, { cause })
  }
  return error
}
