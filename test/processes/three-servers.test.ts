import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { openDatabase } from '../../src/server/open-database.ts'
import { verifyChain } from '../../src/storage/verify-chain.ts'
import { makePostgresDatabase } from '../../src/testing/make-postgres-database.ts'
import { startTestPostgres, type TestPostgres } from '../../src/testing/test-postgres.ts'
import { read, write, type Caller, type ReaderLog, type WriterLog } from './hall-client.ts'
import { startServerProcess, type ServerProcess } from './server-process.ts'

/** Scaled by the environment; small by default. */
const WRITERS = Number(process.env['HOLDFAST_TEST_WRITERS'] ?? 50)
const ROUNDS = Number(process.env['HOLDFAST_TEST_ROUNDS'] ?? 6)
const SPACES = 3
const READERS_PER_SPACE = 2

/** Three server processes on one PostgreSQL that waits for its disk. */
interface Hall extends AsyncDisposable {
  readonly postgres: TestPostgres
  readonly servers: readonly ServerProcess[]
  readonly databaseUrl: string
  /** Ends all asking when a server has ended that nobody ended, or something else has failed. */
  readonly failed: AbortController
}

async function openHall(): Promise<Hall> {
  await using opened = new AsyncDisposableStack()
  const dataFolder = await mkdtemp(join(tmpdir(), 'holdfast-hall-'))
  opened.defer(() => rm(dataFolder, { recursive: true }))
  const postgres = opened.use(await startTestPostgres({ durable: true }))
  const { location: databaseUrl } = await makePostgresDatabase(postgres.url)
  const failed = new AbortController()
  // All at once on an empty database: one of them makes it.
  const servers = await Promise.all(Array.from({ length: 3 }, () => startServerProcess({ databaseUrl, dataFolder, onEndedByItself: (error) => failed.abort(error) })))
  for (const server of servers) opened.use(server)
  const closing = opened.move()
  return { postgres, servers, databaseUrl, failed, [Symbol.asyncDispose]: () => closing.disposeAsync() }
}

/** Makes an account whose personal space is written and read. */
async function register(server: string, email: string): Promise<string> {
  const response = await fetch(`${server}/api/v1/auth/register`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email, password: 'correct horse' }) })
  const { accessToken } = (await response.json()) as { readonly accessToken: string }
  return accessToken
}

/** Numbers from 0 up to below 1 that a seed repeats (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Faults in turn, each when the given part of all edits has been acknowledged. */
type Faults = readonly (readonly [part: number, fault: () => Promise<unknown>])[]

interface SpaceLog {
  readonly writers: readonly WriterLog[]
  readonly readers: readonly ReaderLog[]
}

/** Lets all writers and readers loose over all servers. */
async function writeAndRead(hall: Hall, seed: number, faults: Faults): Promise<readonly SpaceLog[]> {
  const random = randomFrom(seed)
  const anyServer = () => hall.servers[Math.floor(random() * hall.servers.length)]?.url ?? ''
  const { failed } = hall
  /** One that fails ends all the others: a reader would wait for ever for what a writer does not write. */
  const endingAll = <Value>(work: Promise<Value>) =>
    work.catch((error: unknown) => {
      failed.abort(error)
      throw error
    })
  const callers: Caller[] = []
  for (let space = 0; space < SPACES; space += 1) callers.push({ anyServer, token: await register(anyServer(), `user${space}@example.org`), signal: failed.signal })
  const waiting = [...faults]
  let acknowledged = 0
  let breaking: Promise<unknown> = Promise.resolve()
  const onAcknowledged = () => {
    acknowledged += 1
    const [part, fault] = waiting[0] ?? []
    if (part === undefined || fault === undefined || acknowledged < part * WRITERS * ROUNDS) return
    waiting.shift()
    breaking = endingAll(breaking.then(fault))
    // Awaited at the end; until then nobody hears of it but through the signal.
    breaking.catch(() => {})
  }
  const logs = await Promise.all(
    callers.map(async (caller, space) => {
      const names = Array.from({ length: WRITERS }, (_, index) => index).filter((index) => index % SPACES === space)
      const records = names.length * ROUNDS + ROUNDS
      const [writers, readers] = await Promise.all([
        Promise.all(names.map((index) => endingAll(write(caller, `writer-${index}`, { count: ROUNDS, onAcknowledged })))),
        Promise.all(Array.from({ length: READERS_PER_SPACE }, (_, index) => endingAll(read(caller, { records, limit: index === 0 ? 7 : 500 })))),
      ])
      return { writers, readers }
    }),
  )
  await breaking
  assert.equal(waiting.length, 0, 'every fault happened')
  return logs
}

/** Everything acknowledged is there once, every seat has one owner, and every reader saw every record once and in order. */
async function check(hall: Hall, logs: readonly SpaceLog[]): Promise<void> {
  for (const { writers, readers } of logs) {
    const notes = new Map(writers.flatMap((writer) => writer.notes.map(({ id, version }) => [id, version])))
    const owners = writers.flatMap(({ name, seats }) => seats.map((seat) => [seat, name] as const))
    assert.equal(owners.length, ROUNDS, 'every seat was won by one writer')
    assert.equal(new Set(owners.map(([seat]) => seat)).size, ROUNDS)
    for (const { changes } of readers) {
      assert.ok(
        changes.every(({ version }, index) => index === 0 || version > (changes[index - 1]?.version ?? 0)),
        'versions only grow',
      )
      const seen = changes.filter(({ collection }) => collection === 'notes')
      assert.deepEqual(new Map(seen.map(({ id, version }) => [id, version])), new Map(seen.map(({ id }) => [id, notes.get(id)])))
      assert.deepEqual([seen.length, changes.length], [notes.size, notes.size + ROUNDS])
    }
  }
  const owners = new Map(logs.flatMap(({ writers }) => writers.flatMap(({ name, seats }) => seats.map((seat) => [`${seat} ${name}`, name]))))
  const database = await openDatabase(hall.databaseUrl)
  try {
    const seats = await database.read((reader) => reader.all<{ id: string; owner: string }>('SELECT id, owner FROM hall_seats ORDER BY space, id'))
    assert.deepEqual(new Set(seats.map(({ id, owner }) => `${id} ${owner}`)), new Set(owners.keys()))
    const made = await database.read((reader) =>
      reader.all<{ count: number; twice: number }>("SELECT count(*) AS count, count(*) - count(DISTINCT (space, entity_id)) AS twice FROM holdfast_changes WHERE entity IN ('notes', 'seats')"),
    )
    assert.deepEqual(made, [{ count: WRITERS * ROUNDS + SPACES * ROUNDS, twice: 0 }])
    const spaces = await database.read((reader) => reader.all<{ space: number }>('SELECT space FROM holdfast_spaces'))
    for (const { space } of spaces) assert.equal((await verifyChain(database, space)).kind, 'intact')
  } finally {
    await database.close()
  }
}

function seedOf(): number {
  const seed = Number(process.env['HOLDFAST_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  console.log(`HOLDFAST_TEST_SEED=${seed}`)
  return seed
}

test('PG-14 Writers and readers spread over three processes: no gap, nothing twice, one winner of each conflict', async () => {
  await using hall = await openHall()
  const logs = await writeAndRead(hall, seedOf(), [])
  await check(hall, logs)
  assert.equal(
    logs.flatMap(({ writers, readers }) => [...writers, ...readers]).reduce((sum, { failures }) => sum + failures, 0),
    0,
    'nobody had to ask twice',
  )
})

test('PG-15 Killed processes, ended connections and a restarted or crashed PostgreSQL lose nothing acknowledged, and everybody goes on by themselves', async () => {
  await using hall = await openHall()
  const killAndStart = async (index: number) => {
    await hall.servers[index]?.kill()
    await hall.servers[index]?.start()
  }
  const logs = await writeAndRead(hall, seedOf(), [
    [0.15, () => killAndStart(0)],
    [0.3, () => endAllConnections(hall)],
    [0.45, () => hall.postgres.stop('fast').then(() => hall.postgres.start())],
    [0.6, () => killAndStart(1)],
    [0.75, () => hall.postgres.stop('immediate').then(() => hall.postgres.start())],
    [0.9, () => endAllConnections(hall)],
  ])
  await check(hall, logs)
})

async function endAllConnections({ databaseUrl }: Hall): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  client.on('error', () => {})
  await client.connect()
  await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()')
  await client.end()
}
