import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failPushes, openDiaryDevice, openDiaryServer, settled, statusIs, statusOf, titlesOn } from './diary.fixture.ts'
import { shownState } from './status.ts'
import { createMemoryShelf, memoryStore } from './stores/memory-store.ts'
import { StorageFullError, StoreClosedError, type OpenStore } from './stores/store.ts'
import { refuseEvents, signedInOf } from './testing/open-test-client.ts'

const DAY_MS = 86_400_000

test('SDK-14 JRN-60 Offline no trigger makes a request, attempts do not grow, and a week changes nothing', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.sync()
  phone.network.setOnline(false)
  phone.network.requests.length = 0
  const id = await phone.client.notes.add({ title: 'written offline' })
  for (let day = 0; day < 7; day += 1) {
    phone.clock.advance(DAY_MS)
    await phone.client.notes.patch(id, { likes: day })
    assert.deepEqual(await phone.client.sync(), { kind: 'waiting', reason: 'offline' })
  }
  assert.deepEqual(phone.network.requests, [])
  await statusIs(phone, ({ online, pending }) => !online && pending === 1)
  assert.deepEqual(shownState(statusOf(phone)), { kind: 'offline', waiting: 1 })
  assert.equal(statusOf(phone).lastError, null)
  server.advance(7 * DAY_MS)
  phone.network.setOnline(true)
  phone.clock.advance(2_000)
  await statusIs(phone, ({ pending }) => pending === 0)
  assert.deepEqual(await titlesOn(phone), ['written offline'])
})

test('SDK-15 A server that is gone for a week is asked less and less; nothing is lost, and all is sent when it is back', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.sync()
  await phone.client.notes.add({ title: 'waits' })
  phone.network.fault = () => ({ kind: 'unreachable' })
  phone.network.requests.length = 0
  await phone.client.sync()
  const waits: number[] = []
  for (let passed = 0; passed < 7 * DAY_MS;) {
    await settled(() => statusOf(phone).retryAt !== null && (statusOf(phone).retryAt ?? 0) > phone.clock.now())
    const wait = (statusOf(phone).retryAt ?? 0) - phone.clock.now()
    waits.push(wait)
    passed += wait
    phone.clock.advance(wait)
    const tries = phone.network.requests.length
    await settled(() => phone.network.requests.length > tries || statusOf(phone).retryAt !== null)
  }
  assert.deepEqual(waits.slice(0, 10), [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 300_000, 1_800_000, 3_600_000, 3_600_000])
  assert.deepEqual([statusOf(phone).pending, statusOf(phone).lastError?.code], [1, 'unreachable'])
  assert.equal(shownState(statusOf(phone)).kind, 'retrying')
  phone.network.fault = refuseEvents
  server.advance(7 * DAY_MS)
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  await statusIs(phone, ({ pending, lastError }) => pending === 0 && lastError === null)
})

test('SDK-16 JRN-63 A token that ends during a push is renewed once and the push goes on', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.sync()
  for (const title of ['a', 'b', 'c']) await phone.client.notes.add({ title })
  // The server's clock has moved on and the device's has not: the device believes its token.
  server.advance(16 * 60_000)
  phone.network.requests.length = 0
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  assert.deepEqual(phone.network.paths, ['GET /diary/pull', 'POST /auth/refresh', 'GET /diary/pull', 'POST /diary/push', 'GET /diary/pull'])
  server.advance(16 * 60_000)
  phone.network.requests.length = 0
  await Promise.all([1, 2, 3].map(() => phone.client.request({ method: 'GET', path: '/api/v1/auth/me' })))
  assert.equal(phone.network.paths.filter((path) => path === 'POST /auth/refresh').length, 1)
})

test('SDK-16 JRN-63 A token that ends between the reading and the push, or between two batches, loses nothing and sends nothing twice', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.sync()
  for (let count = 0; count < 600; count += 1) await phone.client.notes.put(`n${count}`, { title: `note ${count}` })
  phone.network.requests.length = 0
  // Every answer takes so long that the token has ended by the next request.
  phone.network.during = async ({ url }) => {
    if (url.includes('/pull') || url.includes('/push')) server.advance(16 * 60_000)
  }
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  phone.network.during = undefined
  const [pull, refresh, push] = ['GET /diary/pull', 'POST /auth/refresh', 'POST /diary/push']
  assert.deepEqual(
    phone.network.paths.filter((path) => !path.includes('/device')),
    [pull, push, refresh, push, push, refresh, push, pull, refresh, pull, pull, refresh, pull],
  )
  await statusIs(phone, ({ pending, signedIn, lastError }) => pending === 0 && signedIn === 'signed-in' && lastError === null)
  const [row] = await server.database.read((reader) => reader.all<{ count: number }>("SELECT count(*) AS count FROM holdfast_changes WHERE entity = 'notes'"))
  assert.equal(Number(row?.count), 600)
})

test('SDK-17 JRN-63 A session that ended asks to sign in again; edits wait and are sent when the same person does', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.sync()
  const { headers } = await server.signIn('ada@example.org', 'desk')
  await fetch(`${server.url}/api/v1/devices/a`, { method: 'DELETE', headers })
  await phone.client.notes.add({ title: 'waits' })
  assert.deepEqual(await phone.client.sync(), { kind: 'waiting', reason: 'sign-in' })
  await statusIs(phone, ({ signedIn }) => signedIn === 'sign-in-again')
  assert.equal(shownState(statusOf(phone)).kind, 'sign-in-again')
  phone.network.requests.length = 0
  await phone.client.sync()
  assert.deepEqual(phone.network.requests, [])
  await phone.client.adopt(signedInOf(await server.signIn('ada@example.org', 'a')))
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  await statusIs(phone, ({ pending, signedIn }) => pending === 0 && signedIn === 'signed-in')
})

test('SDK-18 JRN-63 Signing out counts what waits and keeps it; another account neither sees nor sends it', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.notes.add({ title: 'synced' })
  await phone.client.sync()
  await phone.client.notes.add({ title: 'unsent' })
  assert.deepEqual(await phone.client.signOut(), { count: 1, oldestAt: phone.clock.now() })
  assert.deepEqual(await titlesOn(phone), [])
  await statusIs(phone, ({ signedIn }) => signedIn === 'signed-out')
  assert.deepEqual(await phone.client.sync(), { kind: 'waiting', reason: 'signed-out' })
  await phone.client.adopt(signedInOf(await server.register('eve@example.org', 'a')))
  await phone.client.sync()
  assert.deepEqual(await titlesOn(phone), [])
  assert.equal(statusOf(phone).pending, 0)
  await phone.client.signOut()
  await phone.client.adopt(signedInOf(await server.signIn('ada@example.org', 'a')))
  assert.deepEqual(await titlesOn(phone), ['synced', 'unsent'])
  await phone.client.sync()
  await using laptop = await openDiaryDevice(server, 'b')
  await laptop.client.sync()
  assert.deepEqual(await titlesOn(laptop), ['synced', 'unsent'])
})

test('SDK-18 JRN-62 What was written before anybody had signed in is sent by the first who does', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.notes.add({ title: 'first' })
  await phone.client.sync()
  await phone.client.signOut()
  await phone.client.notes.add({ title: 'nobody’s' })
  assert.deepEqual(await titlesOn(phone), ['nobody’s'])
  await phone.client.adopt(signedInOf(await server.signIn('ada@example.org', 'a')))
  assert.deepEqual(await titlesOn(phone), ['first', 'nobody’s'])
  await phone.client.sync()
  await statusIs(phone, ({ pending }) => pending === 0)
})

test('SDK-19 JRN-65 With the backup off edits queue and reading goes on; on again they are sent', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await using laptop = await openDiaryDevice(server, 'b')
  await phone.client.pause()
  await phone.client.notes.add({ title: 'phone' })
  await laptop.client.notes.add({ title: 'laptop' })
  await laptop.client.sync()
  await phone.client.sync()
  assert.deepEqual(await titlesOn(phone), ['laptop', 'phone'])
  await statusIs(phone, ({ paused, pending }) => paused && pending === 1)
  assert.deepEqual(shownState(statusOf(phone)), { kind: 'backup-off', waiting: 1 })
  await phone.client.resume()
  await statusIs(phone, ({ pending }) => pending === 0)
})

test('SDK-22 An edit that makes the server fail is parked and tried again; the others are sent', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.sync()
  for (const title of ['a', 'poison', 'c', 'd']) await phone.client.notes.put(title, { title })
  failPushes(phone, ({ body = '' }) => (body.includes('poison') ? { kind: 'answer', status: 500 } : { kind: 'pass' }))
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  await statusIs(phone, ({ pending }) => pending === 1)
  await phone.client.notes.patch('poison', { likes: 1 })
  await phone.client.notes.put('e', { title: 'e' })
  await phone.client.sync()
  await statusIs(phone, ({ pending }) => pending === 2)
  phone.network.fault = refuseEvents
  phone.clock.advance(60_000)
  await statusIs(phone, ({ pending }) => pending === 0)
  assert.deepEqual((await phone.client.notes.get('poison'))?.data.likes, 1)
})

test('SDK-22 A server that answers 500 to everything is left alone after a few tries; nothing is put aside', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.sync()
  for (let index = 0; index < 100; index += 1) await phone.client.notes.put(`n${index}`, { title: 'fine' })
  failPushes(phone, () => ({ kind: 'answer', status: 500 }))
  phone.network.requests.length = 0
  assert.equal((await phone.client.sync()).kind, 'failed')
  assert.ok(phone.network.requests.length < 15, `${phone.network.requests.length} requests`)
  phone.network.fault = refuseEvents
  await phone.client.sync()
  phone.clock.advance(10_000)
  await statusIs(phone, ({ pending, rejected }) => pending === 0 && rejected === 0)
})

test('SDK-47 A clock that was a year ahead while the server asked for time, and failed on an edit, is put right: nothing waits for that year', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.sync()
  phone.clock.step(365 * DAY_MS)
  for (const title of ['poison', 'fine']) await phone.client.notes.put(title, { title })
  failPushes(phone, ({ body = '' }) => (body.includes('poison') ? { kind: 'answer', status: 500 } : { kind: 'pass' }))
  await phone.client.sync()
  await statusIs(phone, ({ pending }) => pending === 1)
  phone.network.fault = () => ({ kind: 'answer', status: 503, headers: { 'retry-after': '120' } })
  assert.deepEqual(await phone.client.sync(), { kind: 'waiting', reason: 'throttled' })
  phone.network.fault = refuseEvents
  phone.clock.step(-365 * DAY_MS)
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  await statusIs(phone, ({ pending }) => pending === 0)
})

test('SDK-23 JRN-62 Ten saves in a burst are one sync a second later, and each record is sent once', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.sync()
  phone.network.requests.length = 0
  await phone.client.notes.put('n1', { title: 'typing' })
  for (let count = 0; count < 10; count += 1) {
    phone.clock.advance(300)
    await phone.client.notes.patch('n1', { body: 'x'.repeat(count) })
  }
  assert.equal(phone.network.requests.length, 0)
  phone.clock.advance(1_000)
  await statusIs(phone, ({ pending }) => pending === 0)
  const pushes = phone.network.requests.filter(({ url }) => url.includes('/push'))
  assert.equal(pushes.length, 1)
  assert.equal((JSON.parse(pushes[0]?.body ?? '') as { mutations: unknown[] }).mutations.length, 1)
})

test('SDK-23 JRN-62 Saves that never stop are sent after five seconds; a trigger during a sync runs one more', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.sync()
  await settled(() => statusOf(phone).progress === null)
  phone.network.requests.length = 0
  await phone.client.notes.put('n1', { title: 'typing' })
  for (let count = 0; count < 12; count += 1) {
    phone.clock.advance(500)
    await phone.client.notes.patch('n1', { body: 'x'.repeat(count) })
  }
  await settled(() => phone.network.paths.includes('POST /diary/push'))
  const [first, second, third] = [phone.client.sync(), phone.client.sync(), phone.client.sync()]
  assert.equal(await second, await third)
  await first
})

test('SDK-24 JRN-64 The last success and the last error are kept through a restart; success clears the error', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.sync()
  const at = phone.clock.now()
  phone.clock.advance(5_000)
  phone.network.fault = () => ({ kind: 'unreachable' })
  await phone.client.sync()
  await phone.restart()
  await statusIs(phone, ({ signedIn }) => signedIn !== 'starting')
  assert.deepEqual([statusOf(phone).lastSuccessAt, statusOf(phone).lastError?.code, statusOf(phone).lastError?.at], [at, 'unreachable', at + 5_000])
  phone.network.fault = refuseEvents
  await phone.client.sync()
  await statusIs(phone, ({ lastError, lastSuccessAt }) => lastError === null && lastSuccessAt === phone.clock.now())
})

test('SDK-25 JRN-53 A store without room refuses the write, says so, and takes it when there is room again', async () => {
  await using server = await openDiaryServer()
  const shelf = createMemoryShelf()
  let full = false
  const store: OpenStore = async () => {
    const inner = await memoryStore(shelf)()
    return {
      read: (work) => inner.read(work),
      write: async (work) => {
        if (full) throw new StorageFullError('Full.')
        return inner.write(work)
      },
      close: () => inner.close(),
    }
  }
  await using phone = await openDiaryDevice(server, 'a', { store })
  await phone.client.notes.add({ title: 'before' })
  full = true
  await assert.rejects(phone.client.notes.add({ title: 'no room' }), StorageFullError)
  await statusIs(phone, ({ storageFull }) => storageFull)
  assert.equal(shownState(statusOf(phone)).kind, 'storage-full')
  assert.equal((await phone.client.sync()).kind, 'failed')
  assert.deepEqual(await titlesOn(phone), ['before'])
  // Who works here stays who it was, for everything.
  await assert.rejects(phone.client.signOut(), StorageFullError)
  await assert.rejects(phone.client.adopt(signedInOf(await server.register('bob@example.org'))), StorageFullError)
  assert.equal(statusOf(phone).user?.email, 'ada@example.org')
  full = false
  await phone.client.notes.add({ title: 'again' })
  await phone.client.sync()
  await statusIs(phone, ({ pending, storageFull }) => pending === 0 && !storageFull)
})

test('SDK-26 A store that is closed under the client is opened again, and the work is done once', async () => {
  await using server = await openDiaryServer()
  const shelf = createMemoryShelf()
  let opened = 0
  let closeNow: () => Promise<void> = async () => undefined
  const store: OpenStore = async () => {
    opened += 1
    const inner = await memoryStore(shelf)()
    closeNow = () => inner.close()
    return inner
  }
  await using phone = await openDiaryDevice(server, 'a', { store })
  await phone.client.notes.add({ title: 'one' })
  await closeNow()
  await phone.client.notes.add({ title: 'two' })
  await closeNow()
  await phone.client.sync()
  await closeNow()
  assert.deepEqual(await titlesOn(phone), ['one', 'two'])
  assert.equal(opened, 4)
  await phone.client.close()
  await assert.rejects(phone.client.notes.add({ title: 'three' }), StoreClosedError)
})
