import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../src/testing/free-port.ts'

/** `holdfast serve`, or `holdfast work` beside one, as a process of its own. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string
  /** SIGKILL: no goodbye, as when the power fails. */
  kill(): Promise<void>
  /** Starts it again on the same port. */
  start(): Promise<void>
  /** Resolves with the first line of the log, from the last start on, whose message is this. */
  logged(message: string): Promise<void>
}

export interface ServerPlace {
  /** A PostgreSQL that others use too; without it the SQLite file in the data folder. */
  readonly databaseUrl?: string
  readonly dataFolder: string
  /** What it serves, in this folder; the hall unless set. */
  readonly app?: 'hall' | 'mill' | 'ledger'
  /** `serve` unless set. */
  readonly command?: 'serve' | 'work'
  /** Called when it ends though nobody asked it to; what waits for its answers would wait for ever. */
  onEndedByItself?(error: Error): void
  /** Variables beside those that every server of these tests has. */
  readonly environment?: Readonly<Record<string, string>>
}

const program = fileURLToPath(new URL('../../src/cli/holdfast.js', import.meta.url))
const configs = { hall: new URL('holdfast.config.ts', import.meta.url), mill: new URL('mill.config.ts', import.meta.url), ledger: new URL('ledger.config.ts', import.meta.url) }

export async function startServerProcess({ databaseUrl, dataFolder, app = 'hall', command = 'serve', onEndedByItself, environment = {} }: ServerPlace): Promise<ServerProcess> {
  const port = await freePort()
  let child: ChildProcess | undefined
  let url = ''
  let log = new ProcessLog()
  const end = async (signal: NodeJS.Signals) => {
    const running = child
    child = undefined
    if (running === undefined || running.exitCode !== null) return
    running.kill(signal)
    await once(running, 'exit')
  }
  const start = async () => {
    const env = {
      ...process.env,
      HOLDFAST_APPS: app,
      HOLDFAST_DATA: dataFolder,
      ...(databaseUrl === undefined ? {} : { HOLDFAST_DATABASE_URL: databaseUrl }),
      HOLDFAST_PORT: String(port),
      HOLDFAST_RATE_LIMITS: 'off',
      HOLDFAST_LOG_LEVEL: 'info',
      ...environment,
    }
    child = spawn(process.execPath, [program, command, '--config', fileURLToPath(configs[app])], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    log = new ProcessLog()
    const started = child
    url = await log.ready(started)
    started.once('exit', (code, signal) => {
      if (child === started) onEndedByItself?.(new Error(`A process ended by itself with ${code ?? signal}.\n${log.said()}`))
    })
  }
  const killAtExit = () => child?.kill('SIGKILL')
  process.once('exit', killAtExit)
  await start()
  return {
    get url() {
      return url
    },
    kill: () => end('SIGKILL'),
    start,
    logged: (message) => log.logged(message),
    [Symbol.asyncDispose]: async () => {
      process.off('exit', killAtExit)
      await end('SIGTERM')
    },
  }
}

/** What a process says, and who waits for it. */
class ProcessLog {
  readonly #said: string[] = []
  readonly #messages = new Set<string>()
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>()

  /** Waits for the line of the log that says where the server listens, or that a worker works. */
  async ready(child: ChildProcess): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    child.stderr?.on('data', (chunk: Buffer) => this.#said.push(chunk.toString('utf8')))
    if (child.stdout === null) throw new Error('The server has no output.')
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#said.push(`${line}\n`)
      const entry = JSON.parse(line) as { readonly msg?: string; readonly url?: string }
      if (entry.msg === 'listening' || entry.msg === 'working') resolve(entry.url ?? '')
      this.#hear(entry.msg ?? '')
    })
    child.once('exit', () => reject(new Error(`The server ended.\n${this.said()}`)))
    return promise
  }

  said(): string {
    return this.#said.join('')
  }

  logged(message: string): Promise<void> {
    if (this.#messages.has(message)) return Promise.resolve()
    const waiting = this.#waiting.get(message) ?? Promise.withResolvers<void>()
    this.#waiting.set(message, waiting)
    return waiting.promise
  }

  #hear(message: string): void {
    this.#messages.add(message)
    this.#waiting.get(message)?.resolve()
  }
}
