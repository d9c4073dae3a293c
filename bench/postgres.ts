import { makePostgresDatabase } from '../src/testing/make-postgres-database.ts'
import { startTestPostgres } from '../src/testing/test-postgres.ts'
import { startChild, type Child } from './child.ts'
import { openFarPostgres } from './far-postgres.ts'
import { figure, median, percentile, tableText } from './figures.ts'
import { openPool, send, sendCalls } from './load.ts'
import { makeNotes } from './note.ts'
import { drain, fill } from './reads.ts'
import { holdfastTarget, type Target } from './target.ts'
import { measure, type Contender, type Measured } from './world.ts'

/** Devices of one scenario, and spaces when each has its own. */
const DEVICES_MAX = 50
/** Connections of the raw contender: as many as the server opens. */
const CONNECTIONS = 10

export interface PostgresBench {
  readonly rounds: number
  readonly scale: number
  /** Records of the first pull. */
  readonly records: number
}

interface Contest {
  readonly name: string
  /** Answers how long the raw database took, in milliseconds. */
  raw(): Promise<number>
  holdfast(): Promise<Measured>
  readonly operations: number
}

const head = ['', 'holdfast/s', 'raw/s', '×raw', 'p50 ms', 'p95', 'p99', 'CPU ms/1k', 'RSS MB']

/** The server on a PostgreSQL that waits for its disk, beside a table filled through the driver: writes to one space and to many, pulls and polls. */
export async function benchPostgres({ rounds, scale, records }: PostgresBench): Promise<string> {
  await using postgres = await startTestPostgres({ durable: true })
  const location = async () => (await makePostgresDatabase(postgres.url)).location
  await using raw = await startChild('./raw-postgres-worker.ts', [await location(), String(CONNECTIONS)])
  await using oneSpace = await openContender(await location(), 1)
  await using manySpaces = await openContender(await location(), DEVICES_MAX)
  const writes: Contest[] = [
    ...[1, 2, 10, 50].flatMap((devices) => [
      pushes(oneSpace, raw, { where: 'one space', devices, batch: 1, records: 2_000 * scale }),
      ...(devices === 1 ? [] : [pushes(manySpaces, raw, { where: 'a space each', devices, batch: 1, records: 2_000 * scale })]),
    ]),
    ...[50, 1_000].flatMap((batch) =>
      [oneSpace, manySpaces].map((contender) => pushes(contender, raw, { where: contender === oneSpace ? 'one space' : 'a space each', devices: 10, batch, records: 20_000 * scale })),
    ),
  ]
  const rows = [head]
  for (const contest of writes) rows.push(await compete(contest, rounds))
  const hot = await besideHotSpace(manySpaces, 400 * scale)
  const far = await farAway(location, 300 * scale)
  await using filled = await openContender(await location(), 1)
  await using rawFilled = await startChild('./raw-postgres-worker.ts', [await location(), String(CONNECTIONS)])
  await fill(filled, records)
  await rawFilled.ask({ kind: 'insert', count: records, batch: 1_000 })
  for (const contest of await reads(filled, rawFilled, { records, polls: 4_000 * scale })) rows.push(await compete(contest, rounds))
  return [tableText(rows), `One device that pushes to a space of its own\n${tableText(hot)}`, `Four devices a space push one record each, PostgreSQL ${FAR_MS} ms away\n${tableText(far)}`].join('\n\n')
}

interface SpacesContender extends Contender {
  readonly url: string
  readonly tokens: readonly string[]
}

async function openContender(location: string, spaces: number): Promise<SpacesContender & AsyncDisposable> {
  const child = await startChild('./holdfast-server.ts', [location, String(DEVICES_MAX), String(spaces)])
  const { url, tokens } = await child.ask<{ url: string; tokens: string[] }>({ kind: 'address' })
  return { url, tokens, target: holdfastTarget(url, tokens), child, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() }
}

interface Pushes {
  readonly where: string
  readonly devices: number
  readonly batch: number
  readonly records: number
}

function pushes(contender: Contender, raw: Child, { where, devices, batch, records }: Pushes): Contest {
  const count = Math.max(batch * devices, Math.ceil(records / batch) * batch)
  return {
    name: `push ${devices} × ${batch}, ${where}`,
    operations: count,
    raw: async () => (await raw.ask<{ ms: number }>({ kind: 'insert', count, batch, writers: Math.min(devices, CONNECTIONS) })).ms,
    holdfast: () => {
      const notes = makeNotes(count)
      const calls = Array.from({ length: count / batch }, (_, index) => contender.target.push(notes.slice(index * batch, (index + 1) * batch), index % devices))
      return measure(contender, calls, devices)
    },
  }
}

/** Devices that all push to one space, as fast as they are answered. */
const HOT_DEVICES = 40

/** How soon a device is answered by itself, while as many others push to as many spaces, and while all of them push to one. */
async function besideHotSpace({ url, tokens, target }: SpacesContender, pushed: number): Promise<string[][]> {
  const quiet = async () => {
    const calls = makeNotes(pushed).map((note) => target.push([note], DEVICES_MAX - 1))
    const { latenciesMs } = await sendCalls(url, calls, 1)
    return [50, 95, 99].map((percent) => figure(percentile(latenciesMs, percent)))
  }
  const beside = async (other: Target, first: number) => {
    let isOver = false
    const pushers = Array.from({ length: HOT_DEVICES }, async (_, device) => {
      await using opened = openPool(url, 1)
      while (!isOver) await send(opened.pool, other.push(makeNotes(1), first + device))
    })
    const seen = await quiet()
    isOver = true
    await Promise.all(pushers)
    return seen
  }
  // Devices that have not pushed before, under numbers of their own.
  const oneSpace = holdfastTarget(
    url,
    Array.from({ length: DEVICES_MAX + HOT_DEVICES }, () => tokens[0] ?? ''),
  )
  return [
    ['', 'p50 ms', 'p95', 'p99'],
    ['alone', ...(await quiet())],
    [`beside ${HOT_DEVICES} in a space each`, ...(await beside(target, 0))],
    [`beside ${HOT_DEVICES} in one other space`, ...(await beside(oneSpace, DEVICES_MAX))],
  ]
}

/** Milliseconds from a server to its PostgreSQL, and as many back: what a commit waits for is not the processor then. */
const FAR_MS = 5

/** How the rates of spaces add up, where a commit is a wait and the lock of the space is held meanwhile. */
async function farAway(location: () => Promise<string>, pushed: number): Promise<string[][]> {
  const rows = [['spaces', 'pushes/s', '×one space', 'p50 ms', 'p95', 'p99']]
  let one: number | undefined
  for (const spaces of [1, 2, 4, 8]) {
    await using far = await openFarPostgres(await location(), FAR_MS)
    await using contender = await openContender(far.location, spaces)
    const warm = makeNotes(spaces * 8).map((note, index) => contender.target.push([note], index % (spaces * 4)))
    await sendCalls(contender.url, warm, spaces * 4)
    const calls = makeNotes(pushed * spaces).map((note, index) => contender.target.push([note], index % (spaces * 4)))
    const { ms, latenciesMs } = await sendCalls(contender.url, calls, spaces * 4)
    const rate = (calls.length / ms) * 1_000
    one ??= rate
    rows.push([figure(spaces), figure(rate), figure(rate / one), ...[50, 95, 99].map((percent) => figure(percentile(latenciesMs, percent)))])
  }
  return rows
}

async function reads(contender: Contender, raw: Child, { records, polls }: { readonly records: number; readonly polls: number }): Promise<Contest[]> {
  const { target, child } = contender
  const { cursor } = await drain(target)
  const timeRaw = async (question: object) => (await raw.ask<{ ms: number }>(question)).ms
  return [
    {
      name: `first pull of ${figure(records)}`,
      operations: records,
      raw: () => timeRaw({ kind: 'scan', batch: 1_000 }),
      holdfast: async () => {
        const before = await child.usage()
        const started = performance.now()
        await drain(target)
        const ms = performance.now() - started
        const after = await child.usage()
        return { load: { ms, latenciesMs: [], bytes: 0 }, cpuMs: after.cpuMs - before.cpuMs, rss: after.rss }
      },
    },
    ...[1, 10].map((devices) => ({
      name: `poll ${devices} ×, nothing new`,
      operations: polls,
      raw: () => timeRaw({ kind: 'poll', count: polls, batch: 500, writers: devices }),
      holdfast: () =>
        measure(
          contender,
          Array.from({ length: polls }, () => target.pull(cursor, 500)),
          devices,
        ),
    })),
  ]
}

/** Both in turn, so that a machine whose speed drifts treats them alike. */
async function compete({ name, operations, raw, holdfast }: Contest, rounds: number): Promise<string[]> {
  const seen: { readonly measured: Measured; readonly rawMs: number }[] = []
  for (let round = 0; round < rounds; round += 1) seen.push({ measured: await holdfast(), rawMs: await raw() })
  const rate = (ms: number) => (operations / ms) * 1_000
  const middle = (value: (round: (typeof seen)[number]) => number) => figure(median(seen.map(value)))
  const latencies = seen.flatMap(({ measured }) => measured.load.latenciesMs)
  return [
    name,
    middle(({ measured }) => rate(measured.load.ms)),
    middle(({ rawMs }) => rate(rawMs)),
    middle(({ measured, rawMs }) => rawMs / measured.load.ms),
    ...[50, 95, 99].map((percent) => figure(percentile(latencies, percent))),
    middle(({ measured }) => (measured.cpuMs / operations) * 1_000),
    middle(({ measured }) => measured.rss / 1_048_576),
  ]
}
