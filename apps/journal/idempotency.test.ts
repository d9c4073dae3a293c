import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestJournal, note } from './open-test-journal.ts'

const key = (value: string) => ({ 'idempotency-key': value })

test('JRN-24 the same key with the same request returns the stored answer and has no second effect, also after a restart', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const first = await user.call('POST', '/sync/content', note('n1', { content: 'once' }), key('k1'))
  assert.equal(first.headers['idempotent-replay'], undefined)
  await user.call('POST', '/sync/content/n1', { content: 'edited since', lastUpdated: 2_000 })
  await world.restart()
  const again = await user.call('POST', '/sync/content', note('n1', { content: 'once' }), key('k1'))
  assert.deepEqual([again.status, again.body, again.headers['idempotent-replay']], [first.status, first.body, 'true'])
  assert.equal((await user.call('GET', '/contents/n1')).body.content, 'edited since')
})

test('JRN-24 another method, path or body under the key is 422, and keys are per user', async () => {
  await using world = await openTestJournal()
  const [ann, bea] = [await world.signUp(), await world.signUp()]
  await ann.call('POST', '/sync/content', note('n1'), key('k1'))
  for (const [method, path, body] of [
    ['POST', '/sync/content', note('n1', { content: 'other' })],
    ['POST', '/sync/content/n1', note('n1')],
    ['PUT', '/contents/n1', note('n1')],
    ['POST', '/sync/associations', { associations: [] }],
  ] as const) {
    const answer = await ann.call(method, path, body, key('k1'))
    assert.deepEqual([answer.status, answer.body.code], [422, 'IDEMPOTENCY_MISMATCH'], `${method} ${path}`)
  }
  const other = await bea.call('POST', '/sync/content', note('n2'), key('k1'))
  assert.deepEqual([other.status, other.headers['idempotent-replay']], [200, undefined])
})

test('JRN-24 a 409 is kept with its body, other refusals are not', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  assert.equal((await user.call('POST', '/sync/content/n1', { content: 'x', lastUpdated: 1 }, key('k404'))).status, 404)
  const { body } = await user.call('POST', '/sync/content', note('n1'))
  assert.equal((await user.call('POST', '/sync/content/n1', { content: 'x', lastUpdated: 9_000 }, key('k404'))).status, 200, 'the 404 left the key unused')
  const stale = { content: 'y', lastUpdated: 9_000, clientLastKnownServerVersion: body.serverVersion }
  const refused = await user.call('POST', '/sync/content/n1', stale, key('k409'))
  assert.equal(refused.status, 409)
  await user.call('POST', '/sync/content/n1', { content: 'z', lastUpdated: world.now() })
  const again = await user.call('POST', '/sync/content/n1', stale, key('k409'))
  assert.deepEqual([again.status, again.body, again.headers['idempotent-replay']], [409, refused.body, 'true'])
})

test('JRN-24 the first answer is the one that is kept, to the letter, also where time passes while it is made', async (t) => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const { body } = await user.call('POST', '/sync/content', note('n1'))
  const stale = { content: 'y', lastUpdated: 9_000, clientLastKnownServerVersion: body.serverVersion - 1 }
  let time = world.now()
  t.mock.method(world.server.chance, 'now', () => (time += 1))
  const refused = await user.call('POST', '/sync/content/n1', stale, key('k409'))
  const again = await user.call('POST', '/sync/content/n1', stale, key('k409'))
  assert.deepEqual([refused.status, again.status, again.headers['idempotent-replay']], [409, 409, 'true'])
  assert.deepEqual(again.body, refused.body)
})

test('JRN-24 links, deletions and aliases take keys too; a key that is none is 400', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const batch = { associations: [{ journalId: 'j', contentId: 'c', createdAt: 1 }] }
  const linked = await user.call('POST', '/sync/associations', batch, key('k1'))
  await user.call('POST', '/sync/associations/delete', batch)
  assert.deepEqual((await user.call('POST', '/sync/associations', batch, key('k1'))).body, linked.body)
  assert.equal((await user.call('GET', '/sync/status')).body.data.associationCount, 0)
  const made = await user.call('PUT', '/contents/n1', note('n1'), key('k2'))
  const remade = await user.call('PUT', '/contents/n1', note('n1'), key('k2'))
  assert.deepEqual([made.status, remade.status, remade.headers['location'], remade.headers['idempotent-replay']], [201, 201, '/journal/contents/n1', 'true'])
  await user.call('DELETE', '/contents/n1', undefined, key('k3'))
  const again = await user.call('DELETE', '/contents/n1', undefined, key('k3'))
  assert.deepEqual([again.status, again.headers['idempotent-replay']], [204, 'true'])
  for (const bad of ['', 'a b', 'x'.repeat(129)]) {
    const answer = await user.call('POST', '/sync/content', note('n9'), key(bad))
    assert.deepEqual([answer.status, answer.body.details['parameter']], [400, 'Idempotency-Key'], bad)
  }
})

test('JRN-24 copies that arrive at the same time have one effect', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const answers = await Promise.all(Array.from({ length: 8 }, () => user.call('POST', '/sync/content', note('n1'), key('k1'))))
  assert.equal(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size, 1)
  assert.equal(answers.filter(({ headers }) => headers['idempotent-replay'] === 'true').length, 7)
})

test('JRN-24 a key is kept for seven days and is new again afterwards', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp('phone')
  const first = await user.call('POST', '/sync/content', note('n1'), key('k1'))
  const DAY_MS = 86_400_000
  world.advance(7 * DAY_MS - 1_000)
  const later = await user.onDevice('phone')
  const again = await later.call('POST', '/sync/content', note('n1'), key('k1'))
  assert.deepEqual([again.body, again.headers['idempotent-replay']], [first.body, 'true'])
  world.advance(2_000)
  const other = await later.call('POST', '/sync/content', note('n2'), key('k1'))
  assert.deepEqual([other.status, other.body.id, other.headers['idempotent-replay']], [200, 'n2', undefined])
})
