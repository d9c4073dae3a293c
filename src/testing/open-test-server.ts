import { pino } from 'pino'
import type { AccountEvent } from '../auth/account-event.ts'
import type { Accounts } from '../auth/accounts.ts'
import { createLogMailer } from '../auth/log-mailer.ts'
import { buildHttp } from '../http/build-http.ts'
import type { HostedApp, HttpContext, HttpServer, HttpSettings } from '../http/http-context.ts'
import type { RateLimits } from '../http/rate-limits.ts'
import type { JobEvent } from '../jobs/job-event.ts'
import type { JobRunner, RunnerOptions } from '../jobs/job-runner.ts'
import type { Chance } from '../lib/chance.ts'
import { createCore } from '../server/create-core.ts'
import { createRunner } from '../server/create-runner.ts'
import { openDatabase } from '../server/open-database.ts'
import { openDoorbell } from '../server/open-doorbell.ts'
import type { Database } from '../storage/database.ts'
import { freePort } from './free-port.ts'
import { cheapPasswords, countingChance } from './open-test-accounts.ts'
import { openTestDatabase } from './open-test-database.ts'

export interface TestServerOptions extends Partial<Omit<HttpSettings, 'rateLimits'>> {
  readonly apps: readonly HostedApp[]
  /** Off unless switched on, or given: the limits to use. */
  readonly rateLimits?: boolean | RateLimits
  /** How the job runner works. It does not loop: a test calls `runner.runOnce()` and `runner.settled()`. */
  readonly runner?: Partial<RunnerOptions>
  /** When the test's clock begins, in epoch milliseconds. */
  readonly startMs?: number
}

/** A person signed in on a device, with the headers of their requests. */
export interface TestUser {
  readonly email: string
  readonly userId: string
  readonly deviceId: string
  readonly accessToken: string
  readonly refreshToken: string
  readonly headers: Readonly<Record<string, string>>
}

/** A whole server on a real database and a real port, with a clock that the test moves. */
export interface TestServer extends AsyncDisposable {
  /** `http://127.0.0.1:…`, the same after a restart. */
  readonly url: string
  /** The Fastify instance, for `inject`. */
  readonly http: HttpServer
  readonly accounts: Accounts
  readonly database: Database
  readonly context: HttpContext
  readonly runner: JobRunner
  readonly chance: Chance
  /** A folder of the test's own, removed with it. */
  readonly folder: string
  readonly mails: readonly string[]
  readonly events: readonly (AccountEvent | JobEvent)[]
  /** What the server logged, one JSON object a line. */
  readonly log: readonly string[]
  advance(ms: number): void
  /** Makes an account and signs it in. */
  register(email: string, deviceId?: string): Promise<TestUser>
  /** Signs an account in on one more device. */
  signIn(email: string, deviceId?: string): Promise<TestUser>
  /** Closes everything and opens it on the same data and port, with other apps or settings if wished. */
  restart(changed?: Partial<TestServerOptions>): Promise<void>
}

interface Running extends Pick<TestServer, 'url' | 'http' | 'accounts' | 'database' | 'context' | 'runner'> {
  close(): Promise<void>
}

export const TEST_PASSWORD = 'correct horse'
const START_MS = 1_700_000_000_000

/** Opens a test server; `await using` closes and removes it. */
export async function openTestServer(options: TestServerOptions): Promise<TestServer> {
  const opened = await openTestDatabase()
  const clock = { now: options.startMs ?? START_MS }
  const chance = countingChance(() => clock.now)
  const [mails, events, log]: [string[], (AccountEvent | JobEvent)[], string[]] = [[], [], []]
  // The server opens the database itself, so that it can close it and open it again.
  const start = (wanted: TestServerOptions) =>
    startOn({ ...wanted, location: opened.location, port, chance, mail: (mail) => mails.push(mail), record: (event) => events.push(event), write: (line) => log.push(line) })
  let current = options
  const port = await freePort()
  let running = await start(current).catch(async (error: unknown) => {
    await opened[Symbol.asyncDispose]()
    throw error
  })
  const signedIn = async (operation: 'register' | 'login', email: string, deviceId: string | undefined): Promise<TestUser> => {
    const device = deviceId === undefined ? {} : { device: { id: deviceId } }
    const { accessToken, refreshToken, user, ...signed } = await running.accounts[operation]({ email, password: TEST_PASSWORD, ...device })
    return { email, userId: user.id, deviceId: signed.device.id, accessToken, refreshToken, headers: { authorization: `Bearer ${accessToken}` } }
  }
  return {
    get url() {
      return running.url
    },
    get http() {
      return running.http
    },
    get accounts() {
      return running.accounts
    },
    get database() {
      return running.database
    },
    get context() {
      return running.context
    },
    get runner() {
      return running.runner
    },
    chance,
    folder: opened.folder,
    mails,
    events,
    log,
    advance: (ms) => {
      clock.now += ms
    },
    register: (email, deviceId) => signedIn('register', email, deviceId),
    signIn: (email, deviceId) => signedIn('login', email, deviceId),
    restart: async (changed = {}) => {
      current = { ...current, ...changed }
      await running.close()
      running = await start(current)
    },
    [Symbol.asyncDispose]: async () => {
      await running.close()
      await opened[Symbol.asyncDispose]()
    },
  }
}

interface StartParts extends TestServerOptions {
  readonly location: string
  readonly port: number
  readonly chance: Chance
  mail(text: string): void
  record(event: AccountEvent | JobEvent): void
  write(line: string): void
}

async function startOn({ apps, location, port, chance, mail, record, write, runner: runnerOptions, ...options }: StartParts): Promise<Running> {
  const database = await openDatabase(location)
  const doorbell = await openDoorbell(location, { database, chance })
  const settings: HttpSettings = {
    publicUrl: options.publicUrl,
    rateLimits: options.rateLimits !== undefined && options.rateLimits !== false,
    trustProxy: options.trustProxy ?? false,
    registration: options.registration ?? 'open',
    metricsToken: options.metricsToken,
    corsOrigins: options.corsOrigins ?? [],
    environment: options.environment ?? {},
  }
  const secrets = { accessSecret: 'test-access-secret-of-32-bytes-or-more', refreshSecret: 'test-refresh-secret-of-32-bytes-or-more' }
  const { context, accounts } = await createCore({ database, doorbell, apps, chance, settings, accounts: { mailer: createLogMailer(mail), passwordCost: cheapPasswords, record, ...secrets } })
  const log = pino({ level: 'debug' }, { write })
  const http = await buildHttp(context, { accounts, log, ...(typeof options.rateLimits === 'object' ? { rateLimits: options.rateLimits } : {}) })
  const runner = createRunner(context, { record, ...(runnerOptions === undefined ? {} : { options: runnerOptions }) })
  const url = await http.listen({ host: '127.0.0.1', port })
  return {
    url,
    http,
    accounts,
    database,
    context,
    runner,
    close: async () => {
      await http.close()
      await runner.close()
      await accounts.settled()
      await doorbell[Symbol.asyncDispose]()
      await database.close()
    },
  }
}
