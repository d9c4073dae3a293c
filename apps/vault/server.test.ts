import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestVault } from './open-test-vault.ts'

test('VLT-1 Health needs no credential, under every prefix', async () => {
  await using world = await openTestVault()
  for (const path of ['/vault/health', '/vault/api/v1/health', '/health', '/api/v1/health']) {
    const answer = await world.send({ method: 'GET', path })
    assert.deepEqual([answer.status, answer.body], [200, { status: 'ok' }], path)
  }
})

test('VLT-2 A harmless request id comes back, any other is replaced', async () => {
  await using world = await openTestVault()
  const idOf = async (given: string | undefined, path = '/vault/health') =>
    String((await world.send({ method: 'GET', path, ...(given === undefined ? {} : { headers: { 'x-request-id': given } }) })).headers['x-request-id'])
  assert.equal(await idOf('a.B_9:-'), 'a.B_9:-')
  assert.equal(await idOf('x'.repeat(128)), 'x'.repeat(128))
  for (const given of [undefined, '', 'x'.repeat(129), 'a b', '<script>', '../x', 'é']) {
    for (const path of ['/vault/health', '/vault/nothing', '/vault/items/%zz']) assert.match(await idOf(given, path), /^req-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  }
})

test('VLT-3 Every error is in the envelope with the id of the request', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const headers = { ...user.headers, 'x-request-id': 'mine' }
  const requests = [
    { method: 'GET', path: '/vault/nothing', code: 'NOT_FOUND', status: 404 },
    { method: 'GET', path: '/vault', code: 'NOT_FOUND', status: 404 },
    { method: 'GET', path: '/vault/items/%zz', code: 'INVALID_REQUEST', status: 400 },
    { method: 'DELETE', path: '/vault/health', code: 'METHOD_NOT_ALLOWED', status: 405 },
    { method: 'PUT', path: '/vault/api/v1/health', code: 'METHOD_NOT_ALLOWED', status: 405 },
  ]
  for (const { method, path, code, status } of requests) {
    const answer = await world.send({ method, path, headers })
    assert.deepEqual([answer.status, answer.body.error.code, answer.body.error.requestId, answer.headers['x-request-id']], [status, code, 'mine', 'mine'], path)
    assert.deepEqual(Object.keys(answer.body), ['error'])
    assert.deepEqual(Object.keys(answer.body.error), ['code', 'message', 'requestId', 'details'])
    if (status === 405) assert.match(String(answer.headers['allow']), /\bGET\b/)
  }
})
