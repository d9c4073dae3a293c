import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { defineApp } from '../app/define-app.ts'
import { hostApp } from '../http/host-app.ts'
import { openTestServer } from '../testing/open-test-server.ts'

const notes = hostApp({ app: defineApp({ name: 'notes', collections: { notes: collection(z.object({ text: z.string() })) } }) })

test('AUTH-24 With HOLDFAST_DEV_AUTH=1 an id in X-Dev-User-Id is a person of their own, made at the first use', async () => {
  await using server = await openTestServer({ apps: [notes], environment: { HOLDFAST_DEV_AUTH: '1' } })
  const me = async (id: string) => {
    const answer = await server.http.inject({ url: '/api/v1/auth/me', headers: { 'x-dev-user-id': id } })
    return { status: answer.statusCode, body: answer.json<{ user: { id: string; displayName: string } }>() }
  }
  const first = await Promise.all(Array.from({ length: 10 }, () => me('Ada')))
  assert.ok(first.every(({ status, body }) => status === 200 && body.user.id === first[0]?.body.user.id))
  assert.equal(first[0]?.body.user.displayName, 'Ada')
  const ids = new Set([first[0]?.body.user.id])
  for (const other of ['ada', 'ada@example.org', 'a'.repeat(128)]) ids.add((await me(other)).body.user.id)
  assert.equal(ids.size, 4)
  await server.restart()
  assert.equal((await me('Ada')).body.user.id, first[0]?.body.user.id)
  for (const malformed of ['', 'a b', 'é', 'a'.repeat(129), '../x', 'a,b']) assert.equal((await me(malformed)).status, 400, malformed)
})

test('AUTH-24 A development id rescues no other credential and counts nowhere else', async () => {
  await using server = await openTestServer({ apps: [notes], environment: { HOLDFAST_DEV_AUTH: '1' } })
  const status = async (headers: Readonly<Record<string, string>>) => (await server.http.inject({ url: '/api/v1/notes/pull', headers: { 'x-dev-user-id': 'ada', ...headers } })).statusCode
  assert.equal(await status({}), 200)
  for (const headers of [{ authorization: 'Bearer x' }, { authorization: 'Basic x' }, { authorization: '' }, { 'x-api-key': 'x' }]) assert.equal(await status(headers), 401, JSON.stringify(headers))
  for (const value of ['0', '', undefined]) {
    await server.restart({ environment: value === undefined ? {} : { HOLDFAST_DEV_AUTH: value } })
    assert.equal(await status({}), 401)
  }
})

test('AUTH-24 A development id counts only where the request names this machine: no page whose name was made to lead here is anybody', async () => {
  await using server = await openTestServer({ apps: [notes], environment: { HOLDFAST_DEV_AUTH: '1' } })
  const status = async (host: string) => (await server.http.inject({ url: '/api/v1/notes/pull', headers: { 'x-dev-user-id': 'ada', host } })).statusCode
  for (const host of ['localhost', 'LOCALHOST:8787', 'notes.localhost:80', '127.0.0.1', '127.0.0.1:8787', '127.1.2.3:1', '[::1]', '[::1]:8787']) assert.equal(await status(host), 200, host)
  for (const host of [
    'elsewhere.example',
    'elsewhere.example:8787',
    'localhost.elsewhere.example',
    '127.0.0.1.elsewhere.example',
    'notlocalhost',
    '10.0.0.1:8787',
    '[::2]',
    '[::1].example',
    '0.0.0.0',
  ])
    assert.equal(await status(host), 401, host)
  const forwarded = await server.http.inject({ url: '/api/v1/notes/pull', headers: { 'x-dev-user-id': 'ada', host: 'elsewhere.example', 'x-forwarded-host': 'localhost' } })
  assert.equal(forwarded.statusCode, 401)
})
