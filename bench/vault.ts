import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { uuidv7 } from 'uuidv7'
import { hosted } from '../apps/vault/server.ts'
import { createLogMailer } from '../src/auth/log-mailer.ts'
import { buildHttp } from '../src/http/build-http.ts'
import type { HttpServer } from '../src/http/http-context.ts'
import { createCore } from '../src/server/create-core.ts'
import { openDatabase } from '../src/server/open-database.ts'
import { openDoorbell } from '../src/server/open-doorbell.ts'
import { makePostgresDatabase } from '../src/testing/make-postgres-database.ts'
import { startTestPostgres } from '../src/testing/test-postgres.ts'
import { figure, median, percentile, tableText } from './figures.ts'
import { makeVaultItems, vaultTagNames, type VaultItem } from './vault-items.ts'

const TAGS = 5_000
const BATCH = 100
const QUEUED = 10_000
const CAPTURES = 3_000
const WRITERS = 50
const account = { email: 'vault@example.org', password: 'a password for the bench' }
const secret = 'a secret for the bench that is long enough'

/** A vault of many items behind its routes. */
export interface BenchVault extends AsyncDisposable {
  call(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Record<string, unknown>>
}

interface Read {
  readonly name: string
  readonly path: string
}

const search = (name: string, query: string): Read => ({ name: `search ${name}`, path: `/search?q=${encodeURIComponent(query)}` })
const searches = [
  search('a rare word', 'catechising'),
  search('no such word', 'zeppelin'),
  search('an ordinary word', 'theatre'),
  search('a frequent word', 'lord'),
  search('a word of most items', 'the'),
  search('inside words', 'ation'),
  search('two characters', 'my'),
  search('two rare characters', 'zz'),
  search('one character', 'x'),
  search('one of every item', 'e'),
  search('two words', 'office dinner'),
  search('three frequent words', 'the and my'),
  search('ten words', 'up and to the office where all the morning my lord dined'),
  search('a tag', '#wife'),
  search('of many tags', '#an'),
  search('a word and a tag', 'dinner #office'),
]

/** What people read of a vault, each page first and then a later one. */
const reads: readonly Read[] = [
  ...searches,
  ...searches.map(({ name, path }) => ({ name: `${name}, by relevance`, path: `${path}&sort=relevance` })),
  { name: 'library', path: '/library?limit=50' },
  { name: 'library of a kind', path: '/library?limit=50&sourceType=NOTE' },
  { name: 'library of a kind that nothing is', path: '/library?limit=50&sourceType=ARTICLE' },
  { name: 'library of the most used tag', path: '/library?limit=50&tag=the' },
  { name: 'library of a tag of few', path: '/library?limit=50&tag=hangings' },
  { name: 'library of two tags', path: '/library?limit=50&tag=the&tag=and' },
  { name: 'library of a tag and a kind', path: '/library?limit=50&tag=the&sourceType=NOTE' },
  { name: 'library of a word and a tag', path: '/library?limit=50&tag=the&q=dinner' },
  { name: 'pending', path: '/items/pending?limit=50' },
  { name: 'tags by name', path: '/tags?limit=50' },
  { name: 'tags by use', path: '/tags?limit=50&sort=usage' },
  { name: 'tags last used', path: '/tags?limit=50&sort=lastUsed' },
  { name: 'tags by a part', path: '/tags?limit=50&q=er' },
  { name: 'tags without items', path: '/tags?limit=50&unused=true' },
]

/** Opens a vault at a location, in this process. */
export async function openBenchVault(location: string): Promise<BenchVault> {
  const chance = { now: () => Date.now(), id: () => uuidv7(), secret: () => crypto.randomUUID().repeat(2) }
  const environment = { HOLDFAST_VAULT_AI: 'local' }
  const settings = { publicUrl: undefined, rateLimits: false, trustProxy: false, registration: 'open', metricsToken: undefined, corsOrigins: [], environment } as const
  const database = await openDatabase(location)
  const doorbell = await openDoorbell(location, { database, chance })
  const passwordCost = { memoryKib: 8, passes: 1 }
  const secrets = { accessSecret: secret, refreshSecret: `${secret}!` }
  const { context, accounts } = await createCore({ database, doorbell, apps: [hosted], chance, settings, accounts: { mailer: createLogMailer(() => {}), ...secrets, passwordCost, record: () => {} } })
  const http = await buildHttp(context, { accounts, log: pino({ level: 'error' }) })
  const { accessToken } = await accounts.register(account).catch(() => accounts.login(account))
  return {
    call: (method, path, body) => call(http, accessToken, { method, path, body }),
    [Symbol.asyncDispose]: async () => {
      await http.close()
      await accounts.settled()
      await doorbell[Symbol.asyncDispose]()
      await database.close()
    },
  }
}

/** Captures items, with tags. */
export async function fillVault(vault: BenchVault, items: number): Promise<void> {
  const tagIds: string[] = []
  const names = vaultTagNames(TAGS)
  while (tagIds.length < names.length) {
    const made = await Promise.all(names.slice(tagIds.length, tagIds.length + BATCH).map((name) => vault.call('POST', '/tags', { name })))
    tagIds.push(...made.map(({ id }) => String(id)))
  }
  const batch: VaultItem[] = []
  for (const item of makeVaultItems(items, tagIds)) {
    batch.push(item)
    if (batch.length === BATCH) await vault.call('POST', '/items/batch', { items: batch.splice(0) })
  }
  if (batch.length > 0) await vault.call('POST', '/items/batch', { items: batch })
}

/** How long each read takes, one at a time; a page behind the first as well. */
export async function readVault(vault: BenchVault, rounds: number, only = ''): Promise<string[][]> {
  const rows = [['', 'found', 'p50 ms', 'best', 'CPU ms', 'next page CPU']]
  for (const { name, path } of reads.filter((read) => read.name.includes(only))) {
    const first = await vault.call('GET', path)
    const { cursor = null } = (first['pagination'] ?? {}) as { readonly cursor?: string | null }
    const timesOf = async (asked: string) => {
      const times: { readonly ms: number; readonly cpuMs: number }[] = []
      for (let round = 0; round < rounds; round += 1) {
        const [started, before] = [performance.now(), process.cpuUsage()]
        await vault.call('GET', asked)
        const { user, system } = process.cpuUsage(before)
        times.push({ ms: performance.now() - started, cpuMs: (user + system) / 1_000 })
      }
      return times
    }
    const times = await timesOf(path)
    const next = cursor === null ? [] : await timesOf(`${path}&cursor=${cursor}`)
    const least = (values: readonly number[]) => figure(values.length === 0 ? Number.NaN : Math.min(...values))
    rows.push([
      name,
      typeof first['total'] === 'number' ? figure(first['total']) : '',
      figure(median(times.map(({ ms }) => ms))),
      least(times.map(({ ms }) => ms)),
      least(times.map(({ cpuMs }) => cpuMs)),
      least(next.map(({ cpuMs }) => cpuMs)),
    ])
  }
  return rows
}

/** Rounds of captures by many writers who each send the next when they have an answer, while jobs are queued; nobody works them. */
export async function captureInto(vault: BenchVault, rounds: number): Promise<string[][]> {
  const made = crypto.randomUUID()
  const textOf = (number: number) => `Capture ${made} ${number}: ${'up and to the office where all the morning my lord dined. '.repeat(5)}`
  for (let queued = 0; queued < QUEUED; queued += BATCH) {
    await vault.call('POST', '/items/batch', { items: Array.from({ length: BATCH }, (_, index) => ({ rawText: textOf(queued + index) })) })
  }
  const rows = [['', 'a second', 'p50 ms', 'p95', 'p99']]
  for (let round = 0; round < rounds; round += 1) {
    const latencies: number[] = []
    let sent = 0
    const started = performance.now()
    const write = async () => {
      while (sent < CAPTURES) {
        sent += 1
        const begun = performance.now()
        await vault.call('POST', '/items', { rawText: textOf(QUEUED + round * CAPTURES + sent) })
        latencies.push(performance.now() - begun)
      }
    }
    await Promise.all(Array.from({ length: WRITERS }, write))
    const rate = (CAPTURES / (performance.now() - started)) * 1_000
    rows.push([`${WRITERS} writers beside ${figure(QUEUED)} jobs`, figure(rate), ...[50, 95, 99].map((percent) => figure(percentile(latencies, percent)))])
  }
  return rows
}

/** Fills a vault on each database, reads it, and captures into it. */
export async function benchVault(items: number, rounds: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'))
  const texts: string[] = []
  {
    await using vault = await openBenchVault(join(folder, 'vault.db'))
    await fillVault(vault, items)
    texts.push(`SQLite\n${tableText(await readVault(vault, rounds))}\n${tableText(await captureInto(vault, rounds))}`)
  }
  await rm(folder, { recursive: true })
  await using postgres = await startTestPostgres()
  await using vault = await openBenchVault((await makePostgresDatabase(postgres.url)).location)
  await fillVault(vault, items)
  texts.push(`PostgreSQL\n${tableText(await readVault(vault, rounds))}\n${tableText(await captureInto(vault, rounds))}`)
  return texts.join('\n\n')
}

interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body: unknown
}

async function call(http: HttpServer, accessToken: string, { method, path, body }: Call): Promise<Record<string, unknown>> {
  const sent = body === undefined ? {} : { payload: JSON.stringify(body), headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' } }
  const answer = await http.inject({ method, url: path.startsWith('/api/') ? path : `/vault${path}`, headers: { authorization: `Bearer ${accessToken}` }, ...sent })
  if (answer.statusCode >= 400) throw new Error(`${method} ${path}: ${answer.statusCode} ${answer.body.slice(0, 300)}`)
  return answer.body === '' ? {} : (JSON.parse(answer.body) as Record<string, unknown>)
}
