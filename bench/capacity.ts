import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { get, type ClientRequest, type IncomingMessage } from 'node:http'
import { cpus, platform, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { PushResponse } from '../src/protocol/push.ts'
import { makePostgresDatabase } from '../src/testing/make-postgres-database.ts'
import { startTestPostgres } from '../src/testing/test-postgres.ts'
import { EDITS_PER_PUSH, planFor, type Costs, type CpuCost } from './capacity-plan.ts'
import { startChild, type Child } from './child.ts'
import { figure, tableText } from './figures.ts'
import { openPool, send, sendCalls, type Call } from './load.ts'
import { makeNotes, type IdentifiedNote } from './note.ts'
import { cpuOfChild } from './process-cpu.ts'
import { drain } from './reads.ts'
import { holdfastTarget } from './target.ts'

/**
 * `node bench/capacity.ts`: measures on both databases what a push, a poll, an open event stream and a stored record cost, and computes
 * from that what 1,000 to 1,000,000,000 devices need. CPU and bytes are measured, not rates: they hold on a busy machine too.
 */

/** Accounts, each with a device and a space of its own; streams of each before memory is read and after, together at most what a server allows one account. */
const ACCOUNTS = 50
const STREAMS_BEFORE = 4
const STREAMS_EACH = 16
const PUSHES = 2_000
const POLLS = 4_000
/** Records whose size on disk is taken, and so many pushes of each round before the clock runs. */
const RECORDS = 10_000
const WARM_UP = 300
const SIZE_BATCH = 100
/** How long memory is left to settle before it is read, milliseconds. */
const SETTLE_MS = 3_000

/** A server under measurement and the database that it writes to. */
interface Subject {
  readonly server: Child
  readonly url: string
  readonly tokens: readonly string[]
  /** CPU of the database so far in milliseconds; 0 where it runs inside the server. */
  databaseCpuMs(): Promise<number>
  /** Bytes of the database on disk. */
  databaseBytes(): Promise<number>
}

async function measureCosts(subject: Subject): Promise<Omit<Costs, 'streamBytes'>> {
  const { url, tokens } = subject
  const target = holdfastTarget(url, tokens)
  const pushes = (count: number): Call[] => {
    const notes = makeNotes(count * EDITS_PER_PUSH)
    return Array.from({ length: count }, (_, index) => target.push(notes.slice(index * EDITS_PER_PUSH, (index + 1) * EDITS_PER_PUSH), index % ACCOUNTS))
  }
  const polls = (count: number, cursor: string) => Array.from({ length: count }, () => target.pull(cursor, 500))
  await sendCalls(url, pushes(WARM_UP), 10)
  const push = await cpuOf(subject, pushes(PUSHES))
  const { cursor } = await drain(target)
  await sendCalls(url, polls(WARM_UP, cursor), 10)
  const poll = await cpuOf(subject, polls(POLLS, cursor))
  const { recordBytes, editBytes } = await measureBytes(subject)
  return { push, poll, recordBytes, editBytes }
}

async function cpuOf({ server, url, databaseCpuMs }: Subject, calls: readonly Call[]): Promise<CpuCost> {
  const before = [(await server.usage()).cpuMs, await databaseCpuMs()] as const
  await sendCalls(url, calls, 10)
  const after = [(await server.usage()).cpuMs, await databaseCpuMs()] as const
  return { serverMs: (after[0] - before[0]) / calls.length, databaseMs: (after[1] - before[1]) / calls.length }
}

/** Grows the database by records, then by edits of the same. An edit changes two of four fields, one of them a text of 160 characters. */
async function measureBytes({ url, tokens, databaseBytes }: Subject): Promise<Pick<Costs, 'recordBytes' | 'editBytes'>> {
  await using opened = openPool(url, 1)
  const notes = makeNotes(RECORDS)
  const versions = new Map<string, number>()
  const push = async (mutationOf: (note: IdentifiedNote) => object) => {
    for (let start = 0; start < RECORDS; start += SIZE_BATCH) {
      const mutations = notes.slice(start, start + SIZE_BATCH).map(mutationOf)
      const headers = { authorization: `Bearer ${tokens[(start / SIZE_BATCH) % ACCOUNTS]}` }
      const answer = Buffer.from(await send(opened.pool, { method: 'POST', path: '/api/v1/bench/push', headers, body: JSON.stringify({ mutations }) }))
      const { results } = JSON.parse(answer.toString('utf8')) as PushResponse
      for (const [index, { status, version = 0 }] of results.entries()) {
        if (status !== 'applied') throw new Error(`An edit was ${status}.`)
        versions.set(notes[start + index]?.id ?? '', version)
      }
    }
  }
  const empty = await databaseBytes()
  await push(({ id, ...data }) => ({ collection: 'notes', id, op: 'put', base: 0, data }))
  const filled = await databaseBytes()
  await push(({ id, body, rank }) => ({ collection: 'notes', id, op: 'patch', base: versions.get(id), data: { body: `${body.slice(0, -1)}!`, rank: rank + 1 } }))
  const edited = await databaseBytes()
  return { recordBytes: (filled - empty) / RECORDS, editBytes: (edited - filled) / RECORDS }
}

/** Resident memory that open streams add to a fresh server, a stream. What the kernel keeps for a socket comes on top. */
async function measureStreams({ server, url, tokens }: Pick<Subject, 'server' | 'url' | 'tokens'>): Promise<number> {
  const streams: ClientRequest[] = []
  const open = async (each: number) => {
    for (const token of tokens) streams.push(...(await Promise.all(Array.from({ length: each }, () => openStream(url, token)))))
    await delay(SETTLE_MS)
    return server.usage()
  }
  const before = await open(STREAMS_BEFORE)
  const after = await open(STREAMS_EACH)
  for (const stream of streams) stream.destroy()
  return (after.rss - before.rss) / (tokens.length * STREAMS_EACH)
}

async function openStream(url: string, token: string): Promise<ClientRequest> {
  const request = get(`${url}/api/v1/bench/events`, { agent: false, headers: { authorization: `Bearer ${token}` } })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`An event stream was answered with ${response.statusCode}.`)
  // The server ends them all when it is stopped.
  request.on('error', () => {})
  response.on('error', () => {}).resume()
  return request
}

async function startServer(location: string): Promise<AsyncDisposable & Pick<Subject, 'server' | 'url' | 'tokens'>> {
  const server = await startChild('./holdfast-server.ts', [location, String(ACCOUNTS), String(ACCOUNTS)], ['--expose-gc'])
  const { url, tokens } = await server.ask<{ url: string; tokens: string[] }>({ kind: 'address' })
  return { server, url, tokens, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

async function costsOfSqlite(): Promise<Costs> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-capacity-'))
  try {
    const streamBytes = await streamsOn(join(folder, 'streams'))
    const location = join(folder, 'server')
    await using running = await startServer(location)
    using database = new DatabaseSync(join(location, 'holdfast.db'), { readOnly: true })
    const number = (pragma: string) => Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0])
    const databaseBytes = async () => (number('page_count') - number('freelist_count')) * number('page_size')
    return { ...(await measureCosts({ ...running, databaseCpuMs: async () => 0, databaseBytes })), streamBytes }
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function costsOfPostgres(): Promise<Costs> {
  await using postgres = await startTestPostgres({ durable: true })
  const make = async () => (await makePostgresDatabase(postgres.url)).location
  const streamBytes = await streamsOn(await make())
  const location = await make()
  await using running = await startServer(location)
  const client = new pg.Client({ connectionString: location })
  await client.connect()
  const databaseBytes = async () => {
    // What old rows take up is used again: packed, the size is that of what is there.
    await client.query('VACUUM FULL')
    const { rows } = await client.query<{ bytes: string }>('SELECT pg_database_size(current_database()) AS bytes')
    return Number(rows[0]?.bytes)
  }
  try {
    return { ...(await measureCosts({ ...running, databaseCpuMs: () => cpuOfChild('postgres'), databaseBytes })), streamBytes }
  } finally {
    await client.end()
  }
}

async function streamsOn(location: string): Promise<number> {
  await using running = await startServer(location)
  return await measureStreams(running)
}

console.log(`Node ${process.version}, ${platform()} ${release()}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}\n`)
const costs = { sqlite: await costsOfSqlite(), postgres: await costsOfPostgres() }
const columns = [costs.sqlite, costs.postgres]
const cost = (name: string, of: (costs: Costs) => number) => [name, ...columns.map((one) => figure(of(one)))]
console.log(
  tableText([
    ['', 'SQLite', 'PostgreSQL'],
    cost(`push of ${EDITS_PER_PUSH} records, CPU ms of the server`, ({ push }) => push.serverMs),
    cost('… of the database', ({ push }) => push.databaseMs),
    cost('poll with nothing new, CPU ms of the server', ({ poll }) => poll.serverMs),
    cost('… of the database', ({ poll }) => poll.databaseMs),
    cost('open event stream, KiB', ({ streamBytes }) => streamBytes / 1_024),
    cost('record of 300 bytes with its first log entry, bytes', ({ recordBytes }) => recordBytes),
    cost('one more edit, bytes', ({ editBytes }) => editBytes),
    cost('a byte stored, bytes on disk', ({ recordBytes }) => recordBytes / 300),
  ]),
)
const plans = [1e3, 1e5, 1e7, 1e9].map((devices) => planFor(devices, costs))
console.log(
  `\n${tableText([
    ['devices', 'pushes/s', 'polls/s', 'streams', 'server cores', 'database cores', 'streams GB', 'log TB/year'],
    ...plans.map((plan) => [plan.devices, plan.pushesPerS, plan.pollsPerS, plan.streams, plan.serverCores, plan.databaseCores, plan.streamGb, plan.logTbAYear].map(figure)),
  ])}\n`,
)
for (const { devices, machines, breaksFirst } of plans) console.log(`${figure(devices)} devices: ${machines}. Breaks first: ${breaksFirst}.`)
