import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestServer, type TestServer, type TestUser } from '../testing/open-test-server.ts'
import { call, hostedDiary } from './test-calls.fixture.ts'

const put = (n: number, id: string, data: object, base = 0) => ({ n, collection: 'notes', id, op: 'put', base, data })

async function rowsOf(world: TestServer): Promise<string> {
  return world.database.read(async (reader) =>
    JSON.stringify([await reader.all('SELECT id, version, title FROM diary_notes ORDER BY id'), await reader.all('SELECT seq, hash FROM holdfast_changes ORDER BY seq')]),
  )
}

async function push(world: TestServer, user: TestUser, body: object) {
  return call(world, user.headers, 'POST', '/api/v1/diary/push', body)
}

test('SEND-1 A batch with an invalid, a forbidden and a conflicting mutation commits the rest and says what happened to each', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const made = await push(world, user, { clientId: 'c', mutations: [{ n: 1, collection: 'forms', id: 'f', op: 'put', base: 0, data: { text: 'first' } }] })
  const version = Number(made.body['results']?.[0]?.['version'])
  await push(world, user, { clientId: 'other', mutations: [{ n: 1, collection: 'forms', id: 'f', op: 'patch', base: version, data: { text: 'second' } }] })
  const answer = await push(world, user, {
    clientId: 'c',
    mutations: [
      { ...put(2, 'a', { title: 'kept' }) },
      put(3, 'b', { title: 7 }),
      { n: 4, collection: 'sealed', id: 's', op: 'put', base: 0, data: { value: 'x' } },
      { n: 5, collection: 'forms', id: 'f', op: 'patch', base: version, data: { text: 'third' } },
      'not even an object',
      { n: 6, collection: 'nowhere', id: 'x', op: 'put', data: {} },
      put(7, 'z', { title: 'kept too' }),
    ],
  })
  assert.equal(answer.status, 200)
  const results = answer.body['results'] as unknown as { status: string; error?: { code: string; fields?: { path: string }[] }; conflictId?: string; record?: { data: { text: string } } }[]
  assert.deepEqual(
    results.map(({ status, error }) => `${status} ${error?.code ?? ''}`.trim()),
    ['applied', 'rejected record.invalid', 'rejected access.forbidden', 'conflict', 'rejected mutation.malformed', 'rejected collection.unknown', 'applied'],
  )
  assert.equal(results[1]?.error?.fields?.[0]?.path, 'data.title')
  assert.equal(results[3]?.record?.data.text, 'second')
  const pulled = await call(world, user.headers, 'GET', '/api/v1/diary/pull')
  assert.deepEqual(
    (pulled.body['changes'] as unknown as { id: string }[]).map(({ id }) => id),
    ['f', 'a', 'z'],
  )
  const rejected = await call(world, user.headers, 'GET', '/api/v1/diary/rejected')
  assert.equal((rejected.body['rejected'] as unknown as object[]).length, 4)
  const conflict = await call(world, user.headers, 'GET', `/api/v1/diary/conflicts/${results[3]?.conflictId ?? ''}`)
  assert.deepEqual([conflict.body['base'], conflict.body['server'], conflict.body['client']], [{ text: 'first' }, { text: 'second' }, { text: 'third' }])
})

test('CONF-7 A choice that names the conflict as it was looked at decides nothing that has changed since', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const write = (client: string, n: number, base: number, text: string) =>
    push(world, user, { clientId: client, mutations: [{ n, collection: 'forms', id: 'f', op: base === 0 ? 'put' : 'patch', base, data: { text } }] })
  const version = Number((await write('phone', 1, 0, 'first')).body['results']?.[0]?.['version'])
  await write('laptop', 1, version, 'laptop')
  const place = `/api/v1/diary/conflicts/${String((await write('phone', 2, version, 'phone')).body['results']?.[0]?.['conflictId'])}`
  const choose = (resolution: string, tag: string, data?: object) =>
    call(world, { ...user.headers, 'if-match': tag }, 'POST', `${place}/resolve`, { resolution, ...(data === undefined ? {} : { data }) })
  const seen = await call(world, user.headers, 'GET', place)
  assert.equal(seen.headers['etag'], seen.body['etag'])
  // The phone writes on: who keeps the server's side has not seen that.
  await write('phone', 3, version, 'phone, and more')
  for (const tag of [String(seen.body['etag']), '"nothing"', `W/${String(seen.body['etag'])}`]) {
    for (const choice of ['server', 'client', 'merged']) assert.equal((await choose(choice, tag, choice === 'merged' ? { text: 'joined' } : undefined)).status, 412)
  }
  assert.equal((await choose('server', 'no tag')).status, 400)
  const refused = await choose('server', String(seen.body['etag']))
  assert.deepEqual([refused.body['code'], refused.body['conflict']?.['client'], refused.body['conflict']?.['state']], ['precondition.failed', { text: 'phone, and more' }, 'open'])
  // The record moves on, and another one who chooses is told so: the server's side is a new one for the first.
  const second = String(refused.body['conflict']?.['etag'])
  const shown = await call(world, user.headers, 'GET', '/api/v1/diary/records/forms/f')
  await write('laptop', 2, Number(shown.body['version']), 'laptop, and more')
  assert.equal((await choose('client', '*')).status, 409)
  assert.equal((await choose('client', second)).status, 412)
  const [third] = (await call(world, user.headers, 'GET', '/api/v1/diary/conflicts')).body['conflicts'] ?? []
  assert.deepEqual(third?.['server'], { text: 'laptop, and more' })
  const done = await choose('merged', String(third?.['etag']), { text: 'all of it' })
  assert.deepEqual([done.status, done.body['record']?.['data']], [200, { text: 'all of it' }])
  assert.equal((await choose('client', String(third?.['etag']))).status, 409)
})

test('SEND-4 A refused edit is discarded by its id or by what its client knows of it, by its author alone', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const stranger = await world.register('eve@example.org')
  await push(world, user, { clientId: 'c', mutations: [put(1, 'a', { title: 7 }), put(2, 'b', { title: 7 }), put(3, 'c', { title: 7 })] })
  const list = async () => (await call(world, user.headers, 'GET', '/api/v1/diary/rejected')).body['rejected'] as unknown as { id: string; recordId: string }[]
  const [first] = await list()
  const byId = `/api/v1/diary/rejected/${first?.id ?? ''}`
  const byRecord = '/api/v1/diary/rejected?clientId=c&collection=notes&id=b'
  assert.equal((await call(world, stranger.headers, 'DELETE', byId)).status, 404)
  assert.equal((await call(world, stranger.headers, 'DELETE', byRecord)).status, 204)
  assert.equal((await list()).length, 3)
  for (const status of [204, 404]) assert.equal((await call(world, user.headers, 'DELETE', byId)).status, status)
  for (const status of [204, 204]) assert.equal((await call(world, user.headers, 'DELETE', byRecord)).status, status)
  assert.equal((await call(world, user.headers, 'DELETE', '/api/v1/diary/rejected?clientId=c')).status, 400)
  assert.deepEqual(
    (await list()).map(({ recordId }) => recordId),
    ['c'],
  )
})

test('SEND-2 The same push again, at once or in other batches and orders, answers the same and changes nothing', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const mutations = Array.from({ length: 20 }, (_, index) => put(index + 1, `id-${index % 7}`, { title: `title ${index}` }))
  const first = await push(world, user, { clientId: 'c', mutations })
  const before = await rowsOf(world)
  const statuses = (answer: typeof first) => (answer.body['results'] as unknown as { n: number; status: string }[]).map(({ n, status }) => `${n} ${status}`).toSorted()
  const again = await Promise.all([
    push(world, user, { clientId: 'c', mutations }),
    push(world, user, { clientId: 'c', mutations: mutations.toReversed() }),
    ...mutations.map((mutation) => push(world, user, { clientId: 'c', mutations: [mutation] })),
  ])
  assert.deepEqual(statuses(again[0] ?? first), statuses(first))
  assert.deepEqual(statuses(again[1] ?? first), statuses(first))
  assert.deepEqual(again.slice(2).flatMap(statuses).toSorted(), statuses(first))
  assert.equal(await rowsOf(world), before)
})

test('SEND-2 Copies of one push that arrive together take effect once', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const body = { clientId: 'c', mutations: [put(1, 'a', { title: 'once' }), put(2, 'b', { title: 'once' })] }
  const answers = await Promise.all(Array.from({ length: 10 }, () => push(world, user, body)))
  const versions = answers.map(({ body: { results } }) => (results as unknown as { version: number }[]).map(({ version }) => version).join())
  assert.equal(new Set(versions).size, 1)
  const [count] = await world.database.read((reader) => reader.all<{ count: number }>('SELECT count(*) AS count FROM holdfast_changes'))
  assert.equal(count?.count, 2)
})

test('SEND-3 Only an unreadable envelope or too many mutations refuse the whole push', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  for (const body of ['{', 'null', '[]', '{"mutations":1}', '{"mutations":[],"clientId":""}', '{"mutations":[],"extra":1}', '{"mutations":[],"ackedThrough":-1}']) {
    assert.equal((await call(world, user.headers, 'POST', '/api/v1/diary/push', body)).status, 400, body)
  }
  const mutations = Array.from({ length: 1_001 }, (_, index) => put(index + 1, `id-${index}`, { title: 'x' }))
  const large = await push(world, user, { clientId: 'c', mutations })
  assert.deepEqual([large.status, large.body['code'], large.body['limit']], [413, 'batch.too_large', 1_000])
  assert.equal((await push(world, user, { clientId: 'c', mutations: mutations.slice(0, 1_000) })).status, 200)
})

test('COM-5 A push says whether it came twice itself, or only its numbers did', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const body = { clientId: 'c', mutations: [put(1, 'a', { title: 'once' })] }
  const send = (requestId: string) => call(world, { ...user.headers, 'x-request-id': requestId }, 'POST', '/api/v1/diary/push', body)
  const answers = [await send('first'), await send('first'), await send('second')]
  assert.deepEqual(
    answers.map(({ status, body: said }) => [status, said['repeated']]),
    [
      [200, undefined],
      [200, true],
      [200, undefined],
    ],
  )
})

test('SEND-5 A push that names more text than one answer may carry is 413, and its halves are taken', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const made = await push(world, user, { mutations: [{ collection: 'notes', id: 'a', op: 'put', base: 0, data: { title: 'large', body: 'x'.repeat(2_000_000) } }] })
  const first = Number(made.body['results']?.[0]?.['version'])
  await push(world, user, { mutations: [{ collection: 'notes', id: 'a', op: 'patch', base: first, data: { title: 'changed' } }] })
  // Each of these is a conflict, whose answer shows the record.
  const stale = Array.from({ length: 24 }, (_, index) => ({ collection: 'notes', id: 'a', op: 'patch', base: first, data: { title: `mine ${index}` } }))
  const refused = await push(world, user, { mutations: stale })
  assert.deepEqual([refused.status, refused.body['code']], [413, 'batch.too_large'])
  assert.equal((await call(world, user.headers, 'GET', '/api/v1/diary/conflicts')).body['conflicts']?.length, 0)
  for (const mutations of [stale.slice(0, 12), stale.slice(12)]) {
    const { status, body } = await push(world, user, { mutations })
    assert.deepEqual([status, new Set([...(body['results'] ?? [])].map((result) => result['status']))], [200, new Set(['conflict'])])
  }
})

test('COM-10 What is cut off of a mutation that cannot be read is cut between characters', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  // A pair of surrogates lies across each place where a text is cut: names at 128, what was sent at 65,536.
  for (const shift of [0, 1]) {
    const long = `${'x'.repeat(127 - shift)}😀😀`
    const mutations = [
      { collection: long, id: 'a', op: 'put', data: {} },
      { collection: 'notes', id: long, op: 'put', data: {} },
      { collection: 'notes', id: 'b', op: long, data: {} },
      { collection: 'notes', id: `c${shift}`, op: 'put', data: { unknown: `${'x'.repeat(shift)}${'😀'.repeat(40_000)}` } },
    ]
    const { status, body } = await push(world, user, { clientId: `client-${shift}`, mutations: mutations.map((mutation, index) => ({ n: index + 1, ...mutation })) })
    assert.deepEqual([status, [...(body['results'] ?? [])].map((result) => result['status'])], [200, mutations.map(() => 'rejected')])
  }
  const { status, text } = await call(world, user.headers, 'GET', '/api/v1/diary/rejected')
  assert.equal(status, 200)
  assert.ok(text.isWellFormed() && !/\\ud[89a-f]/i.test(text) && !text.includes('\ufffd'))
})
