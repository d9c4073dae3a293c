import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../src/testing/free-port.ts'

const program = fileURLToPath(new URL('../../src/cli/holdfast.js', import.meta.url))
const START_MS_MAX = 60_000
const ASK_AGAIN_MS = 20

/** What a command printed and how it ended. */
export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** A data folder and the real program on it. */
export interface Site extends AsyncDisposable {
  readonly folder: string
  readonly data: string
  readonly url: string
  /** Starts `holdfast serve` and waits until it is ready. */
  serve(): Promise<void>
  /** Ends the server with a signal and answers its exit code; null when the signal killed it. */
  end(signal: NodeJS.Signals): Promise<number | null>
  /** Sends the server that is ending one more signal. */
  signal(signal: NodeJS.Signals): void
  /** What the server wrote to stderr since it was last started. */
  said(): string
  holdfast(...args: readonly string[]): Promise<Ended>
  request(path: string, init?: RequestInit): Promise<Response>
}

/** Opens a site of the journal app; `await using` stops the server and removes it. */
export async function openSite(environment: Readonly<Record<string, string>> = {}): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-site-'))
  const data = join(folder, 'data')
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const env = {
    ...process.env,
    HOLDFAST_DATA: data,
    HOLDFAST_PORT: String(port),
    HOLDFAST_APPS: 'journal',
    HOLDFAST_RATE_LIMITS: 'off',
    HOLDFAST_LOG_LEVEL: 'error',
    HOLDFAST_DATABASE_URL: '',
    ...environment,
  }
  let [child, ending]: (ChildProcess | undefined)[] = []
  let said = ''
  const end = async (signal: NodeJS.Signals) => {
    ending = child
    child = undefined
    if (ending === undefined || ending.exitCode !== null) return ending?.exitCode ?? null
    // With all that it has said.
    const ended = once(ending, 'close')
    ending.kill(signal)
    const [code] = (await ended) as [number | null]
    return code
  }
  const serve = async () => {
    said = ''
    const started = spawn(process.execPath, [program, 'serve'], { env, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
    child = started
    started.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')))
    for (let waitedMs = 0; waitedMs < START_MS_MAX; waitedMs += ASK_AGAIN_MS) {
      if (started.exitCode !== null) throw new Error(`The server ended with ${started.exitCode}: ${said}`)
      const answer = await fetch(`${url}/health/ready`).catch(() => undefined)
      if (answer?.ok === true) return
      await delay(ASK_AGAIN_MS)
    }
    throw new Error(`The server did not start: ${said}`)
  }
  return {
    folder,
    data,
    url,
    serve,
    end,
    signal: (signal) => void ending?.kill(signal),
    said: () => said,
    holdfast: (...args) => runProgram(args, { env, cwd: folder }),
    request: (path, init) => fetch(`${url}${path}`, init),
    [Symbol.asyncDispose]: async () => {
      await end('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function runProgram(args: readonly string[], options: { readonly env: NodeJS.ProcessEnv; readonly cwd: string }): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], options, (error, out, err) => resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, out, err }))
  })
}
