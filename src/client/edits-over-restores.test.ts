import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestServer } from '../testing/open-test-server.ts'
import { LADDER_STEP_MS } from './client-limits.ts'
import { backup, failPushes, openDiaryDevice, openDiaryServer, type DiaryDevice } from './diary.fixture.ts'
import { refuseEvents } from './testing/open-test-client.ts'

/** The phone hears again after so long that the cursor it had stays on its ladder. */
async function keepCursor(server: TestServer, phone: DiaryDevice): Promise<void> {
  server.advance(2 * LADDER_STEP_MS)
  phone.clock.advance(2 * LADDER_STEP_MS)
  await phone.client.sync()
}

for (const how of ['file', 'restore'] as const) {
  test(`SDK-29 An edit on its way when a restore took what it was made on is offered without that, which it has replaced (${how})`, async () => {
    await using server = await openDiaryServer()
    await using phone = await openDiaryDevice(server, 'a')
    await phone.client.notes.put('n1', { title: 'one' })
    await phone.client.sync()
    // A cursor that is kept stands behind the note, so that the reading after the restore does not name it.
    await keepCursor(server, phone)
    const restore = await backup(server, how)
    await phone.client.notes.patch('n1', { title: 'two' })
    await phone.client.sync()
    failPushes(phone, () => ({ kind: 'unreachable' }))
    await phone.client.notes.patch('n1', { title: 'three' })
    await phone.client.sync()
    await restore()
    phone.network.fault = refuseEvents
    for (let round = 0; round < 3; round += 1) await phone.client.sync()
    assert.deepEqual([await phone.client.conflicts.list(), phone.client.status.get().pending], [[], 0])
    await using fresh = await openDiaryDevice(server, 'b')
    await fresh.client.sync()
    assert.equal((await fresh.client.notes.get('n1'))?.data.title, 'three')
  })

  test(`SDK-29 A record that a restore brings back, and that somebody writes to, is not deleted again (${how})`, async () => {
    await using server = await openDiaryServer()
    await using phone = await openDiaryDevice(server, 'a')
    // The oldest cursor that is kept stands before the note, so that the reading after the restore names it.
    for (const id of ['n0', 'n1']) {
      await phone.client.notes.put(id, { title: 'one' })
      await phone.client.sync()
    }
    const restore = await backup(server, how)
    await phone.client.notes.delete('n1')
    await phone.client.notes.put('n2', { title: 'lost' })
    await phone.client.sync()
    await restore()
    // The reading after the restore breaks off when the device has seen again what it had deleted.
    phone.network.fault = (request) => (request.url.includes('/records/') ? { kind: 'unreachable' } : refuseEvents(request))
    await phone.client.sync()
    assert.equal((await phone.client.notes.get('n1'))?.data.title, 'one')
    await phone.client.notes.patch('n1', { title: 'two' })
    phone.network.fault = refuseEvents
    for (let round = 0; round < 3; round += 1) await phone.client.sync()
    assert.deepEqual([await phone.client.conflicts.list(), phone.client.status.get().pending], [[], 0])
    await using fresh = await openDiaryDevice(server, 'b')
    await fresh.client.sync()
    const titles = Object.fromEntries((await fresh.client.notes.list()).map(({ id, data }) => [id, data.title]))
    assert.deepEqual(titles, { n0: 'one', n1: 'two', n2: 'lost' })
  })
}

for (const how of ['file', 'restore'] as const) {
  test(`SDK-29 A record that was deleted, and whose new creation was refused, loses nothing of that when its deletion is offered again (${how})`, async () => {
    await using server = await openDiaryServer()
    await using phone = await openDiaryDevice(server, 'a')
    await phone.client.sync()
    const restore = await backup(server, how)
    server.advance(1_000)
    await phone.client.books.put('b1', { name: 'book' })
    await phone.client.pages.put('p1', { book: 'b1', number: 1 })
    await phone.client.sync()
    await phone.client.pages.delete('p1')
    await phone.client.sync()
    await phone.client.pages.put('p1', { book: 'nowhere', number: 2 })
    await phone.client.sync()
    const refused = async () => (await phone.client.rejected.list()).map(({ id, data }) => [id, data?.['book']])
    assert.deepEqual(await refused(), [['p1', 'nowhere']])
    await restore()
    for (let round = 0; round < 3; round += 1) await phone.client.sync()
    assert.equal(phone.client.status.get().pending, 0)
    assert.deepEqual(await refused(), [['p1', 'nowhere']])
  })

  test(`SDK-29 SDK-4 An edit on its way that had not seen what a restore has kept meets it and goes not over it (${how})`, async () => {
    await using server = await openDiaryServer()
    await using phone = await openDiaryDevice(server, 'a')
    await using laptop = await openDiaryDevice(server, 'b')
    await phone.client.notes.put('n1', { title: 'one' })
    for (const { client } of [phone, laptop]) await client.sync()
    failPushes(phone, () => ({ kind: 'unreachable' }))
    await phone.client.notes.patch('n1', { title: 'phone' })
    await phone.client.sync()
    await laptop.client.notes.patch('n1', { title: 'laptop' })
    await laptop.client.sync()
    await keepCursor(server, phone)
    const restore = await backup(server, how)
    await laptop.client.notes.patch('n1', { body: 'lost' })
    await laptop.client.sync()
    await phone.client.sync()
    await restore()
    phone.network.fault = refuseEvents
    for (let round = 0; round < 3; round += 1) await phone.client.sync()
    const [conflict] = await phone.client.conflicts.list()
    assert.deepEqual([conflict?.mine?.['title'], conflict?.theirs?.['title']], ['phone', 'laptop'])
    assert.equal(conflict?.mine?.['body'], 'lost')
  })

  test(`SDK-29 SDK-10 A conflict whose other side a restore has kept is as open as before, whatever else of the record was lost (${how})`, async () => {
    await using server = await openDiaryServer()
    await using phone = await openDiaryDevice(server, 'a')
    await using laptop = await openDiaryDevice(server, 'b')
    await phone.client.notes.put('n1', { title: 'one' })
    for (const { client } of [phone, laptop]) await client.sync()
    await laptop.client.notes.patch('n1', { title: 'laptop' })
    await laptop.client.sync()
    await phone.client.notes.patch('n1', { title: 'phone' })
    await phone.client.sync()
    // A cursor that is kept stands behind both.
    for (const id of ['n2', 'n3']) {
      server.advance(2 * LADDER_STEP_MS)
      phone.clock.advance(2 * LADDER_STEP_MS)
      await phone.client.notes.put(id, { title: id })
      await phone.client.sync()
    }
    const restore = await backup(server, how)
    await laptop.client.notes.patch('n1', { body: 'lost' })
    await laptop.client.sync()
    await phone.client.sync()
    await restore()
    for (let round = 0; round < 3; round += 1) await phone.client.sync()
    const [conflict] = await phone.client.conflicts.list()
    assert.deepEqual([conflict?.mine?.['title'], conflict?.theirs?.['title']], ['phone', 'laptop'])
    await laptop.client.sync()
    assert.deepEqual((await laptop.client.notes.get('n1'))?.data, { title: 'laptop', body: 'lost', likes: 0, tags: [] })
  })
}
