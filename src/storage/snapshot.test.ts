import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WireRecord } from '../protocol/push.ts'
import { diaryApp } from '../testing/diary-app.ts'
import { openTestSpace, type TestMutation, type TestSpace } from '../testing/open-test-space.ts'
import { snapshot, type SnapshotRequest } from './snapshot.ts'

const note = (id: string, data: object = {}): TestMutation => ({ collection: 'notes', id, data: { title: id, ...data } })

function open(world: TestSpace, request: Partial<SnapshotRequest> = {}): AsyncGenerator<Buffer> {
  return snapshot(world.database, { app: world.app, space: world.space, epoch: world.epoch, collections: undefined, after: 0, ...request })
}

interface Read {
  readonly head: { readonly epoch: string; readonly version: number; readonly count: number }
  readonly records: readonly WireRecord[]
  readonly cursor: string
}

async function readAll(chunks: AsyncIterable<Buffer>): Promise<Read> {
  let text = ''
  for await (const chunk of chunks) text += chunk.toString()
  assert.ok(text.endsWith('\n'))
  const lines = text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line))
  return { head: lines[0].snapshot, records: lines.slice(1, -1), cursor: lines.at(-1).cursor }
}

async function versionOf(world: TestSpace, id: string): Promise<number> {
  const found = (await world.pull()).changes.find((change) => change.id === id)
  return found?.version ?? 0
}

test('SNAP-1 A snapshot is a head line, every live record by version as pull shows it, and a cursor that goes on behind it', async () => {
  await using world = await openTestSpace(diaryApp)
  await world.push(Array.from({ length: 30 }, (_, index) => (index % 2 === 0 ? note(`n${index}`) : { collection: 'marks', id: `m${index}`, data: { colour: 'red' } })))
  await world.push([{ collection: 'notes', id: 'n4', op: 'delete', base: await versionOf(world, 'n4') }])
  const pulled = await world.pull()
  const { head, records, cursor } = await readAll(open(world))
  assert.deepEqual(head, { epoch: world.epoch, version: (await world.push([])).version, count: 29 })
  assert.deepEqual(records, pulled.changes)
  assert.equal(cursor, pulled.cursor)
  assert.deepEqual((await world.pull({ cursor })).changes, [])
})

test('SNAP-1 A snapshot of an empty space and of one collection', async () => {
  await using world = await openTestSpace(diaryApp)
  assert.deepEqual(await readAll(open(world)), { head: { epoch: world.epoch, version: 0, count: 0 }, records: [], cursor: (await world.pull()).cursor })
  await world.push([note('a'), { collection: 'marks', id: 'b', data: { colour: 'red' } }])
  const { records, cursor } = await readAll(open(world, { collections: ['marks'] }))
  assert.deepEqual(
    records.map(({ id }) => id),
    ['b'],
  )
  assert.deepEqual((await world.pull({ cursor, collections: ['marks'] })).changes, [])
})

test('SNAP-2 What is written while a snapshot streams is in it or comes with the pull from its cursor', async () => {
  await using world = await openTestSpace(diaryApp)
  const count = 4_500
  for (let start = 0; start < count; start += 1_500) await world.push(Array.from({ length: 1_500 }, (_, index) => note(`n${start + index}`)))
  const all = new Map<string, WireRecord>()
  const read = open(world)
  let text = String((await read.next()).value)
  let step = 0
  for await (const chunk of read) {
    text += chunk.toString()
    step += 1
    // A record that was given, one that was not yet, one more of each deleted, and a new one.
    const first = step === 1 ? 0 : 2_100
    for (const [index, op] of [
      [first, 'put'],
      [count - step, 'put'],
      [first + 5, 'delete'],
      [count - step - 10, 'delete'],
    ] as const) {
      const id = `n${index}`
      const [record] = await world.database.read((reader) => reader.all<{ version: number }>('SELECT version FROM diary_notes WHERE space = ? AND id = ?', [world.space, id]))
      await world.push([{ ...note(id, { body: `changed ${step}` }), op, base: record?.version ?? 0, ...(op === 'delete' ? { data: undefined } : {}) } as TestMutation])
    }
    await world.push([note(`new${step}`)])
  }
  assert.ok(step >= 3)
  const { records, cursor } = await readAll(
    (async function* () {
      yield Buffer.from(text)
    })(),
  )
  for (const record of records) all.set(record.id, record)
  for (let at = cursor; ;) {
    const page = await world.pull({ cursor: at })
    for (const change of page.changes) {
      if (change.deleted) all.delete(change.id)
      else all.set(change.id, change)
    }
    at = page.cursor
    if (!page.more) break
  }
  const now = await readAll(open(world))
  assert.deepEqual(
    [...all.values()].toSorted((one, other) => one.version - other.version),
    now.records,
  )
  assert.equal(now.head.count, now.records.length)
})

test('SNAP-3 A snapshot that broke goes on with after, and names what was deleted since', async () => {
  await using world = await openTestSpace(diaryApp)
  await world.push(Array.from({ length: 10 }, (_, index) => note(`n${index}`)))
  const full = await readAll(open(world))
  const received = full.records.slice(0, 4)
  const after = received.at(-1)?.version ?? 0
  await world.push([
    { collection: 'notes', id: 'n1', op: 'delete', base: received[1]?.version ?? 0 },
    { ...note('n2', { body: 'later' }), base: received[2]?.version ?? 0 },
  ])
  const rest = await readAll(open(world, { after, began: full.head.version }))
  assert.deepEqual(
    rest.records.map(({ id, deleted }) => [id, deleted]),
    [
      ['n4', false],
      ['n5', false],
      ['n6', false],
      ['n7', false],
      ['n8', false],
      ['n9', false],
      ['n1', true],
      ['n2', false],
    ],
  )
  assert.equal(rest.head.count, 7)
  assert.deepEqual((await world.pull({ cursor: rest.cursor })).changes, [])
})

test('SNAP-3 A snapshot cannot go on when what was deleted since is no longer known, nor on another timeline', async () => {
  await using world = await openTestSpace(diaryApp)
  const { version, outcomes } = await world.push([note('a'), note('b')])
  const after = outcomes[0]?.record?.version ?? 0
  const reason = (wanted: string) => (error: unknown) => error instanceof Error && 'options' in error && (error.options as { extra: { reason: string } }).extra.reason === wanted
  await assert.rejects(readAll(open(world, { after: version + 1_000 })), reason('diverged'))
  const horizon = (value: number) =>
    world.database.write((tx) => tx.insertMany({ table: 'holdfast_horizons', columns: ['space', 'collection', 'version'], rows: [[world.space, 'notes', value]], replaceBy: ['space', 'collection'] }))
  // An old horizon: the broken snapshot began behind it.
  await horizon(version)
  assert.equal((await readAll(open(world, { after, began: version }))).records.length, 1)
  await assert.rejects(readAll(open(world, { after })), reason('horizon'))
  await horizon((await world.push([note('c')])).version)
  await assert.rejects(readAll(open(world, { after, began: version })), reason('horizon'))
})

test('SNAP-4 A snapshot holds no read open while its reader waits: it goes on after all connections were used otherwise', async () => {
  await using world = await openTestSpace(diaryApp)
  for (let start = 0; start < 6_000; start += 1_000) await world.push(Array.from({ length: 1_000 }, (_, index) => note(`n${start + index}`)))
  const streams = Array.from({ length: 12 }, () => open(world))
  for (const stream of streams) {
    await stream.next()
    await stream.next()
  }
  assert.equal((await world.pull({ limit: 3 })).changes.length, 3)
  await world.push([note('more')])
  await Promise.all(streams.map(async (stream) => stream.return(undefined)))
})

test('SNAP-4 Large records stream a few at a time', async () => {
  await using world = await openTestSpace(diaryApp)
  for (let index = 0; index < 10; index += 1) await world.push([note(`n${index}`, { body: 'x'.repeat(1_000_000) })])
  const sizes: number[] = []
  for await (const chunk of open(world)) sizes.push(chunk.length)
  assert.ok(Math.max(...sizes) < 5_000_000)
  assert.ok(sizes.length >= 5)
})
