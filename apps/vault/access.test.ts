import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestServer } from 'holdfast/testing'
import { openTestVault, type TestUser } from './open-test-vault.ts'
import { hosted } from './server.ts'

async function keyOf(user: TestUser, role: string): Promise<Readonly<Record<string, string>>> {
  const { status, body } = await user.call('POST', '/api/v1/keys', { name: role, app: 'vault', role })
  assert.equal(status, 201)
  return { authorization: `Bearer ${String(body['key'])}` }
}

test('VLT-4 Without a credential, or with a bad one, every path but health is 401', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  for (const headers of [{}, { authorization: 'Bearer x' }, { authorization: 'Basic x' }, { authorization: 'Bearer x', 'x-dev-user-id': 'ada' }, { 'x-dev-user-id': 'ada' }]) {
    for (const [method, path] of [
      ['GET', '/items/pending'],
      ['POST', '/items'],
      ['PATCH', '/items/x'],
      ['DELETE', '/items/x'],
    ] as const) {
      const answer = await world.send({ method, path: `/vault${path}`, headers })
      assert.deepEqual([answer.status, answer.body.error.code], [401, 'UNAUTHORIZED'], `${method} ${path}`)
    }
  }
  world.advance(15 * 60_000)
  const expired = await user.call('GET', '/items/pending')
  assert.deepEqual([expired.status, expired.body.error.code], [401, 'TOKEN_EXPIRED'])
})

test('VLT-4 In development an id is a person of their own; it rescues no other credential', async () => {
  await using world = await openTestVault({ environment: { HOLDFAST_DEV_AUTH: '1' } })
  const send = (id: string, method: string, path: string, body?: unknown, more: Readonly<Record<string, string>> = {}) =>
    world.send({ method, path: `/vault${path}`, body, headers: { 'x-dev-user-id': id, ...more } })
  const { status, body } = await send('ada@example.org', 'POST', '/items', { rawText: 'a', id: 'mine' })
  assert.deepEqual([status, body['status']], [201, 'ENRICHING'])
  for (const id of ['Ada@example.org', 'bob']) assert.equal((await send(id, 'GET', '/items/mine')).status, 404)
  assert.equal((await send('ada@example.org', 'GET', '/items/mine')).status, 200)
  for (const id of ['a b', 'x'.repeat(129), '../x']) {
    const answer = await send(id, 'GET', '/items/mine')
    assert.deepEqual([answer.status, answer.body.error.code], [400, 'VALIDATION_ERROR'], id)
  }
  assert.equal((await send('ada@example.org', 'GET', '/items/mine', undefined, { authorization: 'Bearer x' })).status, 401)
  const together = await Promise.all(Array.from({ length: 10 }, (_, index) => send('new', 'POST', '/items', { rawText: `${index}` })))
  assert.ok(together.every((answer) => answer.status === 201))
  assert.equal((await send('new', 'GET', '/items/pending')).body['total'], 10)
})

test('VLT-5 An API key sees the one space it was made for, with its role', async () => {
  await using world = await openTestVault()
  const [ada, bob] = [await world.signUp(), await world.signUp()]
  const { body } = await ada.call('POST', '/items', { rawText: 'a', userId: bob.userId, space: 'x' })
  const id = String(body['id'])
  const [editor, viewer] = [await keyOf(ada, 'editor'), await keyOf(ada, 'viewer')]
  const his = await keyOf(bob, 'editor')
  const get = async (headers: Readonly<Record<string, string>>) => (await world.send({ method: 'GET', path: `/vault/items/${id}`, headers })).status
  assert.deepEqual([await get(editor), await get(viewer), await get(his)], [200, 200, 404])
  assert.equal((await world.send({ method: 'POST', path: '/vault/items', body: { rawText: 'b' }, headers: editor })).status, 201)
  for (const [method, path, sent] of [
    ['POST', '/items', { rawText: 'b' }],
    ['PATCH', `/items/${id}`, { title: 'x' }],
    ['POST', `/items/${id}/cancel`],
    ['DELETE', `/items/${id}`],
  ] as const) {
    const answer = await world.send({ method, path: `/vault${path}`, body: sent, headers: viewer })
    assert.deepEqual([answer.status, answer.body.error.code], [403, 'FORBIDDEN'], `${method} ${path}`)
  }
  assert.equal((await ada.call('GET', '/items/pending')).body['total'], 2)
})

test('VLT-5 A key that may only read is refused as a whole, before anything of the request is looked at, where many items are written at once', async () => {
  await using world = await openTestVault()
  const ada = await world.signUp()
  await ada.call('POST', '/items', { id: 'mine', rawText: 'a' })
  const viewer = await keyOf(ada, 'viewer')
  const cursor = async () => (await ada.call('GET', '/api/v1/vault/pull')).body['cursor']
  // The first use of a key is in the log.
  assert.equal((await world.send({ method: 'GET', path: '/vault/items/mine', headers: viewer })).status, 200)
  const before = await cursor()
  const json = { 'content-type': 'application/json' }
  for (const [path, sent, headers] of [
    ['/items/batch', { items: [{ rawText: 'b' }] }, json],
    ['/items/batch', { items: [{ id: 'mine', rawText: 'a' }, {}] }, json],
    ['/items/batch', { items: [{ rawText: 'b' }] }, { ...json, 'idempotency-key': 'one' }],
    ['/items/batch', '{"items":', json],
    ['/items/batch', {}, json],
    ['/items/actions', { action: 'cancel', ids: ['mine'] }, json],
    ['/items/actions', { action: 'confirm', ids: ['mine', 'none', 'no id!'] }, json],
    ['/items/actions', { action: 'delete', ids: ['none'] }, json],
    ['/items/import', 'b\na', { 'content-type': 'text/plain' }],
    ['/items/import?enrich=false', '<a href="https://example.org">x</a>', { 'content-type': 'text/html' }],
    ['/items/import', 'text\nb\n', { 'content-type': 'text/csv' }],
    ['/items/import', '', { 'content-type': 'text/plain' }],
    ['/items/import', '<a/>', { 'content-type': 'application/xml' }],
  ] as const) {
    for (const family of ['/vault', '/vault/api/v1']) {
      const answer = await world.send({ method: 'POST', path: `${family}${path}`, body: sent, headers: { ...headers, ...viewer } })
      assert.deepEqual([answer.status, answer.body.error?.code], [403, 'FORBIDDEN'], `${path} ${JSON.stringify(sent)}`)
    }
  }
  assert.deepEqual([(await ada.call('GET', '/items/mine')).body['status'], await cursor()], ['ENRICHING', before])
})

test('VLT-3 Malformed and oversized bodies, unknown paths and methods are in the envelope, and quote nothing', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const { body } = await user.call('POST', '/items', { rawText: 'a' })
  const item = `/items/${String(body['id'])}`
  const deep = `${'['.repeat(100)}${']'.repeat(100)}`
  const requests: readonly (readonly [string, string, string | undefined, number, string])[] = [
    ['POST', '/items', '{"rawText":"secret', 400, 'INVALID_REQUEST'],
    ['POST', '/items', `{"rawText":"secret","__proto__":{}}`, 400, 'INVALID_REQUEST'],
    ['POST', '/items', `{"rawText":${deep}}`, 400, 'INVALID_REQUEST'],
    ['PATCH', item, '"secret"', 400, 'INVALID_REQUEST'],
    ['PATCH', item, undefined, 400, 'INVALID_REQUEST'],
    ['POST', '/items', JSON.stringify({ rawText: 'secret'.repeat(50_000) }), 413, 'PAYLOAD_TOO_LARGE'],
    ['PUT', '/items', '{}', 405, 'METHOD_NOT_ALLOWED'],
    ['PUT', item, '{}', 405, 'METHOD_NOT_ALLOWED'],
    ['GET', `${item}/retry`, undefined, 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/items/a/b/c', undefined, 404, 'NOT_FOUND'],
    ['GET', `/items/${'x'.repeat(2_000)}`, undefined, 404, 'NOT_FOUND'],
    ['GET', '/items/%E0%A4%A', undefined, 400, 'INVALID_REQUEST'],
    ['GET', '/items/pending?limit=1&limit=2', undefined, 400, 'VALIDATION_ERROR'],
    ['GET', '/items/pending?space=a&space=b', undefined, 400, 'VALIDATION_ERROR'],
    ['GET', '/items/pending?space=nowhere', undefined, 404, 'NOT_FOUND'],
  ]
  for (const [method, path, sent, status, code] of requests) {
    const answer = await user.call(method, path, sent)
    const place = `${method} ${path.slice(0, 40)} ${String(sent).slice(0, 40)}`
    assert.deepEqual([answer.status, answer.body.error?.code], [status, code], place)
    assert.deepEqual(Object.keys(answer.body.error), ['code', 'message', 'requestId', 'details'], place)
    assert.equal(answer.body.error.requestId, answer.headers['x-request-id'])
    assert.ok(!/secret|SELECT|node_modules|\.ts/.test(JSON.stringify(answer.body)), place)
    if (status === 405) assert.ok(String(answer.headers['allow']).split(', ').length > 0)
  }
  const methods = (await user.call('OPTIONS', item)).headers['allow']
  assert.equal(methods, 'DELETE, GET, HEAD, PATCH')
})

test('VLT-72 More than 600 requests a minute of one credential are 429 with Retry-After', async () => {
  await using server = await openTestServer({ apps: [hosted], rateLimits: true, environment: { HOLDFAST_VAULT_AI: 'stub' } })
  const [ada, bob] = [await server.register('ada@vault.example'), await server.register('bob@vault.example')]
  const ask = (user: typeof ada) => server.http.inject({ url: '/vault/items/pending', headers: user.headers })
  for (let count = 0; count < 600; count += 1) assert.equal((await ask(ada)).statusCode, 200)
  const refused = await ask(ada)
  assert.deepEqual([refused.statusCode, refused.json<{ error: { code: string } }>().error.code], [429, 'RATE_LIMITED'])
  assert.match(String(refused.headers['retry-after']), /^\d+$/)
  assert.equal((await ask(bob)).statusCode, 200)
  assert.equal((await server.http.inject({ url: '/vault/health' })).statusCode, 200)
})
