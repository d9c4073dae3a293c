import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pino } from 'pino'
import type { App } from '../../src/app/define-app.ts'
import type { Accounts } from '../../src/auth/accounts.ts'
import { createLogMailer } from '../../src/auth/log-mailer.ts'
import type { Authenticator, Principal } from '../../src/auth/principal.ts'
import { systemActor } from '../../src/auth/system-actor.ts'
import type { TransportRequest } from '../../src/client/ports.ts'
import { buildHttp } from '../../src/http/build-http.ts'
import { createHttpContext } from '../../src/http/create-http-context.ts'
import { hostApp } from '../../src/http/host-app.ts'
import type { HostedApp, HttpServer } from '../../src/http/http-context.ts'
import { createLocalDoorbell } from '../../src/realtime/doorbell.ts'
import { createCore, migrateApps } from '../../src/server/create-core.ts'
import { compact } from '../../src/storage/compact.ts'
import { markRestored } from '../../src/storage/mark-restored.ts'
import { openSqlite } from '../../src/storage/open-sqlite.ts'
import { leaveWal } from '../../src/storage/sqlite-backup.ts'
import { cheapPasswords, countingChance } from '../../src/testing/open-test-accounts.ts'
import { CrashingDatabase, type CrashPoint } from './crashing-database.ts'

/** What came back over the wire, whole. */
export interface ServerAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** `file`: an older file was copied back; `marked`: as `holdfast restore` does it, with an epoch of its own. */
export type RestoreKind = 'file' | 'marked'

/** Linux keeps it in memory: what a world takes is not the flushes of a disk, for the server dies here and not the machine. */
const MEMORY_FOLDER = '/dev/shm'

interface Running {
  readonly database: CrashingDatabase
  readonly http: HttpServer
  readonly accounts: Accounts
  readonly authenticator: Authenticator
  readonly hosted: HostedApp
  /** Sees the file as it is at each moment. */
  readonly witness: DatabaseSync
}

const settings = { publicUrl: undefined, rateLimits: false, trustProxy: false, registration: 'open' as const, metricsToken: undefined, corsOrigins: [], environment: {} }
const secrets = { accessSecret: 'test-access-secret-of-32-bytes-or-more', refreshSecret: 'test-refresh-secret-of-32-bytes-or-more' }

/** The real server on a real file, asked without a socket, that dies, comes back and is restored when it is told to. */
export class SimulatedServer implements AsyncDisposable {
  readonly #folder: string
  readonly #chance: ReturnType<typeof countingChance>
  readonly #now: () => number
  #running: Running
  #app: App
  #backups = 0
  #starts = 0

  private constructor(folder: string, app: App, now: () => number, running: Running, chance: ReturnType<typeof countingChance>) {
    this.#folder = folder
    this.#app = app
    this.#now = now
    this.#running = running
    this.#chance = chance
  }

  /** Opens a server that has nothing yet: the empty database is made once for all worlds of a process. */
  static async open(app: App, now: () => number): Promise<SimulatedServer> {
    const folder = await mkdtemp(join(existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir(), 'holdfast-simulation-'))
    const chance = countingChance(now)
    await writeFile(join(folder, 'holdfast.db'), await (emptyDatabase ??= makeEmpty(app, now())))
    return new SimulatedServer(folder, app, now, await start(join(folder, 'holdfast.db'), app, chance), chance)
  }

  get accounts(): Accounts {
    return this.#running.accounts
  }

  get crashed(): boolean {
    return this.#running.database.crashed
  }

  get #path(): string {
    return join(this.#folder, 'holdfast.db')
  }

  /** Answers requests that arrive together; undefined where the server died over one. */
  async handle(requests: readonly TransportRequest[]): Promise<(ServerAnswer | undefined)[]> {
    const { http, authenticator } = this.#running
    // Signatures are checked outside the event loop; asked one by one, and remembered, they leave the order as it was.
    for (const { headers } of requests) await authenticator.authenticate({ bearer: headers['authorization']?.replace('Bearer ', '') ?? '' }).catch(() => undefined)
    return Promise.all(
      requests.map(async ({ method, url, headers, body }) => {
        const answer = await http.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) }).catch((error: unknown) => {
          // A stream ends with the server that it comes from.
          if (this.crashed) return undefined
          throw error
        })
        return this.crashed || answer === undefined ? undefined : { status: answer.statusCode, headers: answer.headers, body: answer.body }
      }),
    )
  }

  crashAt(point: CrashPoint | undefined): void {
    this.#running.database.crashAt(point)
  }

  /** Opens the file again, with another release of the app if wished. */
  async restart(app: App = this.#app): Promise<void> {
    await this.#close()
    this.#app = app
    this.#running = await start(this.#path, app, this.#chance)
  }

  /** Copies the database as it is now; answers how to put it back. */
  backup(): (kind: RestoreKind) => Promise<void> {
    const copy = join(this.#folder, `backup-${(this.#backups += 1)}.db`)
    const database = new DatabaseSync(this.#path)
    database.exec(`VACUUM INTO '${copy}'`)
    database.close()
    return async (kind) => {
      const newest = Number(this.query<{ newest: number }>('SELECT max(version) AS newest FROM holdfast_spaces')[0]?.newest ?? 0)
      await this.#close()
      leaveWal(this.#path)
      await copyFile(copy, this.#path)
      if (kind === 'marked') await mark(this.#path, Math.max(this.#now(), newest + 1))
      this.#running = await start(this.#path, this.#app, this.#chance)
    }
  }

  /** Forgets tombstones that are older than this, epoch milliseconds. */
  async compact(before: number): Promise<number> {
    return compact(this.#running.database, { app: this.#running.hosted.app, before })
  }

  /** Another text when the file may have changed. */
  state(): string {
    return `${this.#starts} ${this.query<{ data_version: number }>('PRAGMA data_version')[0]?.data_version}`
  }

  /** Rows of the file as it is now. */
  query<Row>(sql: string, ...values: readonly (string | number)[]): Row[] {
    return this.#running.witness.prepare(sql).all(...values) as unknown as Row[]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
    await rm(this.#folder, { recursive: true })
  }

  async #close(): Promise<void> {
    this.#starts += 1
    this.#running.witness.close()
    await this.#running.http.close()
    await this.#running.accounts.settled()
    await this.#running.database.close()
  }
}

let emptyDatabase: Promise<Buffer> | undefined

async function makeEmpty(app: App, now: number): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-simulation-'))
  try {
    const path = join(folder, 'holdfast.db')
    const database = openSqlite(path)
    await migrateApps(database, [hostApp({ app })], now)
    await database.close()
    return await readFile(path)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function start(path: string, app: App, chance: ReturnType<typeof countingChance>): Promise<Running> {
  const database = new CrashingDatabase(openSqlite(path, chance))
  const hosted = hostApp({ app })
  const core = await createCore({
    database,
    doorbell: createLocalDoorbell(),
    apps: [hosted],
    chance,
    settings,
    accounts: { mailer: createLogMailer(() => undefined), passwordCost: cheapPasswords, record: () => undefined, ...secrets },
  })
  const authenticator = remembering(core.accounts, () => chance.now())
  const http = await buildHttp(createHttpContext({ ...core.context, authenticator }), { accounts: core.accounts, log: pino({ level: 'silent' }) })
  await http.ready()
  return { database, http, accounts: core.accounts, authenticator, hosted, witness: new DatabaseSync(path, { readOnly: true }) }
}

/** Checks each credential once at each moment. */
function remembering(authenticator: Authenticator, now: () => number): Authenticator {
  let at = 0
  const known = new Map<string, Promise<Principal>>()
  return {
    authenticate: (credentials) => {
      if (at !== now()) known.clear()
      at = now()
      const key = JSON.stringify(credentials)
      const principal = known.get(key) ?? authenticator.authenticate(credentials)
      known.set(key, principal)
      return principal
    },
  }
}

async function mark(path: string, now: number): Promise<void> {
  const database = openSqlite(path)
  try {
    await markRestored(database, { now, actor: systemActor })
  } finally {
    await database.close()
  }
}
