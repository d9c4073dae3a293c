import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { findPostgresBinaries, postgresAccount, type PostgresAccount, type PostgresBinaries } from './postgres-binaries.ts'

export interface TestPostgresOptions {
  /** Waits for the disk as in production: for tests that kill the server. Off, it is several times faster. */
  readonly durable?: boolean
  readonly connectionsMax?: number
}

/** How PostgreSQL is stopped: `fast` breaks off what runs, `immediate` is a crash that must be recovered from. */
export type PostgresStop = 'fast' | 'immediate'

/** A real PostgreSQL of the tests' own, on a free port of this machine; `await using` stops and removes it. */
export interface TestPostgres extends AsyncDisposable {
  /** Address of its maintenance database, with a user who may make databases. */
  readonly url: string
  stop(how: PostgresStop): Promise<void>
  /** Starts it again after `stop`, on the same port with the same data; as a standby it only reads until `pg_promote()`. */
  start(as?: 'primary' | 'standby'): Promise<void>
}

const PASSWORD = 'holdfast-tests'
const LOG_CHARS_MAX = 20_000
const stopSignals = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const satisfies Record<PostgresStop, NodeJS.Signals>
const hasty = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']

/** Makes and starts a PostgreSQL from the npm package, also when the tests run as root. */
export async function startTestPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-postgres-'))
  await chmod(folder, 0o755)
  const account = await postgresAccount()
  const binaries = await findPostgresBinaries(folder, account)
  const data = join(folder, 'data')
  await mkdir(data, { mode: 0o700 })
  if (account !== undefined) await chown(data, account.uid, account.gid)
  await makeCluster({ binaries, account, data, folder })
  const port = await freePort()
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', `max_connections=${options.connectionsMax ?? 200}`, 'shared_buffers=64MB', 'max_wal_size=256MB']
  if (options.durable !== true) settings.push(...hasty)
  const flags = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]
  const start = () => startServer(binaries.postgres, flags, account)
  let server: ChildProcess | undefined = await start()
  // Whatever ends the tests, the database must not outlive them.
  const killAtExit = () => server?.kill('SIGQUIT')
  process.once('exit', killAtExit)
  const stop = async (how: PostgresStop) => {
    const running = server
    server = undefined
    if (running === undefined || running.exitCode !== null) return
    running.kill(stopSignals[how])
    await once(running, 'exit')
  }
  return {
    url: `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`,
    stop,
    start: async (as = 'primary') => {
      // PostgreSQL removes it when it is promoted.
      if (as === 'standby') await writeFile(join(data, 'standby.signal'), '')
      server ??= await start()
    },
    [Symbol.asyncDispose]: async () => {
      process.off('exit', killAtExit)
      await stop('immediate')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface Cluster {
  readonly binaries: PostgresBinaries
  readonly account: PostgresAccount | undefined
  readonly data: string
  readonly folder: string
}

async function makeCluster({ binaries, account, data, folder }: Cluster): Promise<void> {
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, PASSWORD)
  // The locale that is furthest from byte order: an order or comparison that depends on the database's locale shows.
  const flags = ['-D', data, '-U', 'postgres', '-A', 'password', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en-US', '--no-sync']
  const making = spawn(binaries.initdb, flags, { ...account, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const log = collectLog(making)
  const [code] = (await once(making, 'exit')) as [number | null]
  await rm(passwordFile)
  if (code !== 0) throw new Error(`PostgreSQL's initdb failed:\n${log()}`)
}

async function startServer(program: string, flags: readonly string[], account: PostgresAccount | undefined): Promise<ChildProcess> {
  const server = spawn(program, flags, { ...account, cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] })
  const log = collectLog(server)
  await new Promise<void>((resolve, reject) => {
    server.stderr?.on('data', () => {
      if (log().match(/database system is ready to accept (?:read-only )?connections/) !== null) resolve()
    })
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`PostgreSQL did not start:\n${log()}`)))
  })
  return server
}

/** Keeps the last of what a program says. */
function collectLog(program: ChildProcess): () => string {
  let log = ''
  const keep = (chunk: Buffer) => {
    log = `${log}${chunk.toString('utf8')}`.slice(-LOG_CHARS_MAX)
  }
  program.stdout?.on('data', keep)
  program.stderr?.on('data', keep)
  return () => log
}
