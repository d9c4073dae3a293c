import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '../protocol/problem.ts'
import { diaryApp } from '../testing/diary-app.ts'
import { openTestSpace, type TestSpace } from '../testing/open-test-space.ts'
import { forgetHistory } from './forget-history.ts'
import { markRestored } from './mark-restored.ts'
import { recordHistory } from './record-history.ts'
import { isLostVersion } from './restored-gap.ts'
import { snapshot } from './snapshot.ts'
import { verifyChain } from './verify-chain.ts'

const DAY_MS = 86_400_000
const system = { type: 'system', id: 'test', name: 'test' } as const

const note = (id: string, title = id) => ({ collection: 'notes', id, data: { title } })
const forget = (world: TestSpace, days: number) => forgetHistory(world.database, { app: 'diary', before: world.chance.now() - days * DAY_MS })
const seqs = (world: TestSpace) =>
  world.database.read((reader) => reader.all<{ seq: number }>('SELECT seq FROM holdfast_changes WHERE space = ? ORDER BY seq', [world.space])).then((rows) => rows.map(({ seq }) => seq))
const resyncs = (reason: string) => (error: unknown) => error instanceof Problem && error.code === 'resync_required' && error.options.extra?.['reason'] === reason

async function titles(world: TestSpace, id: string): Promise<readonly unknown[]> {
  const notes = diaryApp.collections.get('notes')
  assert.ok(notes)
  const states = await world.database.read(async (reader) => (await recordHistory(reader, notes, world.space, id, { limit: 10 })).rows)
  return states.map(({ operation, record }) => [operation, record.fields['title']])
}

test('PURGE-5 The beginning of a log that is older than the history is kept goes, and what stays is verified from there on', async () => {
  await using world = await openTestSpace(diaryApp)
  await world.push([note('a'), note('b'), note('c')])
  world.advance(10 * DAY_MS)
  await world.push([note('d')])
  assert.equal(await forget(world, 20), 0)
  const whole = await verifyChain(world.database, world.space)
  assert.deepEqual(whole, { kind: 'intact', entries: 4, forgotten: 0, head: whole.kind === 'intact' ? whole.head : '' })
  assert.equal(await forget(world, 5), 3)
  assert.deepEqual(await seqs(world), [4])
  assert.deepEqual(await verifyChain(world.database, world.space), { ...whole, entries: 1, forgotten: 3 })
  assert.equal(await forget(world, 5), 0)
  // All of it may go; the next entry follows the anchor.
  world.advance(10 * DAY_MS)
  assert.equal(await forget(world, 5), 1)
  assert.deepEqual(await seqs(world), [])
  assert.deepEqual(await verifyChain(world.database, world.space), { ...whole, entries: 0, forgotten: 4 })
  await world.push([note('e')])
  const after = await verifyChain(world.database, world.space)
  assert.deepEqual([after.kind, after.kind === 'intact' && [after.entries, after.forgotten]], ['intact', [1, 4]])
})

test('PURGE-5 Only the logs of the app are shortened, more than one batch at a time', async () => {
  await using world = await openTestSpace(diaryApp)
  const other = await world.addSpace('other')
  for (let start = 0; start < 1_200; start += 600) await world.push(Array.from({ length: 600 }, (_, index) => note(`n${start + index}`)))
  await world.push([note('n')], { space: other })
  world.advance(10 * DAY_MS)
  assert.equal(await forgetHistory(world.database, { app: 'journal', before: world.chance.now() }), 0)
  assert.equal(await forget(world, 5), 1_201)
  for (const space of [world.space, other]) assert.equal((await verifyChain(world.database, space)).kind, 'intact')
})

test('PURGE-5 An anchor that does not fit is as bad as an entry that does not', async () => {
  await using world = await openTestSpace(diaryApp)
  await world.push([note('a'), note('b'), note('c')])
  const [second] = await world.database.read((reader) => reader.all<{ version: number; hash: string }>('SELECT version, hash FROM holdfast_changes WHERE seq = 2'))
  const cut = (seq: number, hash: string) =>
    world.database.write(async (tx) => {
      await tx.run('DELETE FROM holdfast_changes WHERE seq <= 2')
      await tx.run('DELETE FROM holdfast_log_anchors')
      await tx.insertMany({ table: 'holdfast_log_anchors', columns: ['space', 'seq', 'version', 'hash', 'lost'], rows: [[world.space, seq, second?.version ?? 0, hash, '[]']] })
    })
  for (const [seq, hash] of [
    [1, second?.hash ?? ''],
    [2, 'f'.repeat(64)],
    [9, second?.hash ?? ''],
  ] as const) {
    await cut(seq, hash)
    assert.equal((await verifyChain(world.database, world.space)).kind, 'broken', `${seq}`)
  }
})

test('PURGE-6 A record whose entries were forgotten still shows its present state', async () => {
  await using world = await openTestSpace(diaryApp)
  const { outcomes } = await world.push([note('a', 'one'), note('b')])
  const base = outcomes[0]?.record?.version ?? 0
  const { version } = await world.push([{ ...note('a', 'two'), base }])
  world.advance(10 * DAY_MS)
  await world.push([{ ...note('a', 'three'), base: version }])
  assert.deepEqual(await titles(world, 'a'), [
    ['update', 'three'],
    ['update', 'two'],
    ['create', 'one'],
  ])
  await forget(world, 5)
  assert.deepEqual(await titles(world, 'a'), [['update', 'three']])
  assert.deepEqual(await titles(world, 'b'), [['create', 'b']])
  // The base is not known any more, so nobody can tell what the writer has changed.
  const stale = await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base, data: { body: 'four' } })
  assert.equal(stale.status, 'conflict')
})

test('PURGE-6 A cursor of the time that was forgotten must read again; younger ones, a first pull and a snapshot go on', async () => {
  await using world = await openTestSpace(diaryApp)
  await world.push([note('a')])
  const early = await world.pull()
  await world.push([note('b'), note('c'), note('d')])
  const late = await world.pull()
  const first = await world.pull({ limit: 2 })
  world.advance(10 * DAY_MS)
  await forget(world, 5)
  assert.deepEqual((await world.pull({ cursor: late.cursor })).changes, [])
  await world.push([note('e')])
  await assert.rejects(world.pull({ cursor: early.cursor }), resyncs('horizon'))
  assert.deepEqual(
    (await world.pull({ cursor: late.cursor })).changes.map(({ id }) => id),
    ['e'],
  )
  // A first pull that was under way, and one that begins now, by small pages over records that are older than the log.
  assert.deepEqual(
    (await world.pull({ cursor: first.cursor })).changes.map(({ id }) => id),
    ['c', 'd', 'e'],
  )
  const ids: string[] = []
  for (let page = await world.pull({ limit: 1 }); ; page = await world.pull({ cursor: page.cursor, limit: 1 })) {
    ids.push(...page.changes.map(({ id }) => id))
    if (!page.more) break
  }
  assert.deepEqual(ids, ['a', 'b', 'c', 'd', 'e'])
  let text = ''
  for await (const lines of snapshot(world.database, { app: world.app, space: world.space, epoch: world.epoch, collections: undefined, after: 0 })) text += lines.toString()
  const { cursor } = JSON.parse(text.trim().split('\n').at(-1) ?? '{}') as { readonly cursor: string }
  assert.deepEqual((await world.pull({ cursor })).changes, [])
})

test('PURGE-6 A cursor of another log is told apart also where all of the log was forgotten', async () => {
  await using world = await openTestSpace(diaryApp)
  await world.push([note('a')])
  const { cursor } = await world.pull()
  world.advance(10 * DAY_MS)
  await forget(world, 5)
  await world.database.write((tx) => tx.run('UPDATE holdfast_log_anchors SET hash = ?', ['e'.repeat(64)]))
  await world.push([note('b')])
  await assert.rejects(world.pull({ cursor }), resyncs('diverged'))
})

test('PURGE-6 Versions that a restore has lost are known after its event was forgotten', async () => {
  await using world = await openTestSpace(diaryApp)
  const before = (await world.push([note('a')])).version
  world.advance(1_000)
  await markRestored(world.database, { now: world.chance.now(), actor: system })
  const restored = before + 1_000
  const lost = (version: number) => world.database.read((reader) => isLostVersion(reader, world.space, version))
  const answers = async () => [await lost(before - 1), await lost(before), await lost(before + 1), await lost(restored - 1), await lost(restored)]
  const expected = [false, false, true, true, false]
  assert.deepEqual(await answers(), expected)
  world.advance(10 * DAY_MS)
  await world.push([note('b')])
  assert.equal(await forget(world, 5), 2)
  assert.deepEqual(await answers(), expected)
})

test('PURGE-6 Where the entry before a restore was forgotten, what it kept does not count as lost', async () => {
  await using world = await openTestSpace(diaryApp)
  const { version } = await world.push([note('a'), note('b')])
  world.advance(10 * DAY_MS)
  await markRestored(world.database, { now: world.chance.now(), actor: system })
  await forget(world, 5)
  const lost = (at: number) => world.database.read((reader) => isLostVersion(reader, world.space, at))
  assert.deepEqual([await lost(version - 1), await lost(version), await lost(version + 1)], [false, false, true])
})

test('PURGE-7 Sides of settled conflicts go with the history; an open conflict stays', async () => {
  await using world = await openTestSpace(diaryApp)
  const { version } = await world.push([note('a'), note('b')])
  const [a, b] = [version - 1, version]
  await world.push(
    [
      { ...note('a', 'theirs'), base: a },
      { collection: 'notes', id: 'b', op: 'patch', base: b, data: { visits: 2 } },
    ],
    { device: 'laptop' },
  )
  const { outcomes } = await world.push([
    { ...note('a', 'mine'), base: a },
    { collection: 'notes', id: 'b', op: 'patch', base: b, data: { visits: 3 } },
  ])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['conflict', 'merged'],
  )
  const states = async () => (await world.database.read((reader) => reader.all<{ state: string }>('SELECT state FROM holdfast_conflicts ORDER BY state'))).map(({ state }) => state)
  assert.deepEqual(await states(), ['merged', 'open'])
  world.advance(10 * DAY_MS)
  await forget(world, 5)
  assert.deepEqual(await states(), ['open'])
})

test('PURGE-4 Several processes forget beside writers, and the log stays sound', async () => {
  await using world = await openTestSpace(diaryApp)
  await using other = await world.openAgain()
  for (let start = 0; start < 1_500; start += 500) await world.push(Array.from({ length: 500 }, (_, index) => note(`n${start + index}`)))
  world.advance(10 * DAY_MS)
  const [mine, theirs] = await Promise.all([
    forget(world, 5),
    forgetHistory(other.database, { app: 'diary', before: world.chance.now() - 5 * DAY_MS }),
    ...Array.from({ length: 20 }, (_, index) => world.push([note(`new${index}`)])),
  ])
  assert.equal(mine + theirs, 1_500)
  const check = await verifyChain(world.database, world.space)
  assert.deepEqual([check.kind, check.kind === 'intact' && [check.entries, check.forgotten]], ['intact', [20, 1_500]])
})
