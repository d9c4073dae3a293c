import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDiaryDevice, openDiaryServer, type DiaryDevice } from './diary.fixture.ts'

/** A note that both devices have, as the phone's editor opened it, and what the laptop has made of it since: the phone has read that. */
async function openEditor(phone: DiaryDevice, laptop: DiaryDevice, change: (laptop: DiaryDevice) => Promise<void>) {
  await phone.client.notes.put('n1', { title: 'one', body: 'text' })
  for (const device of [phone, laptop]) await device.client.sync()
  const seen = await phone.client.notes.get('n1')
  assert.ok(seen)
  await change(laptop)
  for (const device of [laptop, phone]) await device.client.sync()
  return seen
}

const sides = async ({ client }: DiaryDevice) => (await client.conflicts.list()).map(({ mine, theirs }) => [mine?.['title'] ?? null, theirs?.['title'] ?? null])

test('SDK-55 An edit on what an editor showed meets what has come since: the same field is a conflict, another one is joined', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await using laptop = await openDiaryDevice(server, 'b')
  const seen = await openEditor(phone, laptop, ({ client }) => client.notes.patch('n1', { title: 'laptop' }))
  assert.equal((await phone.client.notes.get('n1'))?.data.title, 'laptop')
  await phone.client.notes.patch('n1', { likes: 1 }, seen)
  await phone.client.sync()
  assert.deepEqual((await phone.client.notes.get('n1'))?.data, { title: 'laptop', body: 'text', likes: 1, tags: [] })
  await phone.client.notes.patch('n1', { title: 'phone' }, seen)
  assert.equal((await phone.client.notes.get('n1'))?.data.title, 'phone')
  await phone.client.sync()
  assert.deepEqual(await sides(phone), [['phone', 'laptop']])
  await laptop.client.sync()
  assert.equal((await laptop.client.notes.get('n1'))?.data.title, 'laptop')
})

test('SDK-55 A whole record changes what its writer changed, and a transaction may say what was seen as well', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await using laptop = await openDiaryDevice(server, 'b')
  const seen = await openEditor(phone, laptop, ({ client }) => client.notes.patch('n1', { title: 'laptop' }))
  phone.network.setOnline(false)
  await phone.client.transaction(async ({ notes }) => {
    await notes.put('n1', { ...seen.data, body: 'text of phone' }, seen)
    await notes.put('n2', { title: 'two' })
  })
  phone.network.setOnline(true)
  for (const device of [phone, laptop]) await device.client.sync()
  assert.deepEqual((await laptop.client.notes.get('n1'))?.data, { title: 'laptop', body: 'text of phone', likes: 0, tags: [] })
  assert.deepEqual(await sides(phone), [])
})

test('SDK-55 A deletion of what has changed since, and an edit of what is deleted since, are conflicts', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await using laptop = await openDiaryDevice(server, 'b')
  const seen = await openEditor(phone, laptop, ({ client }) => client.notes.patch('n1', { title: 'laptop' }))
  await phone.client.notes.delete('n1', seen)
  await phone.client.sync()
  assert.deepEqual(await sides(phone), [[null, 'laptop']])
  await phone.client.conflicts.resolveAll('theirs')
  const again = await openEditor(phone, laptop, ({ client }) => client.notes.delete('n1'))
  assert.equal(await phone.client.notes.get('n1'), undefined)
  await phone.client.notes.patch('n1', { title: 'phone' }, again)
  await phone.client.sync()
  assert.deepEqual(await sides(phone), [['phone', null]])
})

test('SDK-55 What is seen as it is, and an open conflict, change nothing of how an edit is made', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await using laptop = await openDiaryDevice(server, 'b')
  const seen = await openEditor(phone, laptop, () => Promise.resolve())
  await phone.client.notes.patch('n1', { title: 'two' }, seen)
  phone.network.setOnline(false)
  const shown = await phone.client.notes.get('n1')
  assert.equal(shown?.sync, 'waiting')
  await phone.client.notes.patch('n1', { title: 'three' }, shown)
  // A second window still shows the title that the server has: its other field is joined, the same one is not overwritten.
  await phone.client.notes.patch('n1', { body: 'typed elsewhere' }, seen)
  await assert.rejects(phone.client.notes.patch('n1', { title: 'typed elsewhere' }, seen), { name: 'InvalidEditError', message: /seen: The record was written here since/ })
  phone.network.setOnline(true)
  await phone.client.sync()
  await phone.client.sync()
  assert.equal((await phone.client.notes.get('n1'))?.data.body, 'typed elsewhere')
  assert.deepEqual([await sides(phone), (await phone.client.notes.get('n1'))?.data.title, phone.client.status.get().pending], [[], 'three', 0])
  await laptop.client.sync()
  await laptop.client.notes.patch('n1', { title: 'laptop' })
  await laptop.client.sync()
  await phone.client.notes.patch('n1', { title: 'four' })
  await phone.client.sync()
  await phone.client.notes.patch('n1', { body: 'more' }, seen)
  assert.deepEqual(await sides(phone), [['four', 'laptop']])
  assert.equal((await phone.client.conflicts.list())[0]?.mine?.['body'], 'more')
})
