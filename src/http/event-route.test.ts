import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../protocol/limits.ts'
import { openTestServer, type TestServer, type TestUser } from '../testing/open-test-server.ts'
import { readEvents } from '../testing/read-events.ts'
import { call, hostedDiary } from './test-calls.fixture.ts'

interface EventData {
  readonly space?: string
  readonly from?: number
  readonly to?: number
  readonly changes?: readonly { id: string }[]
  readonly spaces?: readonly { version: number }[]
}

function listen(world: TestServer, user: TestUser, headers: Record<string, string> = {}) {
  return readEvents<EventData>(`${world.url}/api/v1/diary/events`, { ...user.headers, ...headers })
}

async function write(world: TestServer, user: TestUser, id: string, title = id) {
  const { body } = await call(world, user.headers, 'POST', '/api/v1/diary/records/notes', { id, data: { title, body: 'x'.repeat(title.length) } })
  return Number(body['version'])
}

test('EVT-1 A stream begins with where the spaces stand and tells of each commit with its changes', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const before = await write(world, user, 'a')
  const stream = await listen(world, user)
  const ready = await stream.next()
  assert.deepEqual([ready?.event, ready?.data.spaces?.[0]?.version], ['ready', before])
  const version = await write(world, user, 'b')
  const change = await stream.next()
  assert.deepEqual([change?.event, change?.data.from, change?.data.to, change?.data.changes?.map(({ id }) => id)], ['change', before, version, ['b']])
  stream.close()
})

test('EVT-1 Large changes are announced without their content', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const stream = await listen(world, user)
  await stream.next()
  const mutations = Array.from({ length: 200 }, (_, index) => ({ collection: 'notes', id: `n${index}`, op: 'put', data: { title: 'many', body: 'x'.repeat(200) } }))
  const { body } = await call(world, user.headers, 'POST', '/api/v1/diary/push', { mutations })
  const change = await stream.next()
  assert.deepEqual([change?.data.to, change?.data.changes], [body['version'], undefined])
  stream.close()
})

test('EVT-2 A stream that comes back is told what it missed; an id that is none is as if not sent', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const first = await listen(world, user)
  const ready = await first.next()
  first.close()
  await write(world, user, 'a')
  const version = await write(world, user, 'b')
  const back = await listen(world, user, { 'last-event-id': ready?.id ?? '' })
  assert.equal((await back.next())?.event, 'ready')
  const missed = await back.next()
  assert.deepEqual([missed?.data.to, missed?.data.changes?.map(({ id }) => id)], [version, ['a', 'b']])
  back.close()
  const other = await listen(world, user, { 'last-event-id': '1:1;DROP' })
  assert.equal((await other.next())?.data.spaces?.[0]?.version, version)
  const later = await write(world, user, 'c')
  assert.equal((await other.next())?.data.to, later)
  other.close()
})

test('EVT-3 When the session ends, so does the stream', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const other = await world.signIn('ada@example.org')
  const stream = await listen(world, user)
  await stream.next()
  await call(world, user.headers, 'POST', '/api/v1/auth/logout')
  await write(world, other, 'a')
  assert.equal(await stream.next(), undefined)
})

test('EVT-3 Two accounts never hear of each other', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const [ada, bob] = [await world.register('ada@example.org'), await world.register('bob@example.org')]
  const stream = await listen(world, ada)
  await stream.next()
  await write(world, bob, 'of-bob')
  await write(world, ada, 'of-ada')
  assert.deepEqual(
    (await stream.next())?.data.changes?.map(({ id }) => id),
    ['of-ada'],
  )
  stream.close()
})

test('EVT-4 Commits that a slow reader has not heard of are one event', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const stream = await listen(world, user)
  await stream.next()
  // All of these are committed before the reader takes anything; what was sent to it meanwhile is a few events, not 300.
  const versions = await Promise.all(Array.from({ length: 300 }, (_, index) => write(world, user, `n${index}`, 'slow'.repeat(40))))
  const last = Math.max(...versions)
  let events = 0
  for (let to: number | undefined = 0; to !== undefined && to < last; events += 1) to = (await stream.next())?.data.to
  assert.ok(events < 300, `${events} events`)
  stream.close()
})

test('EVT-5 An account has a bounded number of streams, and a closed one makes room', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const streams = []
  for (let index = 0; index < limits.EVENT_STREAMS_MAX; index += 1) streams.push(await listen(world, user))
  assert.deepEqual([...new Set(streams.map(({ status }) => status))], [200])
  assert.equal((await listen(world, user)).status, 429)
  for (const stream of streams) stream.close()
  const other = await world.register('bob@example.org')
  const allowed = await listen(world, other)
  assert.equal(allowed.status, 200)
  allowed.close()
})

test('EVT-5 Streams that are opened at the same time are counted as well', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const streams = await Promise.all(Array.from({ length: limits.EVENT_STREAMS_MAX + 10 }, () => listen(world, user)))
  assert.equal(streams.filter(({ status }) => status === 200).length, limits.EVENT_STREAMS_MAX)
  for (const stream of streams) stream.close()
})

test('HTTP-11 A server that closes ends its streams and lets a running request finish', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const stream = await listen(world, user)
  await stream.next()
  const running = fetch(`${world.url}/api/v1/diary/push`, {
    method: 'POST',
    headers: { ...user.headers, 'content-type': 'application/json' },
    body: JSON.stringify({ mutations: Array.from({ length: 500 }, (_, index) => ({ collection: 'notes', id: `n${index}`, op: 'put', data: { title: 'x' } })) }),
  })
  const answered = running.then((answer) => answer.status)
  // The request is on its way; its answer must come even though the server closes as soon as it has seen it.
  await new Promise((resolve) => world.http.server.once('request', resolve))
  await world.restart()
  assert.equal(await answered, 200)
  assert.equal(await stream.next(), undefined)
})
