import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDiaryDevice as openDevice, openDiaryServer as openServer, titlesOn as titles } from './diary.fixture.ts'
import { refuseEvents } from './testing/open-test-client.ts'

test('SDK-7 JRN-54 What one device writes another reads; nothing is left waiting', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  await using laptop = await openDevice(server, 'b')
  const id = await phone.client.notes.add({ title: 'one' })
  assert.deepEqual((await phone.client.notes.get(id))?.sync, 'waiting')
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  assert.equal((await phone.client.notes.get(id))?.sync, 'synced')
  assert.deepEqual(await laptop.client.sync(), { kind: 'synced' })
  const read = await laptop.client.notes.get(id)
  assert.deepEqual(read?.data, { title: 'one', body: '', likes: 0, tags: [] })
  assert.ok((read?.version ?? 0) > 0)
  await laptop.client.notes.delete(id)
  await laptop.client.sync()
  await phone.client.sync()
  assert.equal(await phone.client.notes.get(id), undefined)
})

test('SDK-7 JRN-57 Syncing with nothing new writes no record and sends no push', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  await phone.client.notes.add({ title: 'one' })
  await phone.client.sync()
  const before = structuredClone(phone.shelf.tables.get('records')?.rows)
  phone.network.requests.length = 0
  await phone.client.sync()
  assert.deepEqual(phone.network.paths, ['GET /diary/pull'])
  assert.deepEqual(phone.shelf.tables.get('records')?.rows, before)
})

test('SDK-3 JRN-55 An edit made while its record is being sent is sent next, on top of what the server answered', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  const id = await phone.client.notes.add({ title: 'one' })
  phone.network.during = async ({ url }) => {
    if (!url.includes('/push')) return
    phone.network.during = undefined
    await phone.client.notes.patch(id, { title: 'two' })
  }
  await phone.client.sync()
  const pushes = phone.network.requests.filter(({ url }) => url.includes('/push')).map(({ body }) => JSON.parse(body ?? '') as { mutations: { op: string; base: number; data: unknown }[] })
  assert.deepEqual(
    pushes.map(({ mutations }) => mutations.map(({ op, data }) => [op, data])),
    [[['put', { title: 'one', body: '', likes: 0, tags: [] }]], [['patch', { title: 'two' }]]],
  )
  assert.ok((pushes[1]?.mutations[0]?.base ?? 0) > 0)
  assert.deepEqual(await titles(phone), ['two'])
  assert.equal((await phone.client.notes.get(id))?.sync, 'synced')
})

test('SDK-3 JRN-55 A create whose answer was lost is followed by a real delete', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  await using laptop = await openDevice(server, 'b')
  const id = await phone.client.notes.add({ title: 'one' })
  phone.network.fault = (request) => (request.url.includes('/push') ? { kind: 'lose-answer' } : refuseEvents(request))
  assert.equal((await phone.client.sync()).kind, 'failed')
  await laptop.client.sync()
  assert.deepEqual(await titles(laptop), ['one'])
  await phone.client.notes.delete(id)
  phone.network.fault = refuseEvents
  await phone.client.sync()
  await laptop.client.sync()
  assert.deepEqual(await titles(laptop), [])
  assert.equal(phone.client.status.get().pending, 0)
})

test('SDK-8 JRN-54 A push whose answer is lost takes effect once, also after a restart', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  const id = await phone.client.notes.add({ title: 'one' })
  await phone.client.sync()
  await phone.client.notes.patch(id, { likes: 3 })
  phone.network.fault = (request) => (request.url.includes('/push') ? { kind: 'lose-answer' } : refuseEvents(request))
  await phone.client.sync()
  phone.network.fault = refuseEvents
  await phone.restart()
  await phone.client.sync()
  const note = await phone.client.notes.get(id)
  assert.deepEqual([note?.data.likes, note?.sync], [3, 'synced'])
  const row = await server.database.read((reader) => reader.all<{ count: number }>("SELECT count(*) AS count FROM holdfast_changes WHERE entity = 'notes'"))
  assert.equal(Number(row[0]?.count), 2)
})

test('SDK-9 JRN-58 Edits of different fields meet and both stay; counters add up', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  await using laptop = await openDevice(server, 'b')
  const id = await phone.client.notes.add({ title: 'one', likes: 1 })
  await phone.client.sync()
  await laptop.client.sync()
  await phone.client.notes.patch(id, { title: 'phone', likes: 3 })
  await laptop.client.notes.patch(id, { body: 'laptop', likes: 2 })
  await laptop.client.sync()
  await phone.client.sync()
  await laptop.client.sync()
  for (const device of [phone, laptop]) assert.deepEqual((await device.client.notes.get(id))?.data, { title: 'phone', body: 'laptop', likes: 4, tags: [] })
})

test('SDK-11 JRN-58 A deletion that meets an unsent edit keeps the edit as a conflict', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  await using laptop = await openDevice(server, 'b')
  const id = await phone.client.notes.add({ title: 'one' })
  await phone.client.sync()
  await laptop.client.sync()
  await laptop.client.notes.delete(id)
  await laptop.client.sync()
  await phone.client.notes.patch(id, { title: 'kept' })
  await phone.client.sync()
  const [conflict] = await phone.client.conflicts.list()
  assert.ok(conflict)
  assert.deepEqual([conflict.mine?.['title'], conflict.theirs], ['kept', null])
  await phone.client.conflicts.resolve(conflict, 'mine')
  await phone.client.sync()
  await laptop.client.sync()
  assert.deepEqual(await titles(laptop), ['kept'])
})

test('SDK-12 A refused edit is put aside with its reason and holds up no other; mended it is sent, and the refusal is settled', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  await using laptop = await openDevice(server, 'b')
  await phone.client.pages.put('p1', { book: 'nowhere', number: 1 })
  await phone.client.notes.put('n1', { title: 'fine' })
  await phone.client.sync()
  const [refused] = await phone.client.rejected.list()
  assert.deepEqual([refused?.collection, refused?.id, refused?.error.code], ['pages', 'p1', 'reference.not_found'])
  assert.equal(await phone.client.pages.get('p1'), undefined)
  await phone.client.books.put('b1', { name: 'book' })
  assert.equal(await phone.client.rejected.retry(refused?.n ?? 0, { book: 'b1' }), true)
  await phone.client.sync()
  await laptop.client.sync()
  assert.deepEqual((await laptop.client.pages.get('p1'))?.data, { book: 'b1', number: 1 })
  assert.deepEqual(await titles(laptop), ['fine'])
  assert.deepEqual(await phone.client.rejected.list(), [])
})

test('SDK-12 SDK-4 A refused edit that is mended meets what somebody else has written meanwhile, and does not go over it', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  await using laptop = await openDevice(server, 'b')
  await phone.client.pages.put('p1', { book: 'nowhere', number: 1 })
  await phone.client.sync()
  await laptop.client.books.put('b1', { name: 'book' })
  await laptop.client.pages.put('p1', { book: 'b1', number: 2 })
  await laptop.client.sync()
  await phone.client.sync()
  const [refused] = await phone.client.rejected.list()
  assert.equal(await phone.client.rejected.retry(refused?.n ?? 0, { book: 'b1' }), true)
  await phone.client.sync()
  await laptop.client.sync()
  const [conflict] = await phone.client.conflicts.list()
  assert.deepEqual([conflict?.mine?.['number'], conflict?.theirs?.['number']], [1, 2])
  assert.deepEqual((await laptop.client.pages.get('p1'))?.data, { book: 'b1', number: 2 })
})

test('SDK-12 A refused edit that is thrown away on the device is thrown away on the server as well, as soon as that is possible', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  const { headers } = await server.signIn('ada@example.org', 'desk')
  const onServer = async () => {
    const answer = (await (await fetch(`${server.url}/api/v1/diary/rejected`, { headers })).json()) as { readonly rejected: readonly { readonly recordId: string }[] }
    return answer.rejected.map(({ recordId }) => recordId)
  }
  for (const id of ['p1', 'p2']) await phone.client.pages.put(id, { book: 'nowhere', number: 1 })
  await phone.client.sync()
  await phone.client.pages.put('p2', { book: 'nowhere', number: 2 })
  await phone.client.sync()
  assert.deepEqual((await onServer()).toSorted(), ['p1', 'p2'])
  phone.network.setOnline(false)
  const [first, second, third] = await phone.client.rejected.list()
  assert.deepEqual([first?.id, second?.id, third?.id], ['p1', 'p2', 'p2'])
  for (const row of [first, second]) assert.equal(await phone.client.rejected.discard(row?.n ?? 0), true)
  assert.equal(await phone.client.rejected.discard(first?.n ?? 0), false)
  await phone.restart()
  phone.network.setOnline(true)
  phone.network.fault = (request) => (request.method === 'DELETE' ? { kind: 'unreachable' } : refuseEvents(request))
  assert.equal((await phone.client.sync()).kind, 'failed')
  phone.network.fault = refuseEvents
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  // One edit of the second record is still asked about here.
  assert.deepEqual(await onServer(), ['p2'])
  await phone.client.rejected.discard(third?.n ?? 0)
  await phone.client.sync()
  assert.deepEqual(await onServer(), [])
  phone.network.requests.length = 0
  await phone.client.sync()
  assert.deepEqual(phone.network.paths, ['GET /diary/pull'])
})

test('SDK-13 A transaction reaches the server whole or not at all', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  await using laptop = await openDevice(server, 'b')
  await phone.client.transaction(async ({ books, pages }) => {
    await books.put('b1', { name: 'book' })
    await pages.put('p1', { book: 'b1', number: 1 })
    assert.equal((await books.get('b1'))?.data.name, 'book')
  })
  await phone.client.sync()
  await laptop.client.sync()
  assert.equal((await laptop.client.pages.get('p1'))?.data.number, 1)
  await phone.client.transaction(async ({ books, pages }) => {
    await books.patch('b1', { name: 'renamed' })
    await pages.put('p2', { book: 'nowhere', number: 2 })
  })
  await phone.client.sync()
  await laptop.client.sync()
  assert.equal((await laptop.client.books.get('b1'))?.data.name, 'book')
  assert.deepEqual(
    (await phone.client.rejected.list()).map(({ id, error }) => [id, error.code]),
    [
      ['b1', 'group.aborted'],
      ['p2', 'reference.not_found'],
    ],
  )
  await assert.rejects(
    phone.client.transaction(async ({ books }) => {
      await books.put('b2', { name: 'never' })
      throw new Error('changed my mind')
    }),
    /changed my mind/,
  )
  assert.equal(await phone.client.books.get('b2'), undefined)
})

test('SDK-13 A transaction runs again when what it has read was changed before its end: nobody is overwritten who was not seen', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  await using laptop = await openDevice(server, 'b')
  const id = await phone.client.notes.add({ title: 'note', body: 'first' })
  await phone.client.sync()
  await laptop.client.sync()
  await laptop.client.notes.patch(id, { body: 'first\nfrom the laptop', tags: ['laptop'] })
  await laptop.client.sync()
  let runs = 0
  await phone.client.transaction(async ({ notes, books }) => {
    runs += 1
    const data = (await notes.get(id))?.data
    if (runs === 1) await phone.client.sync()
    await notes.patch(id, { body: `${data?.body}\nfrom the phone`, tags: [...(data?.tags ?? []), 'phone'] })
    await books.put('b1', { name: `run ${runs}` })
  })
  assert.equal(runs, 2)
  await phone.client.sync()
  await laptop.client.sync()
  for (const { client } of [phone, laptop]) {
    assert.deepEqual((await client.notes.get(id))?.data, { title: 'note', body: 'first\nfrom the laptop\nfrom the phone', likes: 0, tags: ['laptop', 'phone'] })
    assert.equal((await client.books.get('b1'))?.data.name, 'run 2')
  }
  // Another tab, or a second transaction on this one.
  const count = () => phone.client.transaction(async ({ notes }) => notes.patch(id, { title: `${(await notes.get(id))?.data.title}!` }))
  await Promise.all([count(), count(), count()])
  assert.equal((await phone.client.notes.get(id))?.data.title, 'note!!!')
})

test('SDK-5 An edit that names a record made later waits for it instead of overtaking it', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  await phone.client.books.put('b1', { name: 'first' })
  await phone.client.pages.put('p1', { book: 'b1', number: 1 })
  await phone.client.books.put('b2', { name: 'second' })
  await phone.client.pages.patch('p1', { book: 'b2' })
  await phone.client.sync()
  assert.deepEqual(await phone.client.rejected.list(), [])
  assert.deepEqual((await phone.client.pages.get('p1'))?.data, { book: 'b2', number: 1 })
  assert.equal(phone.client.status.get().pending, 0)
})

test('SDK-6 What is not valid is refused before it is written, with the field', async () => {
  await using server = await openServer()
  await using phone = await openDevice(server, 'a')
  const refusedField = (work: Promise<unknown>, path: string) =>
    assert.rejects(work, (error: Error & { fields?: { path: string }[] }) => error.name === 'InvalidEditError' && error.fields?.[0]?.path === path)
  await refusedField(phone.client.notes.put('n1', { title: 'x'.repeat(51) }), 'title')
  await refusedField(phone.client.notes.put('bad id', { title: 'x' }), 'id')
  await refusedField(phone.client.notes.put('n1', { title: 'x', colour: 'red' } as never), 'colour')
  await refusedField(phone.client.notes.put('n1', { title: 'a\u0000' }), 'title')
  await refusedField(phone.client.notes.put('n1', { title: '\ud800' }), 'title')
  await assert.rejects(phone.client.notes.patch('n1', { title: 'x' }), { name: 'NoRecordError' })
  await phone.client.notes.put('n1', { title: '\\ud800 \\u0000 😀' })
  await refusedField(phone.client.notes.patch('n1', { likes: 1.5 }), 'likes')
  await phone.client.sync()
  assert.deepEqual(await titles(phone), ['\\ud800 \\u0000 😀'])
})
