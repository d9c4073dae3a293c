import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fetchTransport } from './client.ts'
import type { Transport } from './ports.ts'
import type { PushRequest, WireMutation } from '../protocol/push.ts'
import { backup, openDiaryDevice, openDiaryServer, settled, titlesOn, type DiaryDevice } from './diary.fixture.ts'
import { refuseEvents } from './testing/open-test-client.ts'

/** Whether a device has read everything from the start again. */
function hasReloaded(device: DiaryDevice): boolean {
  return device.network.paths.filter((path) => path === 'GET /diary/snapshot').length > 1
}

const answer410 = (device: DiaryDevice, reason: string) => {
  let once = true
  device.network.fault = (request) => {
    if (!request.url.includes('/pull') || !once) return refuseEvents(request)
    once = false
    return { kind: 'answer', status: 410, body: JSON.stringify({ code: 'resync_required', reason }) }
  }
}

test('SDK-28 JRN-67 After 410 all is read again with the outbox intact, and what the server does not have any more goes', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await using laptop = await openDiaryDevice(server, 'b')
  for (const title of ['kept', 'gone', 'edited']) await phone.client.notes.put(title, { title })
  await phone.client.sync()
  await laptop.client.sync()
  await laptop.client.notes.delete('gone')
  await laptop.client.sync()
  await phone.client.notes.add({ title: 'unsent' })
  await phone.client.notes.patch('edited', { body: 'unsent' })
  // As after the purge of the tombstone: the reading from the start does not mention it.
  answer410(phone, 'horizon')
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  assert.ok(phone.network.paths.includes('GET /diary/snapshot'))
  assert.deepEqual(await titlesOn(phone), ['edited', 'kept', 'unsent'])
  await laptop.client.sync()
  assert.deepEqual(await titlesOn(laptop), ['edited', 'kept', 'unsent'])
  assert.equal((await laptop.client.notes.get('edited'))?.data.body, 'unsent')
})

test('SDK-28 JRN-67 An unsent edit of a record that a reload does not find is a conflict, not a loss', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await using laptop = await openDiaryDevice(server, 'b')
  await phone.client.notes.put('gone', { title: 'gone' })
  await phone.client.sync()
  await laptop.client.sync()
  await laptop.client.notes.delete('gone')
  await laptop.client.sync()
  await phone.client.notes.patch('gone', { body: 'unsent' })
  answer410(phone, 'horizon')
  await phone.client.sync()
  assert.deepEqual(
    (await phone.client.conflicts.list()).map(({ mine, theirs }) => [mine?.['body'], theirs]),
    [['unsent', null]],
  )
})

test('SDK-28 JRN-67 A 410 whose reason broke off on its way is asked for again: it may be that of a restore', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.notes.put('kept', { title: 'kept' })
  await phone.client.sync()
  phone.network.fault = (request) => (request.url.includes('/pull') ? { kind: 'answer', status: 410, body: '{"code":"resync_requi' } : refuseEvents(request))
  assert.equal((await phone.client.sync()).kind, 'failed')
  assert.equal(hasReloaded(phone), false)
  phone.network.fault = refuseEvents
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  assert.equal(hasReloaded(phone), false)
})

for (const how of ['file', 'restore'] as const) {
  test(`SDK-29 JRN-67 A server that was put back to yesterday gets again what any device has: new, changed and deleted records of every device (${how})`, async () => {
    await using server = await openDiaryServer()
    await using phone = await openDiaryDevice(server, 'a')
    await using laptop = await openDiaryDevice(server, 'b')
    for (const title of ['old', 'changed', 'deleted']) await phone.client.notes.put(title, { title })
    await phone.client.sync()
    await laptop.client.sync()
    const restore = await backup(server, how)
    server.advance(1_000)
    await phone.client.notes.put('new', { title: 'new' })
    await phone.client.notes.patch('changed', { body: 'changed' })
    await phone.client.notes.delete('deleted')
    await phone.client.sync()
    await laptop.client.notes.put('laptop', { title: 'laptop' })
    await laptop.client.sync()
    await phone.client.sync()
    await phone.client.notes.patch('changed', { likes: 2 })
    await restore()
    await using fresh = await openDiaryDevice(server, 'c')
    await fresh.client.sync()
    assert.deepEqual(await titlesOn(fresh), ['changed', 'deleted', 'old'])
    assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
    // An older cursor is enough where the server still knows one.
    assert.equal(hasReloaded(phone), false)
    await settled(() => phone.client.status.get().pending === 0)
    assert.deepEqual([await phone.client.conflicts.list(), await phone.client.rejected.list()], [[], []])
    // Everything came from one device; the other finds it there and has nothing to add.
    await laptop.client.sync()
    assert.deepEqual([await laptop.client.conflicts.list(), await laptop.client.rejected.list()], [[], []])
    await fresh.client.sync()
    for (const device of [phone, laptop, fresh]) {
      await device.client.sync()
      assert.deepEqual(await titlesOn(device), ['changed', 'laptop', 'new', 'old'])
      assert.deepEqual((await device.client.notes.get('changed'))?.data, { title: 'changed', body: 'changed', likes: 2, tags: [] })
    }
  })
}

for (const how of ['file', 'restore'] as const) {
  test(`SDK-29 JRN-67 An accepted edit that a restore lost meets what was written since: both stay (${how})`, async () => {
    await using server = await openDiaryServer()
    await using phone = await openDiaryDevice(server, 'a')
    await using laptop = await openDiaryDevice(server, 'b')
    await phone.client.notes.put('n1', { title: 'one' })
    await phone.client.sync()
    await laptop.client.sync()
    const restore = await backup(server, how)
    server.advance(1_000)
    await phone.client.notes.patch('n1', { body: 'phone' })
    await phone.client.sync()
    await restore()
    await laptop.client.notes.patch('n1', { title: 'laptop' })
    await laptop.client.sync()
    await phone.client.sync()
    await laptop.client.sync()
    for (const device of [phone, laptop]) assert.deepEqual((await device.client.notes.get('n1'))?.data, { title: 'laptop', body: 'phone', likes: 0, tags: [] })
  })
}

for (const how of ['file', 'restore'] as const) {
  test(`SDK-29 JRN-67 A record that a restore lost, and that somebody else has made since, is a conflict with both sides (${how})`, async () => {
    await using server = await openDiaryServer()
    await using phone = await openDiaryDevice(server, 'a')
    await using laptop = await openDiaryDevice(server, 'b')
    await phone.client.notes.put('first', { title: 'first' })
    await phone.client.sync()
    const restore = await backup(server, how)
    server.advance(1_000)
    await phone.client.notes.put('today', { title: 'phone' })
    await phone.client.sync()
    await restore()
    await laptop.client.notes.put('today', { title: 'laptop' })
    await laptop.client.sync()
    await phone.client.sync()
    assert.deepEqual(
      (await phone.client.conflicts.list()).map(({ mine, theirs }) => [mine?.['title'], theirs?.['title']]),
      [['phone', 'laptop']],
    )
  })

  test(`SDK-29 JRN-67 What somebody had replaced before a restore lost it is not offered again (${how})`, async () => {
    await using server = await openDiaryServer()
    await using phone = await openDiaryDevice(server, 'a')
    await using laptop = await openDiaryDevice(server, 'b')
    await phone.client.notes.put('first', { title: 'first' })
    await phone.client.sync()
    const restore = await backup(server, how)
    server.advance(1_000)
    await phone.client.notes.put('today', { title: 'phone' })
    await phone.client.sync()
    await laptop.client.sync()
    await laptop.client.notes.patch('today', { title: 'laptop', body: 'both' })
    await laptop.client.sync()
    await phone.client.sync()
    await restore()
    await laptop.client.sync()
    await phone.client.sync()
    assert.deepEqual([await phone.client.conflicts.list(), await phone.client.rejected.list()], [[], []])
    for (const device of [phone, laptop]) assert.deepEqual((await device.client.notes.get('today'))?.data, { title: 'laptop', body: 'both', likes: 0, tags: [] })
  })
}

test('SDK-29 JRN-67 An accepted edit that a restore lost before anything was read behind it is offered again', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await using laptop = await openDiaryDevice(server, 'b')
  await phone.client.notes.put('first', { title: 'first' })
  await phone.client.sync()
  await laptop.client.sync()
  const restore = await backup(server, 'file')
  server.advance(1_000)
  // The answer to the push arrives, and then nothing for a while: the cursor stays where it was before.
  phone.network.fault = (request) => (request.url.includes('/pull') && phone.network.paths.at(-2) === 'POST /diary/push' ? { kind: 'unreachable' } : refuseEvents(request))
  await phone.client.notes.patch('first', { title: 'phone' })
  await phone.client.sync()
  assert.equal(phone.client.status.get().pending, 0)
  phone.network.fault = refuseEvents
  await restore()
  await laptop.client.notes.patch('first', { body: 'laptop' })
  await laptop.client.sync()
  phone.clock.advance(3_600_000)
  await phone.client.sync()
  await laptop.client.sync()
  for (const device of [phone, laptop]) assert.deepEqual((await device.client.notes.get('first'))?.data, { title: 'phone', body: 'laptop', likes: 0, tags: [] })
})

for (const how of ['file', 'restore'] as const) {
  test(`SDK-29 JRN-67 A server that is put back between reading and sending refuses nothing for it: all is offered again first (${how})`, async () => {
    await using server = await openDiaryServer()
    await using phone = await openDiaryDevice(server, 'a')
    await phone.client.notes.put('old', { title: 'old' })
    await phone.client.sync()
    const restore = await backup(server, how)
    server.advance(1_000)
    await phone.client.notes.patch('old', { title: 'lost' })
    await phone.client.notes.put('new', { title: 'new' })
    await phone.client.sync()
    await phone.client.notes.patch('old', { body: 'sent' })
    await phone.client.notes.patch('new', { body: 'sent' })
    phone.network.during = async (request) => {
      if (!request.url.includes('/pull')) return
      phone.network.during = undefined
      await restore()
    }
    await phone.client.sync()
    await phone.client.sync()
    assert.deepEqual([await phone.client.conflicts.list(), await phone.client.rejected.list(), phone.client.status.get().pending], [[], [], 0])
    await using fresh = await openDiaryDevice(server, 'b')
    await fresh.client.sync()
    for (const [id, title] of [
      ['old', 'lost'],
      ['new', 'new'],
    ] as const)
      assert.deepEqual((await fresh.client.notes.get(id))?.data, { title, body: 'sent', likes: 0, tags: [] })
  })
}

for (const how of ['file', 'restore'] as const)
  for (const when of ['after', 'before'] as const)
    test(`SDK-29 A record that is deleted ${when} a restore has lost it stays deleted when another device offers it again (${how})`, async () => {
      await using server = await openDiaryServer()
      await using phone = await openDiaryDevice(server, 'a')
      await using laptop = await openDiaryDevice(server, 'b')
      await phone.client.sync()
      const restore = await backup(server, how)
      server.advance(1_000)
      await laptop.client.notes.put('n1', { title: 'lost' })
      await laptop.client.sync()
      await phone.client.sync()
      if (when === 'after') await restore()
      await phone.client.notes.delete('n1')
      if (when === 'before') {
        await phone.client.sync()
        await restore()
      }
      for (const device of [phone, laptop, phone, laptop]) await device.client.sync()
      // Who has not seen the deletion offers what it has, and is told of it.
      for (const { mine, theirs } of await laptop.client.conflicts.list()) assert.deepEqual([mine?.['title'], theirs], ['lost', null])
      await laptop.client.conflicts.resolveAll('theirs')
      for (const device of [laptop, phone]) {
        await device.client.sync()
        assert.deepEqual(await titlesOn(device), [])
        assert.deepEqual([device.client.status.get().pending, await device.client.rejected.list()], [0, []])
      }
    })

for (const how of ['file', 'restore'] as const)
  test(`SDK-29 A refused edit stays with its reason when what its record had is offered again (${how})`, async () => {
    await using server = await openDiaryServer()
    await using phone = await openDiaryDevice(server, 'a')
    await phone.client.sync()
    const restore = await backup(server, how)
    await phone.client.books.put('b1', { name: 'book' })
    await phone.client.pages.put('p1', { book: 'b1', number: 1 })
    await phone.client.sync()
    await phone.client.pages.patch('p1', { book: 'nowhere' })
    await phone.client.sync()
    const refused = async () => (await phone.client.rejected.list()).map(({ id, error }) => [id, error.code])
    assert.deepEqual(await refused(), [['p1', 'reference.not_found']])
    await restore()
    await phone.client.sync()
    await phone.client.sync()
    assert.equal(phone.client.status.get().pending, 0)
    assert.deepEqual(await refused(), [['p1', 'reference.not_found']])
    await phone.client.pages.patch('p1', { book: 'b1', number: 2 })
    await phone.client.sync()
    assert.deepEqual(await refused(), [])
  })

test('SDK-30 A copy of the device’s database that uses its numbers again is noticed; both copies’ edits reach the server', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.sync()
  const copied = structuredClone([...(phone.shelf.tables.get('settings')?.rows ?? [])])
  await phone.client.notes.put('n1', { title: 'original' })
  await phone.client.sync()
  await using restored = await openDiaryDevice(server, 'b', { email: 'eve@example.org' })
  await restored.client.close()
  for (const [key, value] of copied) restored.shelf.tables.get('settings')?.rows.set(key, value)
  await restored.restart()
  await restored.client.notes.put('n2', { title: 'copy' })
  await restored.client.sync()
  await restored.client.sync()
  await settled(() => restored.client.status.get().pending === 0)
  await phone.client.sync()
  assert.deepEqual(await titlesOn(phone), ['copy', 'original'])
})

test('SDK-30 What a copy renumbers keeps its order: a transaction stays together', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.sync()
  const copied = structuredClone([...(phone.shelf.tables.get('settings')?.rows ?? [])])
  await phone.client.notes.put('n1', { title: 'original' })
  await phone.client.sync()
  await using restored = await openDiaryDevice(server, 'b', { email: 'eve@example.org' })
  await restored.client.close()
  for (const [key, value] of copied) restored.shelf.tables.get('settings')?.rows.set(key, value)
  await restored.restart()
  await restored.client.transaction(async ({ notes, books }) => {
    await notes.put('n2', { title: 'copy' })
    await books.put('b2', { name: 'copy' })
  })
  await restored.client.notes.patch('n2', { body: 'later' })
  await restored.client.sync()
  const pushed = restored.network.requests
    .filter(({ url }) => url.includes('/push'))
    .map(({ body }) => (JSON.parse(body ?? '') as PushRequest).mutations.map((mutation) => `${(mutation as WireMutation).n} ${(mutation as WireMutation).id}`))
  assert.deepEqual(pushed, [['1 n2', '2 b2'], ['4 n2', '5 b2'], ['6 n2']])
  assert.equal(restored.client.status.get().pending, 0)
})

test('SDK-30 A push that arrived twice before its answer is not taken for that of a copy: a count counts once', async () => {
  await using server = await openDiaryServer()
  const twice: Transport = async (request) => {
    if (request.url.includes('/push')) for await (const _piece of (await fetchTransport(request)).body) continue
    return fetchTransport(request)
  }
  await using phone = await openDiaryDevice(server, 'a', { transport: twice })
  await phone.client.notes.put('n1', { title: 'one' })
  await phone.client.sync()
  await phone.client.notes.patch('n1', { likes: 1 })
  await phone.client.sync()
  assert.equal(phone.client.status.get().pending, 0)
  assert.equal((await phone.client.notes.get('n1'))?.data.likes, 1)
})

test('SDK-31 JRN-56 A record that cannot be read here is put aside with its reason and stops nothing else', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await using laptop = await openDiaryDevice(server, 'b')
  await laptop.client.sync()
  for (const title of ['a', 'b', 'c']) await phone.client.notes.put(title, { title })
  await phone.client.sync()
  laptop.network.fault = (request) => {
    if (!request.url.includes('/pull')) return refuseEvents(request)
    laptop.network.fault = refuseEvents
    const cursor = new URL(request.url).searchParams.get('cursor')
    const record = (id: string, data: unknown) => ({ collection: 'notes', id, version: 5, deleted: false, data, createdAt: 1, updatedAt: 1, author: 'x', device: null })
    return { kind: 'answer', status: 200, body: JSON.stringify({ epoch: 'e', changes: [record('x', 'not a record'), record('y', { title: 'y' })], cursor, more: true }) }
  }
  await laptop.client.sync()
  assert.equal((await laptop.client.notes.get('y'))?.data.title, 'y')
  await settled(() => laptop.client.status.get().aside === 1)
})
