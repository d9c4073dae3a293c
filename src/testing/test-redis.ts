import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { freePort } from './free-port.ts'

/** A real Redis of the tests' own, on a free port of this machine; `await using` stops it. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string
  stop(): Promise<void>
  /** Starts it again after `stop`, on the same port and empty. */
  start(): Promise<void>
}

const programs = ['redis-server', 'valkey-server']

/** Where this machine has a Redis; undefined when it has none. No npm package brings one without a download of its own. */
export function findRedis(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return programs.flatMap((program) => folders.map((folder) => join(folder, program))).find((path) => existsSync(path))
}

export async function startTestRedis(program: string): Promise<TestRedis> {
  const port = await freePort()
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  let server: ChildProcess | undefined
  const killAtExit = () => server?.kill('SIGKILL')
  process.once('exit', killAtExit)
  const start = async () => {
    server ??= await startServer(program, flags)
  }
  const stop = async () => {
    const running = server
    server = undefined
    if (running === undefined || running.exitCode !== null) return
    running.kill('SIGTERM')
    await once(running, 'exit')
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    stop,
    start,
    [Symbol.asyncDispose]: async () => {
      process.off('exit', killAtExit)
      await stop()
    },
  }
}

async function startServer(program: string, flags: readonly string[]): Promise<ChildProcess> {
  const server = spawn(program, flags, { cwd: tmpdir(), stdio: ['ignore', 'pipe', 'inherit'] })
  let log = ''
  await new Promise<void>((resolve, reject) => {
    server.stdout.on('data', (chunk: Buffer) => {
      log += chunk.toString('utf8')
      if (/ready to accept connections/i.test(log)) resolve()
    })
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`Redis did not start:\n${log}`)))
  })
  return server
}
