import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { rateLimits } from '../../src/http/rate-limits.ts'
import { makePostgresDatabase } from '../../src/testing/make-postgres-database.ts'
import { startTestPostgres, type TestPostgres } from '../../src/testing/test-postgres.ts'
import { findRedis, startTestRedis } from '../../src/testing/test-redis.ts'
import { startServerProcess, type ServerProcess } from './server-process.ts'

const ALLOWED = rateLimits.signInByAccount.requestsMax
const redis = findRedis()

/** Server processes on one PostgreSQL, with their limits on. */
interface Guarded extends AsyncDisposable {
  readonly servers: readonly ServerProcess[]
  readonly postgres: TestPostgres
  readonly databaseUrl: string
}

async function openGuarded(processes: number, environment: Readonly<Record<string, string>> = {}): Promise<Guarded> {
  await using opened = new AsyncDisposableStack()
  const dataFolder = await mkdtemp(join(tmpdir(), 'holdfast-limits-'))
  opened.defer(() => rm(dataFolder, { recursive: true }))
  const postgres = opened.use(await startTestPostgres())
  const { location: databaseUrl } = await makePostgresDatabase(postgres.url)
  const place = { databaseUrl, dataFolder, environment: { HOLDFAST_RATE_LIMITS: 'on', ...environment } }
  const servers = await Promise.all(Array.from({ length: processes }, () => startServerProcess(place)))
  for (const server of servers) opened.use(server)
  const closing = opened.move()
  return { servers, postgres, databaseUrl, [Symbol.asyncDispose]: () => closing.disposeAsync() }
}

/** Guesses the password of an account at one server after the other; answers how often each status came. */
async function guess({ servers }: Guarded, email: string, times: number): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {}
  for (let index = 0; index < times; index += 1) {
    const { status, headers } = await logIn(servers[index % servers.length], email)
    counts[status] = (counts[status] ?? 0) + 1
    if (status === 429) assert.ok(Number(headers.get('retry-after')) >= 1)
  }
  return counts
}

async function logIn(server: ServerProcess | undefined, email: string): Promise<Response> {
  const response = await fetch(`${server?.url}/api/v1/auth/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email, password: 'wrong' }) })
  await response.arrayBuffer()
  return response
}

test('PG-17 Guesses at one account that are spread over three processes on one PostgreSQL meet one limit', async () => {
  await using guarded = await openGuarded(3)
  assert.deepEqual(await guess(guarded, 'ada@example.org', ALLOWED + 9), { 401: ALLOWED, 429: 9 })
  assert.deepEqual(await guess(guarded, 'bob@example.org', 3), { 401: 3 })
  const client = new pg.Client({ connectionString: guarded.databaseUrl })
  await client.connect()
  const { rows } = await client.query<{ key: string }>('SELECT key FROM holdfast_limits')
  await client.end()
  assert.equal(rows.length, 3, 'one address and two accounts')
  assert.ok(rows.every(({ key }) => !key.includes('example') && !key.includes('127.0.0.1')))
})

test('PG-17 Guesses while the database is away are still limited', async () => {
  await using guarded = await openGuarded(1)
  await guarded.postgres.stop('fast')
  const [server] = guarded.servers
  const statuses = await Promise.all(Array.from({ length: ALLOWED + 2 }, async () => (await logIn(server, 'ada@example.org')).status))
  assert.equal(statuses.filter((status) => status === 429).length, 2)
  await server?.logged('limits.alone')
})

test(
  'HTTP-12 Limits that are counted in Redis hold over three processes; while it is away each counts by itself and says so',
  { skip: redis === undefined && 'there is no redis-server or valkey-server in PATH' },
  async () => {
    await using store = await startTestRedis(redis ?? '')
    await using guarded = await openGuarded(3, { HOLDFAST_REDIS_URL: store.url })
    assert.deepEqual(await guess(guarded, 'ada@example.org', ALLOWED + 9), { 401: ALLOWED, 429: 9 })
    await store.stop()
    assert.deepEqual(await guess(guarded, 'bob@example.org', 6), { 401: 6 })
    await Promise.all(guarded.servers.map((server) => server.logged('limits.alone')))
    await store.start()
    await Promise.all(guarded.servers.map((server) => server.logged('limits.shared')))
    assert.deepEqual(await guess(guarded, 'cleo@example.org', ALLOWED + 9), { 401: ALLOWED, 429: 9 })
  },
)

test('HTTP-12 A Redis that is not there does not keep a server from starting', async () => {
  await using guarded = await openGuarded(1, { HOLDFAST_REDIS_URL: 'redis://127.0.0.1:1' })
  assert.deepEqual(await guess(guarded, 'ada@example.org', 3), { 401: 3 })
  await guarded.servers[0]?.logged('limits.alone')
})
