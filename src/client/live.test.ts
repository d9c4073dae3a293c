import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDiaryDevice, openDiaryServer, settled, titlesOn } from './diary.fixture.ts'
import { createMemoryShelf, memoryStore } from './stores/memory-store.ts'
import type { OpenStore } from './stores/store.ts'

/** A store whose disk a test breaks. */
function breakableStore() {
  const disk = { broken: false, refused: 0 }
  const shelf = createMemoryShelf()
  const open: OpenStore = async () => {
    const inner = await memoryStore(shelf)()
    return {
      read: async (work) => {
        if (!disk.broken) return inner.read(work)
        disk.refused += 1
        throw new Error('The disk cannot be read.')
      },
      write: (work, options) => inner.write(work, options),
      close: () => inner.close(),
    }
  }
  return { disk, open }
}

test('SDK-40 JRN-62 The server’s doorbell brings a change of another device at once; without it a timer does', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await using laptop = await openDiaryDevice(server, 'b')
  await phone.client.sync()
  phone.network.fault = () => ({ kind: 'pass' })
  phone.clock.advance(60_000)
  phone.network.setOnline(true)
  await settled(() => phone.client.status.get().live)
  await phone.client.sync()
  await laptop.client.notes.add({ title: 'rung' })
  await laptop.client.sync()
  // The test's clock stands still: no timer has anything to do with it.
  await settled(async () => (await titlesOn(phone)).includes('rung'))
  await phone.client.notes.add({ title: 'back' })
  await phone.client.sync()
  await laptop.client.sync()
  await settled(() => laptop.client.status.get().progress === null)
  await phone.client.notes.add({ title: 'polled' })
  await phone.client.sync()
  assert.equal(laptop.client.status.get().live, false)
  laptop.clock.advance(60_000)
  await settled(async () => (await titlesOn(laptop)).includes('polled'))
})

test('SDK-40 What the doorbell tells of jobs lets the client read nothing', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await using laptop = await openDiaryDevice(server, 'b')
  await phone.client.sync()
  phone.network.fault = () => ({ kind: 'pass' })
  phone.clock.advance(60_000)
  phone.network.setOnline(true)
  await settled(() => phone.client.status.get().live)
  await phone.client.sync()
  const before = phone.network.requests.length
  const [seat] = await server.database.read((reader) => reader.all<{ space: number }>('SELECT space FROM holdfast_spaces'))
  server.context.doorbell.tellJobs({ space: seat?.space ?? 0, ids: undefined })
  await laptop.client.notes.add({ title: 'rung' })
  await laptop.client.sync()
  await settled(async () => (await titlesOn(phone)).includes('rung'))
  const pulls = phone.network.paths.slice(before).filter((path) => path.endsWith('/pull'))
  assert.equal(pulls.length, 1)
})

test('SDK-40 A store that could not be read for a while ends the listening for no longer than that', async () => {
  const { disk, open } = breakableStore()
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a', { store: open })
  await phone.client.sync()
  phone.network.fault = () => ({ kind: 'pass' })
  disk.broken = true
  phone.network.setOnline(true)
  await settled(() => disk.refused > 1)
  await phone.client.sync()
  disk.broken = false
  phone.clock.advance(60_000)
  phone.network.setOnline(true)
  await settled(() => phone.client.status.get().live)
})

test('SDK-41 Watching gives the records and again whenever they change, by callback and by iteration, and ends when it is told to', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  const seen: string[][] = []
  const stop = phone.client.notes.watch({ where: { likes: 0 }, sort: '-title' }, (items) => seen.push(items.map(({ data }) => data.title)))
  await settled(() => seen.length === 1)
  await phone.client.notes.put('n1', { title: 'one' })
  await settled(() => seen.length === 2)
  await phone.client.books.put('b1', { name: 'of no concern' })
  await phone.client.notes.put('n2', { title: 'two' })
  await settled(() => seen.at(-1)?.length === 2)
  assert.deepEqual(seen.at(-1), ['two', 'one'])
  stop()
  const count = seen.length
  const iterator = phone.client.notes.watch('n1')
  assert.equal((await iterator.next()).value?.data.title, 'one')
  const next = iterator.next()
  await phone.client.notes.patch('n1', { title: 'uno' })
  assert.equal((await next).value?.data.title, 'uno')
  await iterator.return?.()
  assert.equal((await iterator.next()).done, true)
  for await (const status of phone.client.status) {
    if (status.pending === 3) break
  }
  assert.equal(seen.length, count)
})

test('SDK-51 A listener of the app that throws fails no sync and silences no other listener; what it threw is in the console', async (context) => {
  const reported = context.mock.method(console, 'error', () => undefined)
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await using laptop = await openDiaryDevice(server, 'b')
  await laptop.client.notes.add({ title: 'to be read' })
  await laptop.client.sync()
  const wrong = new Error('A mistake of the app.')
  const broken = (): never => {
    throw wrong
  }
  const seen = { progress: 0, pending: 0, notes: 0 }
  phone.client.onProgress(broken)
  phone.client.onProgress(() => (seen.progress += 1))
  phone.client.status.watch(broken)
  phone.client.status.watch(({ pending }) => (seen.pending = pending))
  phone.client.notes.watch({}, broken, broken)
  phone.client.notes.watch({}, (items) => (seen.notes = items.length))
  await phone.client.notes.add({ title: 'written' })
  await settled(() => seen.pending === 1)
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  await settled(() => seen.pending === 0 && seen.notes === 2)
  assert.ok(seen.progress > 0)
  assert.ok(reported.mock.calls.some(({ arguments: [error] }) => error === wrong))
})

test('SDK-41 What cannot be read is told to who watches: the iteration ends with the error, and conflicts and refusals name it too', async () => {
  const { disk, open } = breakableStore()
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a', { store: open })
  const { notes, conflicts, rejected } = phone.client
  const told: string[] = []
  const iterators = [notes.watch(), notes.watch('n1')]
  for (const iterator of iterators) await iterator.next()
  disk.broken = true
  const refusal = /The disk cannot be read/
  const next = iterators.map((iterator) => assert.rejects(iterator.next(), refusal))
  conflicts.watch(
    () => undefined,
    () => told.push('conflicts'),
  )
  rejected.watch(
    () => undefined,
    () => told.push('rejected'),
  )
  await notes.put('n1', { title: 'written' }).catch(() => undefined)
  await settled(() => told.length >= 2)
  assert.deepEqual(new Set(told), new Set(['conflicts', 'rejected']))
  await Promise.all(next)
  for (const iterator of iterators) assert.equal((await iterator.next()).done, true)
  await assert.rejects(notes.watch().next(), refusal)
})

test('SDK-41 A list is filtered, sorted and cut; equal ones stand in the order of their ids', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  for (const [id, title, likes] of [
    ['c', 'x', 2],
    ['a', 'y', 10],
    ['b', 'x', 1],
  ] as const)
    await phone.client.notes.put(id, { title, likes })
  const ids = async (query: Parameters<typeof phone.client.notes.list>[0]) => (await phone.client.notes.list(query)).map(({ id }) => id)
  assert.deepEqual(await ids({}), ['a', 'b', 'c'])
  assert.deepEqual(await ids({ sort: 'title' }), ['b', 'c', 'a'])
  assert.deepEqual(await ids({ sort: '-likes' }), ['a', 'c', 'b'])
  assert.deepEqual(await ids({ where: { title: 'x' }, limit: 1, offset: 1 }), ['c'])
  assert.deepEqual(await ids({ where: ({ likes }) => likes > 1, sort: 'likes' }), ['c', 'a'])
})
