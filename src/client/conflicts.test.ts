import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestServer } from '../testing/open-test-server.ts'
import type { ConflictRow } from './model.ts'
import { openDiaryDevice as openDevice, openDiaryServer as openServer, titlesOn as titles, type DiaryDevice } from './diary.fixture.ts'

/** The conflict of a note as it stands on a device. */
async function openAt({ client }: DiaryDevice, id: string): Promise<ConflictRow> {
  const found = (await client.conflicts.list()).find((conflict) => conflict.id === id)
  assert.ok(found)
  return found
}

/** Two titles of the note `n1`: the phone comes second and has the conflict. */
async function disagree(phone: DiaryDevice, laptop: DiaryDevice): Promise<void> {
  await phone.client.notes.put('n1', { title: 'one' })
  await phone.client.sync()
  await laptop.client.sync()
  await laptop.client.notes.patch('n1', { title: 'laptop' })
  await laptop.client.sync()
  await phone.client.notes.patch('n1', { title: 'phone' })
  await phone.client.sync()
}

/** How many conflicts the server keeps open. */
async function openOn({ database }: TestServer): Promise<number> {
  const [row] = await database.read((reader) => reader.all<{ count: number }>("SELECT count(*) AS count FROM holdfast_conflicts WHERE state = 'open'"))
  return Number(row?.count)
}

test('SDK-10 JRN-59 Two titles are a conflict with base, mine and theirs; it survives a restart, and the choice is an edit like any other', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  await using laptop = await openDevice(server, 'b')
  const id = await phone.client.notes.add({ title: 'one' })
  await phone.client.sync()
  await laptop.client.sync()
  await laptop.client.notes.patch(id, { title: 'laptop' })
  await laptop.client.sync()
  await phone.client.notes.patch(id, { title: 'phone' })
  await phone.client.sync()
  await phone.restart()
  const [conflict] = await phone.client.conflicts.list()
  assert.deepEqual([conflict?.base?.['title'], conflict?.mine?.['title'], conflict?.theirs?.['title']], ['one', 'phone', 'laptop'])
  const shown = await phone.client.notes.get(id)
  assert.deepEqual([shown?.data.title, shown?.sync], ['phone', 'conflict'])
  assert.equal(await openOn(server), 1)
  // Another edit belongs to this side, here and on the server.
  await phone.client.notes.patch(id, { body: 'more' })
  await phone.client.sync()
  assert.equal((await phone.client.conflicts.list())[0]?.mine?.['body'], 'more')
  assert.equal(await openOn(server), 1)
  phone.network.setOnline(false)
  assert.equal(await phone.client.conflicts.resolve(await openAt(phone, id), 'mine'), true)
  assert.deepEqual(await phone.client.conflicts.list(), [])
  phone.network.setOnline(true)
  await phone.client.sync()
  await laptop.client.sync()
  assert.deepEqual((await laptop.client.notes.get(id))?.data, { title: 'phone', body: 'more', likes: 0, tags: [] })
  assert.equal(await openOn(server), 0)
})

test('SDK-10 JRN-59 Choosing theirs, both or a merged text closes the conflict on the server too', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  await using laptop = await openDevice(server, 'b')
  const ids = await Promise.all(['x', 'y', 'z'].map((title) => phone.client.notes.add({ title })))
  await phone.client.sync()
  await laptop.client.sync()
  for (const id of ids) await laptop.client.notes.patch(id, { title: `laptop ${id.at(-1)}` })
  await laptop.client.sync()
  for (const id of ids) await phone.client.notes.patch(id, { title: `phone ${id.at(-1)}` })
  await phone.client.sync()
  assert.equal((await phone.client.conflicts.list()).length, 3)
  const [first = '', second = '', third = ''] = ids
  await phone.client.conflicts.resolve(await openAt(phone, first), 'theirs')
  await phone.client.conflicts.resolve(await openAt(phone, second), 'both')
  await phone.client.conflicts.resolve(await openAt(phone, third), { merged: { title: 'joined' } })
  await phone.client.sync()
  await laptop.client.sync()
  assert.deepEqual(await titles(laptop), ['joined', `laptop ${first.at(-1)}`, `laptop ${second.at(-1)}`, `phone ${second.at(-1)}`])
  assert.equal(await openOn(server), 0)
})

test('SDK-10 JRN-59 A choice closes the conflict on the server also where somebody writes on before it arrives', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  await using laptop = await openDevice(server, 'b')
  await disagree(phone, laptop)
  phone.network.setOnline(false)
  await phone.client.conflicts.resolve(await openAt(phone, 'n1'), 'theirs')
  await laptop.client.notes.patch('n1', { body: 'written on' })
  await laptop.client.sync()
  phone.network.setOnline(true)
  await phone.client.sync()
  assert.equal(await openOn(server), 0)
  assert.deepEqual((await phone.client.notes.get('n1'))?.data, { title: 'laptop', body: 'written on', likes: 0, tags: [] })
})

test('SDK-52 A choice counts for the sides that were looked at: one that has changed since loses nothing to it', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  await using laptop = await openDevice(server, 'b')
  await disagree(phone, laptop)
  const first = await openAt(phone, 'n1')
  await laptop.client.notes.patch('n1', { body: 'written on' })
  await laptop.client.sync()
  await phone.client.sync()
  for (const choice of ['mine', 'theirs', 'both', 'newest', { merged: { title: 'joined' } }] as const) assert.equal(await phone.client.conflicts.resolve(first, choice), false)
  const second = await openAt(phone, 'n1')
  assert.deepEqual([second.theirs?.['body'], second.mine?.['title']], ['written on', 'phone'])
  await phone.client.notes.patch('n1', { body: 'of mine' })
  assert.equal(await phone.client.conflicts.resolve(second, 'theirs'), false)
  const third = await openAt(phone, 'n1')
  assert.equal(third.mine?.['body'], 'of mine')
  assert.equal(await phone.client.conflicts.resolve(third, { merged: { title: 'joined', body: 'written on, of mine' } }), true)
  assert.equal(await phone.client.conflicts.resolve(third, 'mine'), false)
  for (const device of [phone, laptop]) await device.client.sync()
  assert.deepEqual((await laptop.client.notes.get('n1'))?.data, { title: 'joined', body: 'written on, of mine', likes: 0, tags: [] })
  assert.equal(await openOn(server), 0)
})

test('SDK-10 A conflict whose other side comes to say the same ends by itself, on the server too', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  await using laptop = await openDevice(server, 'b')
  for (const id of ['n1', 'n2']) await phone.client.notes.put(id, { title: 'one' })
  await phone.client.sync()
  await laptop.client.sync()
  for (const id of ['n1', 'n2']) await laptop.client.notes.patch(id, { title: 'laptop' })
  await laptop.client.sync()
  await phone.client.notes.patch('n1', { title: 'phone' })
  await phone.client.notes.delete('n2')
  await phone.client.sync()
  assert.equal((await phone.client.conflicts.list()).length, 2)
  await laptop.client.notes.patch('n1', { title: 'phone' })
  await laptop.client.notes.delete('n2')
  await laptop.client.sync()
  await phone.client.sync()
  assert.deepEqual(await phone.client.conflicts.list(), [])
  assert.equal(await openOn(server), 0)
  assert.equal(phone.client.status.get().pending, 0)
  assert.deepEqual(await titles(phone), ['phone'])
})

test('SDK-10 JRN-59 For all at once the side that was written last is taken', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  await using laptop = await openDevice(server, 'b')
  for (const id of ['n1', 'n2']) await phone.client.notes.put(id, { title: 'one' })
  await phone.client.sync()
  await laptop.client.sync()
  await phone.client.notes.patch('n1', { title: 'phone, first' })
  server.advance(5_000)
  for (const id of ['n1', 'n2']) await laptop.client.notes.patch(id, { title: `laptop ${id}` })
  await laptop.client.sync()
  phone.clock.advance(10_000)
  await phone.client.notes.patch('n2', { title: 'phone, last' })
  await phone.client.sync()
  assert.equal(await phone.client.conflicts.resolveAll('newest'), 2)
  await phone.client.sync()
  assert.deepEqual(await titles(phone), ['laptop n1', 'phone, last'])
})

test('SDK-52 SDK-10 A refusal that tells of a newer other side is part of the conflict: no choice goes over what was never shown', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  await using laptop = await openDevice(server, 'b')
  await phone.client.books.put('b1', { name: 'book' })
  await phone.client.pages.put('p1', { book: 'b1', number: 1 })
  for (const device of [phone, laptop]) await device.client.sync()
  await laptop.client.pages.patch('p1', { number: 2 })
  await laptop.client.sync()
  await phone.client.pages.patch('p1', { number: 3 })
  await phone.client.sync()
  const seen = await openAt(phone, 'p1')
  assert.equal(seen.theirs?.['number'], 2)
  // This side comes to say something that the server refuses, when the other one has been written on since the reading.
  await phone.client.pages.patch('p1', { book: 'nowhere', number: 1 })
  phone.network.during = async ({ url }) => {
    if (!url.includes('/pull')) return
    phone.network.during = undefined
    await laptop.client.pages.patch('p1', { number: 5 })
    await laptop.client.sync()
  }
  await phone.client.sync()
  assert.equal((await phone.client.rejected.list()).length, 1)
  const shown = await openAt(phone, 'p1')
  assert.equal(shown.theirs?.['number'], 5)
  assert.equal(await phone.client.conflicts.resolve({ ...shown, theirs: seen.theirs }, 'theirs'), false)
  assert.equal(await phone.client.conflicts.resolve(shown, 'theirs'), true)
  for (const device of [phone, laptop]) await device.client.sync()
  assert.equal((await laptop.client.pages.get('p1'))?.data.number, 5)
})
