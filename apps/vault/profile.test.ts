import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestVault } from './open-test-vault.ts'

const preferences = { defaultLanguage: 'en', timezone: 'UTC', aiSuggestionsEnabled: true, knownTagsFirst: true }

test('VLT-62 Profile and preferences are there before they are set; only what is sent changes, null clears', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const { status, body } = await user.call('GET', '/auth/me')
  assert.equal(status, 200)
  const { createdAt, updatedAt, displayName, ...rest } = body
  assert.deepEqual(rest, { id: user.userId, email: user.email, nickname: null, avatarUrl: null, bio: null, preferences })
  assert.equal(typeof displayName, 'string')
  assert.match(String(createdAt), /^\d{4}-.*Z$/)
  assert.equal(updatedAt, createdAt)
  world.advance(1_000)
  const profile = await user.call('PATCH', '/auth/me/profile', { nickname: ' Ada ', bio: 'Likes links', timezone: 'Asia/Tokyo', email: 'other@vault.example', id: 'x' })
  assert.deepEqual([profile.status, profile.body['nickname'], profile.body['bio'], profile.body['preferences'], profile.body['email']], [200, 'Ada', 'Likes links', preferences, user.email])
  assert.ok(String(profile.body['updatedAt']) > String(createdAt))
  const changed = await user.call('PATCH', '/auth/me/preferences', { defaultLanguage: 'zh', timezone: 'Asia/Shanghai', knownTagsFirst: false, nickname: 'no' })
  assert.deepEqual([changed.body['nickname'], changed.body['preferences']], ['Ada', { defaultLanguage: 'zh', timezone: 'Asia/Shanghai', aiSuggestionsEnabled: true, knownTagsFirst: false }])
  const cleared = await user.call('PATCH', '/auth/me/profile', { nickname: null, avatarUrl: 'https://example.org/a.png' })
  assert.deepEqual([cleared.body['nickname'], cleared.body['bio'], cleared.body['avatarUrl']], [null, 'Likes links', 'https://example.org/a.png'])
  assert.deepEqual((await user.call('PATCH', '/auth/me/profile', {})).body, cleared.body)
  assert.deepEqual((await user.call('GET', '/auth/me')).body, cleared.body)
  assert.deepEqual((await world.send({ method: 'GET', path: '/vault/api/v1/auth/me', headers: user.headers })).body, cleared.body)
  assert.deepEqual((await (await world.signUp()).call('GET', '/auth/me')).body['preferences'], preferences)
})

test('VLT-62 VLT-1 Where the vault is served alone every path of it is the vault, but for the one that the platform has', async () => {
  await using world = await openTestVault()
  const { headers, email } = await world.signUp()
  for (const path of ['/vault/auth/me', '/vault/api/v1/auth/me', '/auth/me']) {
    const { status, body } = await world.send({ method: 'GET', path, headers })
    assert.deepEqual([status, body['email'], body['nickname']], [200, email, null], path)
  }
  const { body } = await world.send({ method: 'GET', path: '/api/v1/auth/me', headers })
  assert.deepEqual(Object.keys(body), ['user', 'device', 'session'])
  for (const [index, prefix] of ['/vault', '/vault/api/v1', '', '/api/v1'].entries()) {
    const changed = await world.send({ method: 'PATCH', path: `${prefix}/auth/me/profile`, headers, body: { nickname: `Ada ${index}` } })
    assert.deepEqual([changed.status, changed.body['nickname']], [200, `Ada ${index}`], prefix)
  }
})

test('VLT-62 What is wrong with a profile or preferences is refused as a whole', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const before = await user.call('GET', '/auth/me')
  for (const wrong of [
    { nickname: '' },
    { nickname: 'a'.repeat(41) },
    { nickname: '𠀀'.repeat(41) },
    { nickname: 5 },
    { nickname: 'a\u0000' },
    { nickname: 'fine', bio: 'b'.repeat(201) },
    { avatarUrl: 'ftp://example.org/a' },
    { avatarUrl: 'javascript:alert(1)' },
    { avatarUrl: `https://example.org/${'a'.repeat(500)}` },
    { avatarUrl: '' },
    { bio: {} },
  ]) {
    const { status, body } = await user.call('PATCH', '/auth/me/profile', wrong)
    assert.deepEqual([status, body.error.code], [400, 'VALIDATION_ERROR'], JSON.stringify(wrong))
  }
  for (const wrong of [
    { defaultLanguage: 'de' },
    { defaultLanguage: null },
    { timezone: 'Mars/Base' },
    { timezone: '' },
    { timezone: 'UTC', aiSuggestionsEnabled: 'yes' },
    { knownTagsFirst: null },
    { knownTagsFirst: 1 },
  ]) {
    const { status, body } = await user.call('PATCH', '/auth/me/preferences', wrong)
    assert.deepEqual([status, body.error.code], [400, 'VALIDATION_ERROR'], JSON.stringify(wrong))
  }
  assert.equal((await user.call('PATCH', '/auth/me/profile', '[]')).status, 400)
  assert.deepEqual((await user.call('GET', '/auth/me')).body, before.body)
  assert.equal((await user.call('PATCH', '/auth/me/profile', { nickname: '𠀀'.repeat(40) })).status, 200)
})
