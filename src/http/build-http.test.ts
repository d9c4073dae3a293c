import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { openTestServer } from '../testing/open-test-server.ts'
import { addressKey } from './address-key.ts'
import { rateLimits } from './rate-limits.ts'
import { call, hostedDiary, type Body } from './test-calls.fixture.ts'

test('HTTP-1 Answers carry a request id; a harmless one of the caller is kept, any other replaced', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const kept = await call(world, { 'x-request-id': 'my-id:1.2_3' }, 'GET', '/health/live')
  assert.equal(kept.headers['x-request-id'], 'my-id:1.2_3')
  for (const id of ['a b', '<script>', 'x'.repeat(129)]) {
    const { headers, body } = await call(world, { 'x-request-id': id }, 'GET', '/api/v1/diary/pull')
    assert.notEqual(headers['x-request-id'], id)
    assert.deepEqual([body['requestId'], body['status'], body['code']], [headers['x-request-id'], 401, 'auth.required'])
    assert.equal(headers['www-authenticate'], 'Bearer')
    assert.match(String(headers['content-type']), /^application\/problem\+json/)
    for (const member of ['type', 'title', 'detail']) assert.equal(typeof body[member], 'string')
  }
})

test('HTTP-1 Bytes that are not HTTP are answered in the same form', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const socket = connect(Number(new URL(world.url).port), '127.0.0.1')
  socket.write('BREW /pot HTCPCP/1.0\r\n\r\n')
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  assert.match(text, /^HTTP\/1\.1 400 /)
  assert.match(text, /application\/problem\+json/)
  assert.match(text, /"code":"request\.invalid"/)
  assert.match(text, /\r\nx-content-type-options: nosniff\r\n/)
  assert.match(text, /\r\ncontent-security-policy: [^\r]*frame-ancestors 'none'/)
})

test('HTTP-4 A known path with another method is 405 with Allow, an unknown one 404', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const wrong = await call(world, {}, 'DELETE', '/api/v1/diary/push')
  assert.deepEqual([wrong.status, wrong.body['code'], wrong.headers['allow']], [405, 'method.not_allowed', 'POST'])
  for (const url of ['/api', '/api/v1', '/api/v2/diary/pull', '/diary/x', '/.env', '/docs/../../package.json']) assert.equal((await call(world, {}, 'GET', url)).status, 404, url)
})

test('HTTP-5 Answers forbid framing and sniffing; other origins may call only when configured', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const preflight = { origin: 'https://elsewhere.example', 'access-control-request-method': 'POST' }
  const ask = () => world.http.inject({ method: 'OPTIONS', url: '/api/v1/diary/push', headers: preflight })
  const { headers } = await call(world, { origin: preflight.origin }, 'GET', '/health/live')
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.match(String(headers['content-security-policy']), /frame-ancestors 'none'/)
  assert.ok(!String(headers['content-security-policy']).includes('unsafe'))
  assert.equal(headers['access-control-allow-origin'], undefined)
  assert.equal(headers['strict-transport-security'], undefined)
  assert.equal((await ask()).headers['access-control-allow-origin'], undefined)
  await world.restart({ corsOrigins: [preflight.origin], publicUrl: 'https://holdfast.example' })
  assert.equal((await ask()).headers['access-control-allow-origin'], preflight.origin)
  assert.match(String((await call(world, {}, 'GET', '/health/live')).headers['strict-transport-security']), /max-age=31536000/)
})

test('HTTP-6 Over the limit is 429 with Retry-After, by user, by address and by account at sign-in', async () => {
  await using world = await openTestServer({
    apps: [hostedDiary],
    rateLimits: { ...rateLimits, principal: { requestsMax: 3, windowS: 60 }, address: { requestsMax: 30, windowS: 60 }, signInByAccount: { requestsMax: 2, windowS: 60 } },
  })
  const [ada, bob] = [await world.register('ada@example.org'), await world.register('bob@example.org')]
  const statuses = []
  for (let index = 0; index < 5; index += 1) statuses.push((await call(world, ada.headers, 'GET', '/api/v1/diary/status')).status)
  assert.deepEqual(statuses, [200, 200, 200, 429, 429])
  const limited = await call(world, ada.headers, 'GET', '/api/v1/diary/status')
  assert.ok(Number(limited.headers['retry-after']) >= 1)
  assert.equal((await call(world, bob.headers, 'GET', '/api/v1/diary/status')).status, 200)
  const logins = []
  for (const email of ['Ada@example.org', 'ada@EXAMPLE.org', 'ada@example.org']) logins.push((await call(world, {}, 'POST', '/api/v1/auth/login', { email, password: 'wrong' })).status)
  assert.deepEqual(logins, [401, 401, 429])
})

test('HTTP-6 An IPv6 address counts by its /64, an IPv4 address by itself', () => {
  assert.equal(addressKey('2001:db8:1:2:3:4:5:6'), addressKey('2001:db8:1:2::1'))
  assert.notEqual(addressKey('2001:db8:1:2::1'), addressKey('2001:db8:1:3::1'))
  assert.equal(addressKey('::ffff:192.0.2.1'), addressKey('192.0.2.1'))
  assert.notEqual(addressKey('192.0.2.1'), addressKey('192.0.2.2'))
})

test('HTTP-7 The OpenAPI document describes every route of the platform, each with its own name, and /docs shows it', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const { status, body } = await call(world, {}, 'GET', '/openapi.json')
  assert.deepEqual([status, body['openapi']], [200, '3.1.0'])
  const operations = Object.values(
    body['paths'] as unknown as Record<string, Record<string, { operationId: string; responses: object; parameters?: { name: string; in: string; schema: object }[] }>>,
  ).flatMap((methods) => Object.values(methods))
  assert.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length)
  for (const name of ['push', 'pull', 'snapshot', 'events', 'getStatus', 'resolveConflict', 'createRecord', 'listAudit', 'register', 'refresh', 'createKey', 'setMember', 'listUsers']) {
    assert.ok(
      operations.some(({ operationId }) => operationId === name),
      name,
    )
  }
  for (const [path, methods] of Object.entries(body['paths'] as unknown as Record<string, Record<string, { parameters?: { name: string; in: string }[]; responses: object }>>)) {
    for (const { parameters = [], responses } of Object.values(methods)) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      assert.deepEqual(new Set(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)), new Set(named), path)
      assert.ok(Object.keys(responses).length > 0, path)
    }
  }
  const page = await call(world, {}, 'GET', '/docs')
  assert.equal(page.status, 200)
  assert.ok(!/https?:\/\//.test(page.text), 'The page asks nobody else.')
  const root = await fetch(`${world.url}/`, { redirect: 'manual' })
  assert.deepEqual([root.status, root.headers.get('location')], [302, '/docs'])
  assert.ok((await call(world, {}, 'GET', '/docs/viewer.js')).text.length > 100_000)
})

test('HTTP-8 Live and ready answer; ready fails when the database is gone', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  for (const url of ['/health/live', '/health/ready']) assert.deepEqual((await call(world, {}, 'GET', url)).body, { status: 'ok' })
  await world.database.close()
  assert.equal((await call(world, {}, 'GET', '/health/live')).status, 200)
  const gone = await call(world, {}, 'GET', '/health/ready')
  assert.deepEqual([gone.status, gone.body['code']], [503, 'unavailable'])
})

test('HTTP-9 Metrics are for loopback or for the token, and name routes instead of addresses', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  for (let index = 0; index < 5; index += 1) await call(world, user.headers, 'GET', `/api/v1/diary/records/notes/secret-${index}`)
  const metrics = await call(world, {}, 'GET', '/metrics')
  assert.equal(metrics.status, 200)
  assert.match(metrics.text, /route="\/api\/v1\/:app\/records\/:collection\/:id"/)
  assert.ok(!metrics.text.includes('secret-'))
  assert.equal((await call(world, { 'x-forwarded-for': '198.51.100.1' }, 'GET', '/metrics')).status, 403)
  assert.equal((await call(world, { host: 'elsewhere.example:8787' }, 'GET', '/metrics')).status, 403, 'a name that was made to lead here')
  await world.restart({ metricsToken: 'a-token-for-metrics' })
  assert.equal((await call(world, {}, 'GET', '/metrics')).status, 401)
  assert.equal((await call(world, { authorization: 'Bearer wrong' }, 'GET', '/metrics')).status, 401)
  assert.equal((await call(world, { authorization: 'Bearer a-token-for-metrics' }, 'GET', '/metrics')).status, 200)
})

test('STAT-1 Status counts live records, conflicts and refused edits of one reading', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const push = (mutations: object[]) => call(world, user.headers, 'POST', '/api/v1/diary/push', { mutations })
  await push(['a', 'b', 'c'].map((id) => ({ collection: 'notes', id, op: 'put', data: { title: id } })))
  const { body } = await push([
    { collection: 'notes', id: 'a', op: 'delete', base: 9e15 },
    { collection: 'notes', id: 'd', op: 'put', data: {} },
  ])
  await call(world, user.headers, 'DELETE', '/api/v1/diary/records/notes/b')
  const status = await call(world, user.headers, 'GET', '/api/v1/diary/status')
  assert.deepEqual([status.body['collections']?.['notes'], status.body['openConflicts'], status.body['rejected'], status.body['role']], [{ records: 2, horizon: 0 }, 0, 2, 'owner'])
  assert.ok(Number(status.body['version']) > Number(body['version']))
})

test('STAT-2 A report of a device is kept, and instructions are given once', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org', 'phone')
  const report = (body: object) => call(world, user.headers, 'POST', '/api/v1/diary/device', body)
  assert.equal((await report({ pending: -1 })).status, 400)
  assert.deepEqual((await report({ pending: 3, oldestPendingAt: 1 })).body['instructions'], [])
  const heartbeat = async () => {
    const [row] = await world.database.read((reader) => reader.all<{ heartbeat: string }>("SELECT heartbeat FROM holdfast_devices WHERE id = 'phone'"))
    return JSON.parse(row?.heartbeat ?? '{}') as Body
  }
  assert.equal((await heartbeat())['apps']?.['diary']?.['pending'], 3)
  await world.database.write((tx) => tx.run('UPDATE holdfast_devices SET heartbeat = ?', [JSON.stringify({ instructions: { diary: ['resync'], other: ['wipe'] } })]))
  assert.deepEqual((await report({ pending: 0 })).body['instructions'], ['resync'])
  assert.deepEqual((await report({ pending: 0 })).body['instructions'], [])
  assert.deepEqual((await heartbeat())['instructions'], { other: ['wipe'] })
})

test('STAT-2 The list of devices shows what each said last, by app and space; another account sees none of it', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org', 'phone')
  const stranger = await world.register('eve@example.org', 'phone')
  const said = { pending: 3, oldestPendingAt: 1, conflicts: 1, rejected: 2, lastSyncAt: 5, appVersion: '2.1', schemaVersion: 4, storage: { persistent: true, usedBytes: 10, quotaBytes: 20 } }
  assert.equal((await call(world, user.headers, 'POST', '/api/v1/diary/device', { pending: 9 })).status, 200)
  world.advance(1_000)
  assert.equal((await call(world, user.headers, 'POST', '/api/v1/diary/device', said)).status, 200)
  const { body } = await call(world, user.headers, 'GET', '/api/v1/devices')
  assert.deepEqual(body['devices']?.[0]?.['reports'], [{ ...said, app: 'diary', space: null, at: world.chance.now() }])
  const others = await call(world, stranger.headers, 'GET', '/api/v1/devices')
  assert.deepEqual(others.body['devices']?.[0]?.['reports'], [])
  assert.equal((await call(world, user.headers, 'POST', '/api/v1/diary/device?space=nowhere', said)).status, 404)
})

test('STAT-3 The manifest tells a client what it must know of an app', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const { body } = await call(world, user.headers, 'GET', '/api/v1/diary/manifest')
  assert.deepEqual([body['app'], body['protocols'], body['spaces'], body['epoch']], ['diary', [1], 'personal', world.context.epoch])
  assert.equal(body['limits']?.['PUSH_MUTATIONS_MAX'], 1_000)
  assert.deepEqual([body['collections']?.['notes']?.['server'], body['collections']?.['marks']?.['conflict'], body['collections']?.['profile']?.['singleton']], [['checkedAt'], 'lastWriteWins', 'me'])
  assert.equal(body['collections']?.['notes']?.['schema']?.['type'], 'object')
  assert.equal((await call(world, {}, 'GET', '/api/v1/diary/manifest')).status, 401)
  assert.equal((await call(world, user.headers, 'GET', '/api/v1/nowhere/manifest')).status, 404)
})
