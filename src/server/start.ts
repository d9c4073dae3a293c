import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { uuidv7 } from 'uuidv7'
import { buildHttp } from '../http/build-http.ts'
import type { HttpServer } from '../http/http-context.ts'
import type { Chance } from '../lib/chance.ts'
import { isLoopback, type Config } from './config.ts'
import { createCompactionLoop } from './compaction-loop.ts'
import { createRunner } from './create-runner.ts'
import { openToOthers, prepareDataFolder } from './data-folder.ts'
import { lockFolder } from './lock-folder.ts'
import { offerSetup, type SetupOffer } from './offer-setup.ts'
import { logEvent, openCore } from './open-core.ts'
import { openLimits } from './open-limits.ts'
import { StartFailure } from './start-failure.ts'

/** The real clock and the real random source. */
export const realChance: Chance = {
  now: () => Date.now(),
  id: () => uuidv7(),
  secret: () => randomBytes(32).toString('base64url'),
}

export interface StartDeps {
  readonly log: Logger
  readonly warnings?: readonly string[]
  /** Shows a text to whoever sits at the terminal. */
  show(text: string): void
}

/** A server that takes requests. Closing it stops that, finishes what runs, and closes the database. */
export interface RunningServer extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string
  readonly apps: readonly string[]
  readonly setup: SetupOffer
}

/** Starts a server. Throws `StartFailure` with what to do when it cannot; then nothing of it is left running. */
export async function startServer(config: Config, { log, warnings = [], show }: StartDeps): Promise<RunningServer> {
  await using opened = new AsyncDisposableStack()
  prepareDataFolder(config.data)
  // Processes that share a PostgreSQL may share a data folder; a SQLite file is served by one, whose clients hear of every write.
  const lock = config.databaseUrl === undefined ? opened.use(lockFolder(config.data)) : undefined
  for (const warning of [...warnings, ...worries(config)]) log.warn(warning)
  const core = opened.use(await openCore(config, { chance: realChance, log, show }))
  const runner = createRunner(core.context, { record: (event) => logEvent(log, event), options: { holder: 'server' } })
  opened.defer(() => runner.close())
  const compaction = createCompactionLoop(core.context, (event) =>
    'error' in event ? log.error({ err: event.error, app: event.app }, 'compaction failed') : log.info(event, 'what was old is forgotten'),
  )
  opened.defer(() => compaction.close())
  const limitStore = opened.use(await openLimits(config, (event) => logEvent(log, event)))
  const http = await buildHttp(core.context, { accounts: core.accounts, log, limitStore })
  opened.defer(() => http.close())
  const url = await listen(http, config)
  // Of a folder that is locked there is no other server: what the last one was working on when it ended runs nowhere.
  if (lock !== undefined) await runner.takeOver()
  runner.start()
  compaction.start()
  lock?.note(url)
  const setup = await offerSetup(core)
  const running = opened.move()
  return { url, apps: config.apps.map(({ app }) => app.name), setup, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

async function listen(http: HttpServer, { host, port }: Pick<Config, 'host' | 'port'>): Promise<string> {
  try {
    await http.listen({ host, port })
  } catch (error) {
    throw explainListen(error, { host, port })
  }
  const { port: given } = http.server.address() as AddressInfo
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${given}`
}

function explainListen(error: unknown, { host, port }: Pick<Config, 'host' | 'port'>): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'EADDRINUSE':
      return new StartFailure(`Port ${port} of ${host} is taken. Stop what runs there, or set HOLDFAST_PORT to another one.`, { cause: error })
    case 'EACCES':
      return new StartFailure(`This account may not listen on port ${port}. Set HOLDFAST_PORT to 1024 or more, and let a proxy serve the other.`, { cause: error })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new StartFailure(`This machine has no address ${host}. Set HOLDFAST_HOST to one of its own, such as 127.0.0.1 or 0.0.0.0.`, { cause: error })
    default:
      return error
  }
}

/** What works and yet an operator should know. */
function worries(config: Config): string[] {
  const folder = openToOthers(config.data)
  const mails = config.smtpUrl === undefined && !(isLoopback(config.host) && config.publicUrl === undefined)
  return [
    ...(folder === undefined ? [] : [folder]),
    ...(mails ? ['No mails can be sent, so nobody can set a forgotten password: set HOLDFAST_SMTP_URL.'] : []),
    ...(mails || config.publicUrl !== undefined || config.smtpUrl === undefined ? [] : ['Links in mails have no address: set HOLDFAST_PUBLIC_URL.']),
    ...(config.environment['HOLDFAST_DEV_AUTH'] === '1' ? ['HOLDFAST_DEV_AUTH=1: whoever reaches this server can be anybody.'] : []),
  ]
}
