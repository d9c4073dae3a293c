import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diaryApp } from '../testing/diary-app.ts'
import { openTestSpace, type TestSpace } from '../testing/open-test-space.ts'
import { compact } from './compact.ts'
import { verifyChain } from './verify-chain.ts'

const DAY_MS = 86_400_000

async function make(world: TestSpace, ids: readonly string[], collection = 'notes') {
  await world.push(ids.map((id) => ({ collection, id, op: 'put' as const, data: collection === 'notes' ? { title: id } : { text: id } })))
}

async function remove(world: TestSpace, ids: readonly string[], collection = 'notes') {
  const { changes } = await world.pull()
  await world.push(ids.map((id) => ({ collection, id, op: 'delete' as const, base: changes.find((change) => change.id === id && change.collection === collection)?.version ?? 0 })))
}

const idsOf = (changes: readonly { readonly id: string; readonly deleted: boolean }[]) => changes.map(({ id, deleted }) => (deleted ? `-${id}` : id))

test('PURGE-1 Old tombstones are forgotten and the horizon is raised; younger ones, records and log stay', async () => {
  await using world = await openTestSpace(diaryApp)
  await make(world, ['a', 'b', 'c'])
  await remove(world, ['a'])
  world.advance(10 * DAY_MS)
  await remove(world, ['b'])
  const entries = await verifyChain(world.database, world.space)
  assert.equal(await compact(world.database, { app: world.app, before: world.chance.now() - 5 * DAY_MS }), 1)
  const rows = await world.database.read((reader) => reader.all<{ id: string }>('SELECT id FROM diary_notes ORDER BY id'))
  assert.deepEqual(
    rows.map(({ id }) => id),
    ['b', 'c'],
  )
  assert.deepEqual(await verifyChain(world.database, world.space), entries)
  assert.equal(await compact(world.database, { app: world.app, before: world.chance.now() - 5 * DAY_MS }), 0)
})

test('PURGE-2 Only a cursor that has missed a forgotten tombstone must read again', async () => {
  await using world = await openTestSpace(diaryApp)
  await make(world, ['a', 'b'])
  await make(world, ['f'], 'forms')
  const early = await world.pull()
  const forms = await world.pull({ collections: ['forms'] })
  await remove(world, ['a'])
  const late = await world.pull({ cursor: early.cursor })
  assert.deepEqual(idsOf(late.changes), ['-a'])
  world.advance(40 * DAY_MS)
  await compact(world.database, { app: world.app, before: world.chance.now() - 30 * DAY_MS })
  await make(world, ['new'])
  await assert.rejects(world.pull({ cursor: early.cursor }), { code: 'resync_required' })
  assert.deepEqual(idsOf((await world.pull({ cursor: late.cursor })).changes), ['new'])
  assert.deepEqual(idsOf((await world.pull({ cursor: forms.cursor, collections: ['forms'] })).changes), [])
  const whole = await world.pull()
  assert.deepEqual(idsOf(whole.changes), ['b', 'f', 'new'])
  await remove(world, ['b'])
  world.advance(40 * DAY_MS)
  await compact(world.database, { app: world.app, before: world.chance.now() - 30 * DAY_MS })
  await make(world, ['newer'])
  for (const { cursor } of [early, late, whole]) await assert.rejects(world.pull({ cursor }), { code: 'resync_required' }, 'the horizon rises each time')
})

test('PURGE-3 A tombstone that another record refers to stays until that is gone too', async () => {
  await using world = await openTestSpace(diaryApp)
  await make(world, ['a'])
  await world.push([{ collection: 'pages', id: 'p', op: 'put', data: { note: 'a', number: 1 } }])
  await remove(world, ['a'])
  world.advance(40 * DAY_MS)
  const old = () => compact(world.database, { app: world.app, before: world.chance.now() - 30 * DAY_MS })
  assert.equal(await old(), 0)
  await remove(world, ['p'], 'pages')
  world.advance(40 * DAY_MS)
  assert.equal(await old(), 1, 'the page first, since it holds the note')
  assert.equal(await old(), 1)
})

test('PURGE-4 Two that compact at once, beside a writer, forget each tombstone once and nothing else', async () => {
  await using world = await openTestSpace(diaryApp)
  await using other = await world.openAgain()
  const ids = Array.from({ length: 1_200 }, (_, index) => `n${index}`)
  await make(world, ids.slice(0, 600))
  await make(world, ids.slice(600))
  let more = true
  const seen = new Map<string, number>()
  for (let cursor: string | undefined; more;) {
    const page = await world.pull({ limit: 1_000, ...(cursor === undefined ? {} : { cursor }) })
    for (const { id, version } of page.changes) seen.set(id, version)
    ;({ cursor, more } = page)
  }
  for (const half of [ids.slice(0, 600), ids.slice(600)]) await world.push(half.map((id) => ({ collection: 'notes', id, op: 'delete', base: seen.get(id) ?? 0 })))
  world.advance(40 * DAY_MS)
  const before = world.chance.now() - 30 * DAY_MS
  const writing = make(world, ['kept-1', 'kept-2'])
  const forgotten = await Promise.all([compact(world.database, { app: world.app, before }), compact(other.database, { app: world.app, before })])
  await writing
  assert.equal(forgotten[0] + forgotten[1], 1_200)
  assert.deepEqual(idsOf((await world.pull()).changes).toSorted(), ['kept-1', 'kept-2'])
})
