import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDiaryDevice, openDiaryServer, settled, titlesOn, type DiaryDevice } from './diary.fixture.ts'
import { signedInOf } from './testing/open-test-client.ts'

/** What a browser does when a person clears the data of a site whose page is open. */
function clearData({ shelf }: DiaryDevice): void {
  for (const table of shelf.tables.values()) {
    table.rows.clear()
    table.sorted = undefined
  }
}

test('SDK-50 A client whose data is cleared while it runs is as new: it shows that nobody is signed in, keeps what is written, and reads all after the sign-in', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.notes.add({ title: 'before' })
  await phone.client.sync()
  clearData(phone)
  assert.deepEqual(await titlesOn(phone), [])
  await settled(() => phone.client.status.get().signedIn === 'signed-out')
  clearData(phone)
  await phone.client.notes.add({ title: 'after' })
  await phone.client.adopt(signedInOf(await server.signIn('ada@example.org', 'a')))
  await phone.client.sync()
  assert.deepEqual(await titlesOn(phone), ['after', 'before'])
  assert.equal(phone.client.status.get().pending, 0)
})

test('SDK-50 A page that arrives after the data was cleared and somebody has signed in again is not taken for one of theirs', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await using laptop = await openDiaryDevice(server, 'b')
  await phone.client.notes.add({ title: 'read long ago' })
  await phone.client.sync()
  await laptop.client.notes.add({ title: 'new' })
  await laptop.client.sync()
  const person = await server.signIn('ada@example.org', 'a')
  phone.network.during = async ({ url }) => {
    if (!url.includes('/pull')) return
    phone.network.during = undefined
    clearData(phone)
    await phone.client.adopt(signedInOf(person))
  }
  await phone.client.sync()
  await phone.client.sync()
  assert.deepEqual(await titlesOn(phone), ['new', 'read long ago'])
})
