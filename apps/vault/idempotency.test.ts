import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestVault } from './open-test-vault.ts'

const withKey = (key: string) => ({ 'idempotency-key': key })

test('VLT-14 The same key with the same body gets the first answer again, whatever happened since', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const first = await user.call('POST', '/items', { rawText: 'a', enrich: true }, withKey('k 1'))
  assert.deepEqual([first.status, first.headers['idempotency-replayed']], [201, undefined])
  const id = String(first.body['id'])
  await user.call('POST', `/items/${id}/cancel`)
  const again = await user.call('POST', '/items', '{ "enrich" : true, "rawText" : "a" }', withKey('k 1'))
  assert.deepEqual([again.status, again.body, again.headers['idempotency-replayed'], again.headers['etag']], [201, first.body, 'true', first.headers['etag']])
  await user.call('DELETE', `/items/${id}`)
  assert.deepEqual((await user.call('POST', '/items', { rawText: 'a', enrich: true }, withKey('k 1'))).body, first.body)
  assert.equal((await user.call('GET', '/items/pending')).body['total'], 0)
})

test('VLT-15 The same key with another body gets the first answer too, or 422 where the server is strict', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const first = await user.call('POST', '/items', { rawText: 'a' }, withKey('k'))
  const other = await user.call('POST', '/items', { rawText: 'b' }, withKey('k'))
  assert.deepEqual([other.status, other.body, other.headers['idempotency-replayed']], [201, first.body, 'true'])
  await world.restart({ environment: { HOLDFAST_VAULT_AI: 'stub', HOLDFAST_VAULT_STRICT_IDEMPOTENCY: '1' } })
  const refused = await user.call('POST', '/items', { rawText: 'b' }, withKey('k'))
  assert.deepEqual([refused.status, refused.body.error.code], [422, 'IDEMPOTENCY_KEY_REUSED'])
  assert.deepEqual((await user.call('POST', '/items', { rawText: 'a' }, withKey('k'))).body, first.body)
})

test('VLT-16 Of requests that come together under one key one makes the item, and all are answered alike', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const answers = await Promise.all(Array.from({ length: 30 }, () => user.call('POST', '/items', { rawText: 'a' }, withKey('k'))))
  assert.deepEqual([...new Set(answers.map(({ status, body }) => `${status} ${String(body['id'])}`))], [`201 ${String(answers[0]?.body['id'])}`])
  assert.equal(answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined).length, 1)
  assert.equal((await user.call('GET', '/items/pending')).body['total'], 1)
})

test('VLT-17 A key belongs to the space: people do not share it, a person and their script do', async () => {
  await using world = await openTestVault()
  const [ada, bob] = [await world.signUp(), await world.signUp()]
  const make = async (user: typeof ada, key: string) => String((await user.call('POST', '/items', { rawText: 'a' }, withKey(key))).body['id'])
  const first = await make(ada, 'k')
  const ids = [first, await make(bob, 'k'), await make(ada, 'k2')]
  assert.equal(new Set(ids).size, 3)
  const { key } = (await ada.call('POST', '/api/v1/keys', { name: 'script', app: 'vault', role: 'editor' })).body
  const byScript = await world.send({ method: 'POST', path: '/vault/items', body: { rawText: 'a' }, headers: { authorization: `Bearer ${String(key)}`, ...withKey('k') } })
  assert.deepEqual([byScript.status, byScript.body['id']], [201, first])
})

test('VLT-17 IDEM-5 A key that may only read gets no answer of a write, whoever made that', async () => {
  await using world = await openTestVault()
  const ada = await world.signUp()
  const sent = [
    ['/items', { rawText: 'a' }],
    ['/items/batch', { items: [{ rawText: 'b' }] }],
  ] as const
  for (const [path, body] of sent) assert.ok((await ada.call('POST', path, body, withKey(path))).status < 300)
  const { key } = (await ada.call('POST', '/api/v1/keys', { name: 'reader', app: 'vault', role: 'viewer' })).body
  for (const [path, body] of sent) {
    const answer = await world.send({ method: 'POST', path: `/vault${path}`, body, headers: { authorization: `Bearer ${String(key)}`, ...withKey(path) } })
    assert.deepEqual([answer.status, answer.body.error.code], [403, 'FORBIDDEN'], path)
    assert.equal((await ada.call('POST', path, body, withKey(path))).headers['idempotency-replayed'], 'true')
  }
})

test('VLT-18 A request that is refused does not use up its key, and a key is printable ASCII', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  assert.equal((await user.call('POST', '/items', { rawText: '' }, withKey('k'))).status, 400)
  assert.equal((await user.call('POST', '/items', { rawText: 'a', tagIds: ['unknown'] }, withKey('k'))).status, 400)
  await user.call('POST', '/items', { rawText: 'x', id: 'there' })
  assert.equal((await user.call('POST', '/items', { rawText: 'y', id: 'there' }, withKey('k'))).status, 409)
  const made = await user.call('POST', '/items', { rawText: 'a' }, withKey('k'))
  assert.deepEqual([made.status, made.headers['idempotency-replayed']], [201, undefined])
  for (const key of ['', 'x'.repeat(256), 'é', 'a\tb']) {
    const answer = await user.call('POST', '/items', { rawText: 'a' }, withKey(key))
    assert.deepEqual([answer.status, answer.body.error.code], [400, 'VALIDATION_ERROR'], key)
  }
  assert.equal((await user.call('POST', '/items', { rawText: 'a' }, withKey(`~ ${'x'.repeat(253)}`))).status, 201)
})

test('VLT-19 A key lives as long as the settings say, through a restart; then it makes a new item', async () => {
  await using world = await openTestVault({ environment: { HOLDFAST_VAULT_IDEMPOTENCY_TTL_SECONDS: '60' } })
  const user = await world.signUp()
  const make = async () => String((await user.call('POST', '/items', { rawText: 'a' }, withKey('k'))).body['id'])
  const first = await make()
  await world.restart()
  world.advance(59_999)
  assert.equal(await make(), first)
  world.advance(1)
  assert.notEqual(await make(), first)
})
