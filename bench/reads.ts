import { startChild, type Child } from './child.ts'
import { compare, type Work } from './compare.ts'
import { figure } from './figures.ts'
import { openPool, send } from './load.ts'
import { makeNotes } from './note.ts'
import type { Target } from './target.ts'
import type { Contender, World } from './world.ts'

const PAGE = 1_000

/** Puts the same number of records into each, so that reading starts alike. Gives ids of some of them. */
export async function fill({ target }: Contender, records: number): Promise<string[]> {
  await using opened = openPool(target.url, 1)
  const ids: string[] = []
  for (let start = 0; start < records; start += PAGE) {
    const notes = makeNotes(Math.min(PAGE, records - start))
    await send(opened.pool, target.push(notes, 0))
    ids.push(...notes.slice(0, 10).map(({ id }) => id))
  }
  return ids
}

/** A delta poll with nothing new, one record, and a page of 50, by ten devices. */
export async function readWorks(world: World, rounds: number, ids: ReadonlyMap<Target['name'], readonly string[]>, requests: number): Promise<string[][]> {
  const cursors = new Map<Target['name'], string>()
  for (const { target } of [world.holdfast, world.floor]) cursors.set(target.name, (await drain(target)).cursor)
  const works: Work[] = [
    {
      name: 'poll, nothing new',
      devices: 10,
      operations: requests,
      calls: (target) => repeat(requests, () => target.pull(cursors.get(target.name), 500)),
      raw: { kind: 'poll', count: requests, batch: 500 },
    },
    {
      name: 'get',
      devices: 10,
      operations: requests,
      calls: (target) => repeat(requests, (index) => target.get(ids.get(target.name)?.[index % (ids.get(target.name)?.length ?? 1)] ?? '')),
      raw: { kind: 'get', count: requests, batch: 1 },
    },
    { name: 'list of 50', devices: 10, operations: requests, calls: (target) => repeat(requests, () => target.list(50)), raw: { kind: 'list', count: requests, batch: 50 } },
  ]
  const rows: string[][] = []
  for (const work of works) rows.push(await compare(world, work, rounds))
  return rows
}

/** A first pull of everything in pages of 1,000, and as a snapshot stream: records a second and the server's memory. */
export async function firstPull(world: World, rounds: number): Promise<string[][]> {
  const rows: string[][] = [['', 'records', 'records/s', 'MB/s', 'CPU ms/1k', 'RSS MB']]
  await using reader = await startChild('snapshot-reader.ts', [])
  for (let round = 0; round < rounds; round += 1) {
    for (const { target, child } of [world.holdfast, world.floor]) rows.push(await timed(`pull ${target.name}`, child, () => drain(target)))
    rows.push(await timed('snapshot holdfast', world.holdfast.child, () => drainSnapshot(reader, world.holdfast.target)))
    const { ms } = await world.raw.ask<{ ms: number }>({ kind: 'scan', batch: PAGE })
    rows.push(['raw scan', '', `${figure(ms)} ms`, '', '', ''])
  }
  return rows
}

interface Drained {
  readonly records: number
  readonly bytes: number
  readonly cursor: string
}

async function timed(name: string, child: Contender['child'], work: () => Promise<Pick<Drained, 'records' | 'bytes'>>): Promise<string[]> {
  const before = await child.usage()
  const started = performance.now()
  const { records, bytes } = await work()
  const ms = performance.now() - started
  const after = await child.usage()
  return [name, figure(records), figure((records / ms) * 1_000), figure(bytes / 1_048.576 / ms), figure(((after.cpuMs - before.cpuMs) / records) * 1_000), figure(after.rss / 1_048_576)]
}

/** Pulls from the start until nothing is left. The pages are parsed only for their cursor: a device does more, but not on the server. */
export async function drain(target: Target): Promise<Drained> {
  await using opened = openPool(target.url, 1)
  let [records, bytes, cursor] = [0, 0, undefined as string | undefined]
  for (;;) {
    const page = Buffer.from(await send(opened.pool, target.pull(cursor, PAGE)))
    const parsed = JSON.parse(page.toString('utf8')) as { changes: unknown[]; cursor: string | number; more?: boolean }
    records += parsed.changes.length
    bytes += page.byteLength
    if (parsed.changes.length > 0 || parsed.more !== undefined) cursor = String(parsed.cursor)
    if (parsed.more === false || parsed.changes.length === 0) return { records, bytes, cursor: cursor ?? '' }
  }
}

interface ReadSnapshot {
  readonly records: number
  readonly bytes: number
  readonly ms: number
}

/** Reads a whole snapshot in a process of its own, counting lines as they come. */
async function drainSnapshot(reader: Child, target: Target): Promise<ReadSnapshot> {
  return reader.ask<ReadSnapshot>({ kind: 'read', url: target.url, headers: target.pull(undefined, 1).headers })
}

/** Delta polls by themselves, then while a snapshot of everything streams: a big read must not hold up small ones. */
export async function pollsBesideSnapshot(world: World, requests: number): Promise<{ readonly idle: readonly number[]; readonly beside: readonly number[]; readonly snapshotMs: number }> {
  const { target } = world.holdfast
  const { cursor } = await drain(target)
  const polls = async () => {
    await using opened = openPool(target.url, 1)
    const latencies: number[] = []
    for (let index = 0; index < requests; index += 1) {
      const started = performance.now()
      await send(opened.pool, target.pull(cursor, 500))
      latencies.push(performance.now() - started)
    }
    return latencies
  }
  const idle = await polls()
  let streaming = true
  await using reader = await startChild('snapshot-reader.ts', [])
  const snapshot = drainSnapshot(reader, target).then(({ ms }) => {
    streaming = false
    return ms
  })
  const beside: number[] = []
  await using opened = openPool(target.url, 1)
  while (streaming) {
    const asked = performance.now()
    await send(opened.pool, target.pull(cursor, 500))
    beside.push(performance.now() - asked)
  }
  return { idle, beside, snapshotMs: await snapshot }
}

function repeat<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}
