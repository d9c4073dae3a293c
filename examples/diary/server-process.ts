import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'

/** `holdfast serve` as a process of its own that can be killed and started again on the same data. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string
  /** SIGKILL: no goodbye, as when the power fails. */
  kill(): Promise<void>
  start(): Promise<void>
}

const command = fileURLToPath(new URL('../../src/cli/holdfast.js', import.meta.url))
const START_MS_MAX = 30_000
const ASK_AGAIN_MS = 25
const SAID_CHARS_MAX = 4_000

export async function startServerProcess(dataFolder: string): Promise<ServerProcess> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess | undefined
  const kill = async (signal: NodeJS.Signals) => {
    if (child === undefined || child.exitCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
    child = undefined
  }
  const start = async () => {
    const env = { ...process.env, HOLDFAST_DATA: dataFolder, HOLDFAST_PORT: String(port), HOLDFAST_APPS: 'journal', HOLDFAST_LOG_LEVEL: 'error' }
    const started = spawn(process.execPath, [command, 'serve'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    child = started
    // What the server says to whoever set it up matters here only when it does not start.
    let said = ''
    started.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString('utf8')}`.slice(-SAID_CHARS_MAX)))
    await untilReady(url, started, () => said)
  }
  await start()
  return { url, kill: () => kill('SIGKILL'), start, [Symbol.asyncDispose]: () => kill('SIGTERM') }
}

async function untilReady(url: string, child: ChildProcess, said: () => string): Promise<void> {
  for (let waitedMs = 0; waitedMs < START_MS_MAX; waitedMs += ASK_AGAIN_MS) {
    if (child.exitCode !== null) throw new Error(`The server ended with exit code ${child.exitCode}.\n${said()}`)
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined)
    if (answer?.ok === true) return
    await delay(ASK_AGAIN_MS)
  }
  throw new Error('The server did not become ready.')
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  return port
}
