import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection, ref } from '../app/collection.ts'
import { defineApp } from '../app/define-app.ts'
import { hostApp } from '../http/host-app.ts'
import { limits } from '../protocol/limits.ts'
import { openTestServer, type TestServer } from '../testing/open-test-server.ts'
import { fetchTransport } from './client.ts'
import { failPushes, openDiaryDevice, openDiaryServer, settled, statusIs, statusOf, titlesOn } from './diary.fixture.ts'
import { openTestDevice, refuseEvents, signedInOf } from './testing/open-test-client.ts'

test('SDK-20 Retry-After is honoured and does not count as a failure', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.sync()
  await phone.client.notes.add({ title: 'waits' })
  failPushes(phone, () => ({ kind: 'answer', status: 429, headers: { 'retry-after': '120' } }))
  assert.deepEqual(await phone.client.sync(), { kind: 'waiting', reason: 'throttled' })
  const tries = phone.network.requests.length
  assert.deepEqual(await phone.client.sync(), { kind: 'waiting', reason: 'throttled' })
  phone.clock.advance(119_000)
  assert.equal(phone.network.requests.length, tries)
  phone.network.fault = refuseEvents
  phone.clock.advance(1_000)
  await statusIs(phone, ({ pending }) => pending === 0)
})

for (const [says, headers] of [
  ['without Retry-After', {}],
  ['with a Retry-After of 0', { 'retry-after': '0' }],
  ['with a Retry-After that is past', { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }],
] as const)
  for (const code of [429, 503])
    test(`SDK-20 SDK-15 A server that answers ${code} ${says} is asked again less and less`, async () => {
      await using server = await openDiaryServer()
      await using phone = await openDiaryDevice(server, 'a')
      await phone.client.sync()
      await phone.client.notes.add({ title: 'waits' })
      failPushes(phone, () => ({ kind: 'answer', status: code, headers, body: '{"code":"server.busy"}' }))
      const waits: number[] = []
      await phone.client.sync()
      for (let count = 0; count < 4; count += 1) {
        const retryAt = () => statusOf(phone).retryAt ?? 0
        await settled(() => retryAt() > phone.clock.now())
        const wait = retryAt() - phone.clock.now()
        waits.push(wait)
        phone.clock.advance(wait)
      }
      assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000])
      phone.network.fault = refuseEvents
      await phone.client.sync()
      await statusIs(phone, ({ pending, rejected }) => pending === 0 && rejected === 0)
    })

test('SDK-21 On 413 the batches are halved until they pass; a record that alone is too large is put aside and others go on', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.sync()
  for (let index = 0; index < 20; index += 1) await phone.client.notes.put(`n${index}`, { title: index === 7 ? 'huge' : 'fine' })
  const sizes: number[] = []
  failPushes(phone, ({ body = '' }) => {
    const { mutations } = JSON.parse(body) as { mutations: unknown[] }
    sizes.push(mutations.length)
    return mutations.length > 6 || body.includes('huge') ? { kind: 'answer', status: 413 } : { kind: 'pass' }
  })
  await phone.client.sync()
  assert.deepEqual(sizes.slice(0, 3), [20, 10, 5])
  assert.deepEqual(
    (await phone.client.rejected.list()).map(({ id }) => id),
    ['n7'],
  )
  await statusIs(phone, ({ pending, rejected }) => pending === 0 && rejected === 1)
  await using laptop = await openDiaryDevice(server, 'b')
  await laptop.client.sync()
  assert.equal((await titlesOn(laptop)).length, 19)
})

test('SDK-21 COM-14 Where the server keeps too many answers of a device whose oldest edit it cannot take, nothing is put aside; the device waits and says why', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  const notes = ['n1', 'n2', 'n3']
  for (const id of notes) await phone.client.notes.put(id, { title: id })
  await phone.client.sync()
  await server.database.write(async (tx) => {
    const [known] = await tx.all<{ space: number; client: string }>('SELECT space, client FROM holdfast_clients')
    if (known === undefined) throw new Error('The server does not know the device.')
    const rows = Array.from({ length: limits.KEPT_OUTCOMES_MAX }, (_, index) => [known.space, known.client, index + 1_000, '{"status":"unchanged","collection":"notes","id":"n1"}'])
    await tx.insertMany({ table: 'holdfast_outcomes', columns: ['space', 'client', 'n', 'outcome'], rows })
  })
  await phone.client.notes.put('poison', { title: 'poison' })
  for (const id of notes) await phone.client.notes.patch(id, { likes: 1 })
  // Others write while the device reads: its own edits are joined with theirs, and those answers are kept.
  const { headers } = await server.signIn('ada@example.org', 'desk')
  const items = await Promise.all(notes.map((id) => phone.client.notes.get(id)))
  const mutations = items.map((item) => ({ collection: 'notes', id: item?.id, op: 'patch', base: item?.version, data: { body: 'theirs' } }))
  phone.network.during = async ({ url }) => {
    if (!url.includes('/pull')) return
    phone.network.during = undefined
    await fetch(`${server.url}/api/v1/diary/push`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ mutations }) })
  }
  failPushes(phone, ({ body = '' }) => (body.includes('poison') ? { kind: 'answer', status: 500 } : { kind: 'pass' }))
  await phone.client.sync()
  assert.deepEqual(
    (await phone.client.rejected.list()).map(({ id }) => id),
    [],
  )
  await statusIs(phone, ({ lastError }) => lastError !== null)
  assert.match(statusOf(phone).lastError?.message ?? '', /ackedThrough/)
  assert.deepEqual([statusOf(phone).pending, statusOf(phone).rejected], [4, 0])
  await server.database.write((tx) => tx.run('DELETE FROM holdfast_outcomes WHERE n >= 1000', []))
  phone.network.fault = refuseEvents
  phone.clock.advance(60_000)
  await statusIs(phone, ({ pending, rejected, lastError }) => pending === 0 && rejected === 0 && lastError === null)
})

/** A device with a page that is there, and how many refused edits the server keeps. */
async function openPage(server: TestServer) {
  const phone = await openDiaryDevice(server, 'a')
  for (const id of ['b1', 'b2', 'b3']) await phone.client.books.put(id, { name: id })
  await phone.client.pages.put('p1', { book: 'b1', number: 1 })
  await phone.client.sync()
  const kept = async () => {
    const [row] = await server.database.read((reader) => reader.all<{ count: number }>('SELECT count(*) AS count FROM holdfast_rejected'))
    return [(await phone.client.rejected.list()).map(({ data }) => data?.['book']), Number(row?.count)]
  }
  return { phone, kept }
}

test('SDK-53 A refused edit is settled by a later one that says the same fields, and by none that says others', async () => {
  await using server = await openDiaryServer()
  const { phone, kept } = await openPage(server)
  await using _closed = phone
  await phone.client.pages.patch('p1', { book: 'nowhere' })
  await phone.client.sync()
  for (const number of [2, 3]) {
    await phone.client.pages.patch('p1', { number })
    await phone.client.sync()
    assert.deepEqual(await kept(), [['nowhere'], 1])
  }
  await phone.client.pages.patch('p1', { book: 'b2' })
  await phone.client.sync()
  assert.deepEqual(await kept(), [[], 0])
  // The whole record settles whatever was refused of it, and so does its deletion.
  await phone.client.pages.patch('p1', { book: 'nowhere' })
  await phone.client.sync()
  await phone.client.pages.put('p1', { book: 'b1', number: 4 })
  await phone.client.sync()
  assert.deepEqual(await kept(), [[], 0])
  await phone.client.pages.patch('p1', { book: 'nowhere' })
  await phone.client.sync()
  await phone.client.pages.delete('p1')
  await phone.client.sync()
  assert.deepEqual(await kept(), [[], 0])
})

test('SDK-54 An edit that is made again goes over nothing that was written since: what waits, is refused later or in conflict comes first', async () => {
  await using server = await openDiaryServer()
  const { phone, kept } = await openPage(server)
  await using _closed = phone
  const refused = async () => (await phone.client.rejected.list()).map(({ n }) => n)
  await phone.client.pages.patch('p1', { book: 'nowhere' })
  await phone.client.sync()
  await phone.client.pages.patch('p1', { book: 'not-here' })
  await phone.client.sync()
  const [first = 0, second = 0] = await refused()
  assert.equal(await phone.client.rejected.retry(first, { book: 'b2' }), false)
  assert.deepEqual((await kept())[0], ['nowhere', 'not-here'])
  phone.network.setOnline(false)
  await phone.client.pages.patch('p1', { number: 2 })
  assert.equal(await phone.client.rejected.retry(second, { book: 'b3' }), false)
  phone.network.setOnline(true)
  await phone.client.sync()
  assert.equal(await phone.client.rejected.retry(second, { book: 'b3' }), true)
  // It is on its way, and the first must not go over it; then it says what the first one said.
  assert.equal(await phone.client.rejected.retry(first, { book: 'b2' }), false)
  await phone.client.sync()
  assert.deepEqual((await phone.client.pages.get('p1'))?.data, { book: 'b3', number: 2 })
  assert.deepEqual(await kept(), [[], 0])
  await using laptop = await openDiaryDevice(server, 'b')
  await laptop.client.sync()
  await phone.client.pages.patch('p1', { book: 'nowhere' })
  await phone.client.sync()
  for (const { client } of [laptop, phone]) {
    await client.pages.patch('p1', { number: client === phone.client ? 4 : 3 })
    await client.sync()
  }
  const [third = 0] = await refused()
  assert.equal((await phone.client.conflicts.list()).length, 1)
  assert.equal(await phone.client.rejected.retry(third, { book: 'b2' }), false)
})

test('SDK-53 COM-15 What no device holds any more of a refused record, the server does not keep either', async () => {
  await using server = await openDiaryServer()
  const { phone, kept } = await openPage(server)
  await using _closed = phone
  const last = async () => (await phone.client.rejected.list()).at(-1)?.n ?? 0
  await phone.client.pages.patch('p1', { book: 'nowhere' })
  await phone.client.sync()
  await phone.client.transaction(async ({ pages }) => {
    await pages.patch('p1', { number: 5 })
    await pages.put('p2', { book: 'nowhere', number: 1 })
  })
  await phone.client.sync()
  for (const _each of ['p2', 'p1']) assert.equal(await phone.client.rejected.discard(await last()), true)
  await phone.client.sync()
  await phone.client.pages.patch('p1', { book: 'b2' })
  await phone.client.sync()
  assert.deepEqual(await kept(), [[], 0])
})

test('SDK-53 COM-15 A refusal that is settled by what another has written by the time of the answer is settled on the server too', async () => {
  await using server = await openDiaryServer()
  const { phone, kept } = await openPage(server)
  await using _closed = phone
  await using laptop = await openDiaryDevice(server, 'b')
  await phone.client.transaction(async ({ pages }) => {
    await pages.patch('p1', { book: 'b2', number: 2 })
    await pages.put('p2', { book: 'nowhere', number: 1 })
  })
  await phone.client.sync()
  await phone.client.rejected.discard((await phone.client.rejected.list()).find(({ id }) => id === 'p2')?.n ?? 0)
  await phone.client.pages.patch('p1', { number: 3 })
  failPushes(phone, () => ({ kind: 'lose-answer' }))
  await phone.client.sync()
  await laptop.client.sync()
  await laptop.client.pages.patch('p1', { book: 'b2' })
  await laptop.client.sync()
  phone.network.fault = refuseEvents
  await phone.client.sync()
  assert.deepEqual(await kept(), [[], 0])
})

test('SDK-53 More refused edits than a page are settled as well', async () => {
  await using server = await openDiaryServer()
  const { phone } = await openPage(server)
  await using _closed = phone
  for (let page = 0; page < 501; page += 1) await phone.client.pages.put(`q${page}`, { book: 'nowhere', number: page })
  await phone.client.pages.patch('p1', { book: 'nowhere' })
  await phone.client.sync()
  const onP1 = async () => (await phone.client.rejected.list()).map(({ id }) => id === 'p1')
  assert.deepEqual([(await onP1()).length, (await onP1()).includes(true)], [502, true])
  await phone.client.pages.patch('p1', { book: 'b2' })
  await phone.client.sync()
  assert.deepEqual([(await onP1()).length, (await onP1()).includes(true)], [501, false])
})

test('SDK-54 An edit is made again on what is there when it is written, and not on what was there when somebody asked', async () => {
  await using server = await openDiaryServer()
  const { phone } = await openPage(server)
  await using _closed = phone
  await phone.client.pages.patch('p1', { book: 'nowhere' })
  await phone.client.sync()
  const [first] = await phone.client.rejected.list()
  // Asked at once: who comes second finds that there is no such edit any more.
  const [again, thrown] = await Promise.all([phone.client.rejected.retry(first?.n ?? 0, { book: 'b2' }), phone.client.rejected.discard(first?.n ?? 0)])
  assert.equal(again, !thrown)
  await phone.client.sync()
  assert.equal((await phone.client.pages.get('p1'))?.data.book, again ? 'b2' : 'b1')
})

test('SDK-53 COM-15 An edit that says again what was refused and loses by its clock settles that here and on the server', async () => {
  const app = defineApp({
    name: 'marks',
    collections: {
      marks: collection(z.object({ colour: z.string() }), { conflict: 'lastWriteWins' }),
      books: collection(z.object({ name: z.string() })),
      pages: collection(z.object({ book: ref('books') })),
    },
  })
  await using server = await openTestServer({ apps: [hostApp({ app })] })
  const open = async (name: string) => {
    const device = openTestDevice({ url: server.url, app, transport: fetchTransport, name })
    await device.client.adopt(signedInOf(await server.register('ada@example.org', name).catch(() => server.signIn('ada@example.org', name))))
    return device
  }
  await using phone = await open('a')
  await using laptop = await open('b')
  await phone.client.marks.put('m1', { colour: 'red' })
  await phone.client.sync()
  await phone.client.transaction(async ({ marks, pages }) => {
    await marks.patch('m1', { colour: 'blue' })
    await pages.put('p1', { book: 'nowhere' })
  })
  await phone.client.sync()
  await phone.client.marks.patch('m1', { colour: 'green' })
  laptop.clock.advance(1_000)
  await laptop.client.sync()
  await laptop.client.marks.patch('m1', { colour: 'black' })
  await laptop.client.sync()
  await phone.client.sync()
  assert.equal((await phone.client.marks.get('m1'))?.data.colour, 'black')
  const refused = await server.database.read((reader) => reader.all<{ record: string }>('SELECT record FROM holdfast_rejected'))
  assert.deepEqual([(await phone.client.rejected.list()).map(({ id }) => id), refused.map(({ record }) => record)], [['p1'], ['p1']])
})
