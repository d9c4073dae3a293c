import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordSchema } from '../protocol/push.ts'
import { diaryApp } from '../testing/diary-app.ts'
import { openTestSpace, type TestMutation, type TestSpace } from '../testing/open-test-space.ts'
import { decodeCursor, encodeCursor } from '../engine/cursor.ts'
import { scanTexts } from './scan-lines.ts'

const note = (id: string, data: object = {}): TestMutation => ({ collection: 'notes', id, data: { title: id, ...data } })
const mark = (id: string): TestMutation => ({ collection: 'marks', id, data: { colour: 'red' } })
const ids = (changes: readonly { id: string }[]) => changes.map(({ id }) => id)

async function fill(world: TestSpace, count: number): Promise<void> {
  await world.push(Array.from({ length: count }, (_, index) => (index % 3 === 0 ? mark(`m${index}`) : note(`n${index}`))))
}

const isProblem = (code: string, reason?: string) => (error: unknown) => {
  assert.ok(error instanceof Error && 'code' in error && 'options' in error, String(error))
  const { extra } = error.options as { extra?: { reason?: string } }
  assert.deepEqual([error.code, extra?.reason], [code, reason])
  return true
}

test('PULL-1 Records of all collections come in the order of their versions, pages filled exactly, each once', async () => {
  await using world = await openTestSpace(diaryApp)
  await fill(world, 25)
  const seen: { id: string; version: number }[] = []
  let cursor: string | undefined
  for (const size of [10, 10, 5]) {
    const page = await world.pull({ ...(cursor === undefined ? {} : { cursor }), limit: 10 })
    assert.equal(page.changes.length, size)
    assert.equal(page.more, size === 10)
    seen.push(...page.changes)
    cursor = page.cursor
  }
  assert.deepEqual(
    ids(seen),
    Array.from({ length: 25 }, (_, index) => (index % 3 === 0 ? `m${index}` : `n${index}`)),
  )
  assert.deepEqual(
    seen.map(({ version }) => version),
    seen.map(({ version }) => version).toSorted((one, other) => one - other),
  )
})

test('PULL-1 A page that ends exactly at the last record is a checkpoint', async () => {
  await using world = await openTestSpace(diaryApp)
  await fill(world, 10)
  const page = await world.pull({ limit: 10 })
  assert.deepEqual([page.changes.length, page.more], [10, false])
})

test('PULL-2 A record comes in the shape of the protocol with every kind of value unchanged', async () => {
  await using world = await openTestSpace(diaryApp)
  const data = {
    title: "Quotes \" \\ and \u0001 control, \u2028 and 😀, 'single'",
    body: null,
    tags: ['b', 'a'],
    visits: 2 ** 53 - 1,
    best: -(2 ** 53 - 1),
    first: 0,
    score: 0.1 + 0.2,
    favorite: true,
    place: { name: 'Ägypten', at: [1.5, -0.000001, 1e21], z: { deep: [null, false] }, a: 1 } as never,
    checkedAt: null,
  }
  await world.push([{ collection: 'notes', id: 'n', data: { ...data, place: { name: 'Ägypten', at: [1.5, -0.000001, 1e21] } } }])
  const { changes, epoch } = await world.pull()
  assert.equal(epoch, world.epoch)
  const [change] = changes
  assert.deepEqual(recordSchema.parse(change), change)
  const { version, ...rest } = change ?? { version: 0 }
  assert.ok(version >= world.chance.now())
  assert.deepEqual(rest, {
    collection: 'notes',
    id: 'n',
    deleted: false,
    data: { ...data, place: { name: 'Ägypten', at: [1.5, -0.000001, 1e21] } },
    createdAt: world.chance.now(),
    updatedAt: world.chance.now(),
    author: 'user:ada',
    device: 'phone',
  })
})

test('PULL-2 A real number comes back bit for bit', async () => {
  await using world = await openTestSpace(diaryApp)
  const scores = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -123456789.12345679, 4.35, 100, 1e15, 123456789012345680]
  await world.push(scores.map((score, index) => note(`n${index}`, { score })))
  const { changes } = await world.pull()
  assert.deepEqual(
    changes.map(({ data }) => data?.['score']),
    scores,
  )
})

test('PULL-3 Tombstones stand in the same stream without data; a first pull leaves out those it began behind', async () => {
  await using world = await openTestSpace(diaryApp)
  await world.push([note('a'), note('b'), mark('c')])
  const { cursor } = await world.pull()
  await world.push([{ collection: 'notes', id: 'a', op: 'delete', base: Number.MAX_SAFE_INTEGER }])
  const [a] = (await world.pull()).changes
  await world.push([{ collection: 'notes', id: 'a', op: 'delete', base: a?.version ?? 0 }, note('d')])
  const delta = await world.pull({ cursor })
  assert.deepEqual(
    delta.changes.map(({ id, deleted, data }) => [id, deleted, data === null]),
    [
      ['a', true, true],
      ['d', false, false],
    ],
  )
  assert.deepEqual(ids((await world.pull()).changes), ['b', 'c', 'd'])
})

test('PULL-3 What is deleted in the middle of a first pull comes as a tombstone, older tombstones do not', async () => {
  await using world = await openTestSpace(diaryApp)
  const { outcomes } = await world.push([note('a'), note('b'), note('c')])
  const base = outcomes[1]?.record?.version ?? 0
  await world.push([{ collection: 'notes', id: 'b', op: 'delete', base }])
  const first = await world.pull({ limit: 1 })
  assert.deepEqual([ids(first.changes), first.more], [['a'], true])
  await world.push([{ collection: 'notes', id: 'a', op: 'delete', base: outcomes[0]?.record?.version ?? 0 }])
  const rest = await world.pull({ cursor: first.cursor })
  assert.deepEqual(
    rest.changes.map(({ id, deleted }) => [id, deleted]),
    [
      ['c', false],
      ['a', true],
    ],
  )
})

test('PULL-4 A checkpoint stands at the version of the space, events included, and nothing new costs no scan', async () => {
  await using world = await openTestSpace(diaryApp)
  await world.push([note('a')])
  const event = { action: 'keys.create', entity: 'keys', entityId: 'k', detail: { name: 'tablet' } }
  const { version } = await world.push([], { events: [event] })
  const page = await world.pull()
  assert.equal(decodeCursor(page.cursor)?.version, version)
  let statements = 0
  const again = await world.database.read(async (reader) => {
    const { pull } = await import('./pull.ts')
    const counting = { ...reader, all: <Row>(sql: string, values?: readonly (string | number | null)[]) => ((statements += 1), reader.all<Row>(sql, values)) }
    return JSON.parse((await pull(counting, { app: world.app, space: world.space, epoch: world.epoch, cursor: page.cursor, limit: 500, collections: undefined })).toString())
  })
  assert.deepEqual([again.changes, again.more, again.cursor], [[], false, page.cursor])
  assert.equal(statements, 1)
})

test('PULL-5 Only the asked collections come, and their cursor is good for them alone', async () => {
  await using world = await openTestSpace(diaryApp)
  await fill(world, 6)
  const page = await world.pull({ collections: ['marks'] })
  assert.deepEqual(ids(page.changes), ['m0', 'm3'])
  assert.deepEqual(ids((await world.pull({ cursor: page.cursor, collections: ['marks'] })).changes), [])
  await assert.rejects(world.pull({ cursor: page.cursor }), isProblem('resync_required', 'schema'))
  await assert.rejects(world.pull({ cursor: page.cursor, collections: ['notes'] }), isProblem('resync_required', 'schema'))
  assert.deepEqual((await world.pull({ collections: ['marks', 'notes'] })).cursor, (await world.pull({ collections: ['notes', 'marks'] })).cursor)
})

test('CUR-2 A cursor that is junk, damaged or of another space is refused as invalid', async () => {
  await using world = await openTestSpace(diaryApp)
  await fill(world, 3)
  const { cursor } = await world.pull()
  const other = await world.addSpace('bea')
  await assert.rejects(world.pull({ cursor, space: other }), isProblem('cursor.invalid'))
  for (const junk of ['', 'x', '*', cursor.slice(0, -8), `${cursor}AAAA`, btoa('2.a.1.1.-.*.0'), 'A'.repeat(10_000), '%00', '🙂', `${cursor}\n`]) {
    await assert.rejects(world.pull({ cursor: junk }), isProblem('cursor.invalid'), junk)
  }
})

test('CUR-3 A cursor of another epoch, of a log that differs, or ahead of the space asks for a resync', async () => {
  await using world = await openTestSpace(diaryApp)
  await fill(world, 9)
  const { cursor: text } = await world.pull({ limit: 5 })
  const cursor = decodeCursor(text)
  assert.ok(cursor)
  await assert.rejects(world.pull({ cursor: encodeCursor({ ...cursor, epoch: 'another' }) }), isProblem('resync_required', 'epoch'))
  await assert.rejects(world.pull({ cursor: encodeCursor({ ...cursor, chain: 'aaaaaaaaaaaa' }) }), isProblem('resync_required', 'diverged'))
  await assert.rejects(world.pull({ cursor: encodeCursor({ ...cursor, chain: '' }) }), isProblem('resync_required', 'diverged'))
  await assert.rejects(world.pull({ cursor: encodeCursor({ ...cursor, version: cursor.version + 100 }) }), isProblem('resync_required', 'diverged'))
  await assert.rejects(world.pull({ cursor: encodeCursor({ ...cursor, collections: 'gone,notes' }), collections: ['notes'] }), isProblem('resync_required', 'schema'))
  // Who knows of the restore goes on where the log up to there is the same, with a cursor of this epoch.
  const old = { ...cursor, epoch: 'another' }
  const page = await world.pull({ cursor: encodeCursor(old), rewound: true })
  assert.deepEqual(ids(page.changes), ids((await world.pull({ cursor: text })).changes))
  assert.equal(decodeCursor(page.cursor)?.epoch, world.epoch)
  await assert.rejects(world.pull({ cursor: encodeCursor({ ...old, chain: 'aaaaaaaaaaaa' }), rewound: true }), isProblem('resync_required', 'diverged'))
  await assert.rejects(world.pull({ cursor: encodeCursor({ ...old, version: cursor.version + 100 }), rewound: true }), isProblem('resync_required', 'diverged'))
})

test('CUR-5 A reader who shows what its last push was answered learns that the log was put back, though its cursor is older', async () => {
  await using world = await openTestSpace(diaryApp)
  await fill(world, 3)
  const { cursor } = await world.pull()
  const { epoch, version, chain } = await world.push([note('late')])
  const told = { epoch, space: world.space, version, chain, collections: '*', began: 0 }
  const ask = (changed: object) => world.pull({ cursor, proof: encodeCursor({ ...told, ...changed }) })
  assert.deepEqual(ids((await ask({})).changes), ['late'])
  await assert.rejects(ask({ chain: 'aaaaaaaaaaaa' }), isProblem('resync_required', 'diverged'))
  await assert.rejects(ask({ version: version + 1 }), isProblem('resync_required', 'diverged'))
  await assert.rejects(ask({ epoch: 'another' }), isProblem('resync_required', 'epoch'))
  await assert.rejects(ask({ space: world.space + 1 }), isProblem('cursor.invalid'))
  await world.push([note('later')], { proof: encodeCursor(told) })
  assert.deepEqual(ids((await ask({})).changes), ['late', 'later'])
  await assert.rejects(world.push([note('lost')], { proof: encodeCursor({ ...told, chain: 'aaaaaaaaaaaa' }) }), isProblem('resync_required', 'diverged'))
  assert.deepEqual(ids((await ask({})).changes), ['late', 'later'])
})

test('CUR-4 A cursor older than the horizon of one of its collections asks for a resync; a quiet collection stays good', async () => {
  await using world = await openTestSpace(diaryApp)
  await fill(world, 6)
  const marks = (await world.pull({ collections: ['marks'] })).cursor
  const notes = (await world.pull({ collections: ['notes'] })).cursor
  const both = (await world.pull()).cursor
  const { version } = await world.push([note('late')])
  await raiseHorizon(world, 'notes', version)
  await assert.rejects(world.pull({ cursor: notes, collections: ['notes'] }), isProblem('resync_required', 'horizon'))
  await assert.rejects(world.pull({ cursor: both }), isProblem('resync_required', 'horizon'))
  assert.deepEqual((await world.pull({ cursor: marks, collections: ['marks'] })).changes, [])
})

test('CUR-4 A first pull in pages goes on although its records are older than the horizon', async () => {
  await using world = await openTestSpace(diaryApp)
  const { version } = await world.push([note('a'), note('b'), note('c')])
  await raiseHorizon(world, 'notes', version)
  const first = await world.pull({ limit: 1 })
  assert.deepEqual(ids((await world.pull({ cursor: first.cursor })).changes), ['b', 'c'])
  await raiseHorizon(world, 'notes', (await world.push([note('d')])).version)
  await assert.rejects(world.pull({ cursor: first.cursor }), isProblem('resync_required', 'horizon'))
})

test('PULL-6 A page is bounded in bytes, holds at least one record, and does not read what it will not give', async () => {
  await using world = await openTestSpace(diaryApp)
  const large = 'x'.repeat(1_000_000)
  for (let index = 0; index < 12; index += 1) await world.push([note(`n${String(index).padStart(2, '0')}`, { body: large }), mark(`m${index}`)])
  const first = await world.pull()
  assert.equal(first.more, true)
  assert.ok(JSON.stringify(first).length < 9_000_000)
  assert.ok(first.changes.length >= 8)
  const rest = await world.pull({ cursor: first.cursor })
  assert.deepEqual([first.changes.length + rest.changes.length, rest.more], [24, false])
  assert.equal(rest.changes.at(-2)?.data?.['body'], large)
})

test('PULL-7 The scan merges the version indexes of its collections instead of sorting them', async (context) => {
  await using world = await openTestSpace(diaryApp)
  if (world.database.dialect.name !== 'sqlite') return context.skip("The plan is SQLite's.")
  const collections = [...diaryApp.collections.values()].slice(0, 3)
  const texts = scanTexts(world.database.dialect, collections)
  for (const [text, values] of [
    [texts.extent, [1, 1, 1, 1, 1]],
    [texts.json, [1, 1, 1, 1, 1, ',']],
  ] as const) {
    const plan = await world.database.read((reader) => reader.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${text}`, values))
    const details = plan.map(({ detail }) => detail)
    assert.ok(
      details.some((detail) => detail.includes('MERGE (UNION ALL)')),
      details.join('\n'),
    )
    assert.ok(!details.some((detail) => detail.includes('TEMP B-TREE') || (detail.startsWith('SCAN ') && detail !== 'SCAN page')), details.join('\n'))
  }
  return undefined
})

async function raiseHorizon(world: TestSpace, collection: string, version: number): Promise<void> {
  await world.database.write((tx) =>
    tx.insertMany({ table: 'holdfast_horizons', columns: ['space', 'collection', 'version'], rows: [[world.space, collection, version]], replaceBy: ['space', 'collection'] }),
  )
}
