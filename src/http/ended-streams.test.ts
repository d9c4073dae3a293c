import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { defineApp } from '../app/define-app.ts'
import type { UserPrincipal } from '../auth/principal.ts'
import { openTestServer, TEST_PASSWORD, type TestServer, type TestUser } from '../testing/open-test-server.ts'
import { readEvents } from '../testing/read-events.ts'
import { hostApp } from './host-app.ts'
import { call, hostedDiary } from './test-calls.fixture.ts'

const title = z.object({ title: z.string() })
const team = hostApp({
  app: defineApp({ name: 'team', spaces: 'organisation', collections: { notes: collection(title), plans: collection(title, { access: { read: 'editor', write: 'editor' } }) } }),
})

async function principalOf(world: TestServer, user: TestUser): Promise<UserPrincipal> {
  const principal = await world.accounts.authenticate({ bearer: user.accessToken })
  if (principal.kind === 'key') throw new Error('This is a key.')
  return principal
}

/** A stream that has begun; nothing is written while it is open. */
async function openStream(url: string, headers: Readonly<Record<string, string>>) {
  const stream = await readEvents<{ readonly spaces: readonly unknown[] }>(url, headers)
  assert.deepEqual([stream.status, (await stream.next())?.event], [200, 'ready'])
  return stream
}

/** What ends the session of the one whose stream is open. `other` is the same person on another device. */
interface Ending {
  readonly what: string
  end(world: TestServer, people: { readonly ada: TestUser; readonly other: TestUser }): Promise<unknown>
}

const post = (world: TestServer, user: TestUser | undefined, path: string, body: object) => call(world, user?.headers ?? {}, 'POST', `/api/v1/auth/${path}`, body)

const endings: readonly Ending[] = [
  { what: 'a sign-out', end: (world, { ada }) => post(world, ada, 'logout', {}) },
  { what: 'the end of the session by its owner', end: async (world, { ada, other }) => world.accounts.endSession(await principalOf(world, other), (await principalOf(world, ada)).sessionId) },
  { what: 'a removed device', end: (world, { ada, other }) => call(world, other.headers, 'DELETE', `/api/v1/devices/${ada.deviceId}`) },
  { what: 'a password change', end: (world, { other }) => post(world, other, 'password', { currentPassword: TEST_PASSWORD, newPassword: 'another password' }) },
  {
    what: 'a password reset',
    end: async (world, { ada }) => {
      await post(world, undefined, 'reset-request', { email: ada.email })
      await world.accounts.settled()
      const [, token] = /#token=(\S+)/.exec(world.mails.at(-1) ?? '') ?? []
      return post(world, undefined, 'reset', { token, newPassword: 'another password' })
    },
  },
  {
    what: 'a refresh token that is used again',
    end: async (world, { ada }) => {
      const { body } = await post(world, undefined, 'refresh', { refreshToken: ada.refreshToken })
      await post(world, undefined, 'refresh', { refreshToken: String(body['refreshToken']) })
      return post(world, undefined, 'refresh', { refreshToken: ada.refreshToken })
    },
  },
  {
    what: 'a disabled account',
    end: async (world, { ada }) => {
      const admin = await world.register('admin@example.org')
      await world.database.write((tx) => tx.run("UPDATE holdfast_users SET server_role = 'admin' WHERE id = ?", [admin.userId]))
      return call(world, admin.headers, 'PATCH', `/api/v1/users/${ada.userId}`, { disabled: true })
    },
  },
]

for (const { what, end } of endings) {
  test(`EVT-3 A stream ends at once, with nothing written, at ${what}`, async () => {
    await using world = await openTestServer({ apps: [hostedDiary], publicUrl: 'https://holdfast.example' })
    const ada = await world.register('ada@example.org', 'phone')
    const other = await world.signIn('ada@example.org', 'laptop')
    const stream = await openStream(`${world.url}/api/v1/diary/events`, ada.headers)
    await end(world, { ada, other })
    assert.equal(await stream.next(), undefined)
    assert.equal((await readEvents(`${world.url}/api/v1/diary/events`, ada.headers)).status, 401)
  })
}

test('EVT-3 The stream of a key ends at once when the key is revoked, and when the account that made it is disabled', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const ada = await world.register('ada@example.org')
  const admin = await world.register('admin@example.org')
  await world.database.write((tx) => tx.run("UPDATE holdfast_users SET server_role = 'admin' WHERE id = ?", [admin.userId]))
  const makeKey = async () => (await call(world, ada.headers, 'POST', '/api/v1/keys', { name: 'script', app: 'diary', role: 'viewer' })).body
  const [first, second] = [await makeKey(), await makeKey()]
  const url = `${world.url}/api/v1/diary/events`
  const [one, two] = [await openStream(url, { 'x-api-key': String(first['key']) }), await openStream(url, { 'x-api-key': String(second['key']) })]
  await call(world, ada.headers, 'DELETE', `/api/v1/keys/${String(first['id'])}`)
  assert.equal(await one.next(), undefined)
  await call(world, admin.headers, 'PATCH', `/api/v1/users/${ada.userId}`, { disabled: true })
  assert.equal(await two.next(), undefined)
})

test('EVT-3 A stream of one space ends at once when the space is lost, and one of a lost space does not begin', async () => {
  await using world = await openTestServer({ apps: [team] })
  const [owner, member] = [await world.register('owner@example.org'), await world.register('member@example.org')]
  const principal = await principalOf(world, owner)
  const { id } = await world.accounts.createSpace(principal, { app: 'team', name: 'north' })
  await world.accounts.setMember(principal, { spaceId: id, userId: member.userId, role: 'editor', requestId: 'r' })
  const url = `${world.url}/api/v1/team/events?space=${id}`
  const stream = await openStream(url, member.headers)
  await world.accounts.removeMember(principal, { spaceId: id, userId: member.userId, requestId: 'r' })
  assert.equal(await stream.next(), undefined)
  assert.equal((await readEvents(url, member.headers)).status, 404)
})

test('EVT-3 EVT-6 Of a role that falls while a stream is open its reader is told nothing more than the new one may read', async () => {
  await using world = await openTestServer({ apps: [team] })
  const [owner, member] = [await world.register('owner@example.org'), await world.register('member@example.org')]
  const principal = await principalOf(world, owner)
  const { id } = await world.accounts.createSpace(principal, { app: 'team', name: 'north' })
  const setRole = (role: 'editor' | 'viewer') => world.accounts.setMember(principal, { spaceId: id, userId: member.userId, role, requestId: 'r' })
  await setRole('editor')
  const stream = await readEvents<{ readonly changes?: readonly { readonly collection: string; readonly data: object }[] }>(`${world.url}/api/v1/team/events?space=${id}`, member.headers)
  await stream.next()
  const write = (name: string) => call(world, owner.headers, 'POST', `/api/v1/team/records/${name}?space=${id}`, { data: { title: `of ${name}` } })
  await write('plans')
  assert.deepEqual(
    (await stream.next())?.data.changes?.map((change) => change.collection),
    ['plans'],
  )
  await setRole('viewer')
  await write('plans')
  await write('notes')
  const seen: string[] = []
  while (!seen.includes('notes')) seen.push(...((await stream.next())?.data.changes ?? []).map((change) => change.collection))
  assert.deepEqual(seen, ['notes'])
  stream.close()
})

test('EVT-2 An id that names spaces of others costs no reading of them', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const ada = await world.register('ada@example.org')
  const foreign = Array.from({ length: 1_000 }, (_, index) => `${index + 1_000}:1`).join(',')
  let asked = 0
  const { authenticator } = world.context
  const authenticate = authenticator.authenticate.bind(authenticator)
  authenticator.authenticate = (credentials) => {
    asked += 1
    return authenticate(credentials)
  }
  const stream = await openStream(`${world.url}/api/v1/diary/events`, { ...ada.headers, 'last-event-id': foreign })
  await call(world, ada.headers, 'POST', '/api/v1/diary/records/notes', { id: 'a', data: { title: 'a' } })
  assert.equal((await stream.next())?.event, 'change')
  assert.ok(asked < 20, `${asked} times`)
  stream.close()
})
