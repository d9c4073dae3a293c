import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { labelled, openTestProvider, type Asked, type TestProvider } from '../../apps/vault/worker/local-servers.fixture.ts'
import { freePort } from '../../src/testing/free-port.ts'
import type { Database } from '../../src/storage/database.ts'
import type { TestDatabase } from '../../src/testing/open-test-database.ts'

const program = fileURLToPath(new URL('../../src/cli/holdfast.js', import.meta.url))

/** One `holdfast serve` and `holdfast work` processes beside it, on one vault; each asks the provider under its own name. */
export interface VaultProcesses extends AsyncDisposable {
  readonly provider: TestProvider
  /** SIGKILL, as when the power fails; then the same process once more. */
  replace(name: string): Promise<void>
  /** SIGKILL. */
  kill(name: string): Promise<void>
  /** SIGSTOP: it does nothing until it is woken. It is not in the middle of a write, with which a process keeps all others from SQLite. */
  sleep(name: string): Promise<void>
  wake(name: string): void
  /** SIGTERM; resolves when what ran in it is finished. */
  stop(name: string): Promise<void>
  /** Captures texts as a person does. */
  capture(texts: readonly string[]): Promise<void>
  /** Resolves with all items once none of them waits for the AI. */
  untilNoneWaits(): Promise<readonly ItemRow[]>
}

export interface ItemRow {
  readonly rawText: string
  readonly status: string
  readonly attempts: number
  readonly outcome: string | null
  readonly errorCode: string | null
  readonly title: string | null
  /** Entries of the change log: one for the capture, one for what became of it. */
  readonly changes: number
}

/** What the provider answers to a question of a process: a title, or never anything. */
export type Hear = (who: string, text: string) => Promise<string | undefined>

const CAPTURES_MAX = 100
const LOOK_MS = 50

export interface VaultProcessesOptions {
  readonly workers: readonly string[]
  /** How soon the death of a process shows; long enough for a machine that is busy with starting others. */
  readonly leaseMs: number
  readonly hear: Hear
}

export async function openVaultProcesses({ database, location, folder }: TestDatabase, { workers, leaseMs, hear }: VaultProcessesOptions): Promise<VaultProcesses> {
  await using opened = new AsyncDisposableStack()
  const nameOf = ({ path }: Asked) => path.split('/')[1] ?? ''
  const provider = opened.use(
    await openTestProvider(async (_, asked) => {
      const title = await hear(nameOf(asked), asked.text)
      return title === undefined ? 'hang' : labelled({ title })
    }),
  )
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const running = new Map<string, ChildProcess>()
  const start = async (name: string) => {
    const child = spawn(process.execPath, [program, name === 'server' ? 'serve' : 'work'], {
      cwd: folder,
      env: {
        ...process.env,
        HOLDFAST_DATA: folder,
        HOLDFAST_APPS: 'vault',
        HOLDFAST_PORT: String(port),
        HOLDFAST_LOG_LEVEL: 'info',
        HOLDFAST_RATE_LIMITS: 'off',
        HOLDFAST_VAULT_AI: 'openai',
        HOLDFAST_VAULT_AI_URL: `${provider.url}/${name}`,
        HOLDFAST_VAULT_AI_MODEL: 'tiny',
        HOLDFAST_VAULT_FETCH: '0',
        HOLDFAST_VAULT_POLL_MS: '50',
        HOLDFAST_VAULT_LEASE_MS: String(leaseMs),
        HOLDFAST_VAULT_RETRY_DELAYS_MS: '1',
        ...(location.startsWith('postgres') ? { HOLDFAST_DATABASE_URL: location } : {}),
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    running.set(name, child)
    const ready = Promise.withResolvers<void>()
    child.once('exit', () => ready.reject(new Error(`The process "${name}" ended.`)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { msg } = JSON.parse(line) as { readonly msg?: string }
      if (msg === 'listening' || msg === 'working') ready.resolve()
    })
    await ready.promise
  }
  const end = async (name: string, signal: NodeJS.Signals) => {
    const child = running.get(name)
    running.delete(name)
    if (child === undefined || child.exitCode !== null) return
    child.kill(signal)
    await once(child, 'exit')
  }
  const kill = (name: string) => end(name, 'SIGKILL')
  opened.defer(async () => void (await Promise.all([...running.keys()].map(kill))))
  await start('server')
  for (const name of workers) await start(name)
  const registered = await fetch(`${url}/api/v1/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.org', password: 'correct horse' }),
  })
  const { accessToken } = (await registered.json()) as { readonly accessToken: string }
  const closing = opened.move()
  return {
    provider,
    kill,
    sleep: async (name) => {
      for (;;) {
        running.get(name)?.kill('SIGSTOP')
        const written = database.write(() => Promise.resolve())
        // Soon, so that the others do not lose their leases meanwhile.
        const isFree = await Promise.race([written.then(() => true), delay(LOOK_MS, false)])
        if (isFree) return
        running.get(name)?.kill('SIGCONT')
        await written
      }
    },
    wake: (name) => void running.get(name)?.kill('SIGCONT'),
    stop: (name) => end(name, 'SIGTERM'),
    replace: async (name) => {
      await kill(name)
      await start(name)
    },
    capture: async (texts) => {
      for (let first = 0; first < texts.length; first += CAPTURES_MAX) {
        const items = texts.slice(first, first + CAPTURES_MAX).map((rawText) => ({ rawText }))
        const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' }
        const answer = await fetch(`${url}/vault/items/batch`, { method: 'POST', headers, body: JSON.stringify({ items }) })
        assert.equal(answer.status, 200)
      }
    },
    untilNoneWaits: async () => {
      for (;;) {
        const items = await itemsOf(database)
        if (items.every(({ status }) => status !== 'ENRICHING')) return items
        await delay(LOOK_MS)
      }
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

function itemsOf(database: Database): Promise<readonly ItemRow[]> {
  return database.read((reader) =>
    reader.all<ItemRow>(
      `SELECT raw_text AS "rawText", status, attempts, outcome, error_code AS "errorCode", title,
(SELECT count(*) FROM holdfast_changes WHERE entity = 'items' AND entity_id = item.id) AS changes FROM vault_items AS item ORDER BY raw_text`,
    ),
  )
}
