import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { defineApp } from '../app/define-app.ts'
import { openTestServer, type TestServer } from '../testing/open-test-server.ts'
import { hostApp } from './host-app.ts'
import { call, hostedDiary, type Method } from './test-calls.fixture.ts'

/** An app whose spaces are shared, with a collection that only owners read. */
const team = hostApp({
  app: defineApp({
    name: 'team',
    spaces: 'organisation',
    collections: {
      notes: collection(z.object({ title: z.string() })),
      secrets: collection(z.object({ title: z.string() }), { access: { read: 'owner', write: 'owner' } }),
    },
  }),
})

type Who = 'nobody' | 'stranger' | 'viewer' | 'editor' | 'owner' | 'viewerKey' | 'editorKey' | 'otherAppKey'

interface Row {
  readonly method: Method
  readonly url: string
  readonly body?: object
  /** Status for each; who is not named gets what the next one below gets: owner, editor, viewer. */
  readonly expect: Readonly<Record<Who, number>>
}

const closed = { nobody: 401, stranger: 404, otherAppKey: 403 } as const
const readers = { ...closed, viewer: 200, editor: 200, owner: 200, viewerKey: 200, editorKey: 200 } as const
const owners = { ...closed, viewer: 403, editor: 403, owner: 200, viewerKey: 403, editorKey: 403 } as const
const writers = (status: number) => ({ ...closed, viewer: 403, editor: status, owner: status, viewerKey: 403, editorKey: status }) as const

const rows: readonly Row[] = [
  { method: 'GET', url: 'pull', expect: readers },
  { method: 'GET', url: 'pull?collections=secrets', expect: owners },
  { method: 'GET', url: 'pull?collections=notes,secrets', expect: owners },
  { method: 'GET', url: 'pull?collections=notes,secrets&readable=true', expect: readers },
  { method: 'GET', url: 'pull?collections=secrets&readable=true', expect: owners },
  { method: 'GET', url: 'snapshot', expect: readers },
  { method: 'GET', url: 'snapshot?collections=notes,secrets&readable=true', expect: readers },
  { method: 'GET', url: 'snapshot?collections=secrets', expect: owners },
  { method: 'GET', url: 'status', expect: readers },
  { method: 'GET', url: 'conflicts', expect: readers },
  { method: 'GET', url: 'rejected', expect: readers },
  { method: 'GET', url: 'records/notes', expect: readers },
  { method: 'GET', url: 'records/notes/first', expect: readers },
  { method: 'GET', url: 'records/secrets', expect: owners },
  { method: 'GET', url: 'records/secrets/first', expect: owners },
  { method: 'GET', url: 'audit', expect: owners },
  { method: 'GET', url: 'audit/verify', expect: owners },
  { method: 'POST', url: 'records/notes', body: { data: { title: 'made' } }, expect: writers(201) },
  { method: 'PATCH', url: 'records/notes/first', body: { data: { title: 'first' } }, expect: writers(200) },
  { method: 'DELETE', url: 'records/notes/gone', expect: writers(204) },
  { method: 'POST', url: 'records/secrets', body: { data: { title: 'made' } }, expect: { ...owners, owner: 201 } },
]

async function openTeam(world: TestServer) {
  const { accounts } = world
  const owner = await world.register('owner@example.org')
  const principal = await accounts.authenticate({ bearer: owner.accessToken })
  if (principal.kind === 'key') throw new Error('This is a key.')
  const space = await accounts.createSpace(principal, { app: 'team', name: 'north' })
  const headers: Record<Who, Record<string, string>> = { nobody: {}, owner: { ...owner.headers } } as Record<Who, Record<string, string>>
  for (const who of ['stranger', 'viewer', 'editor'] as const) {
    const user = await world.register(`${who}@example.org`)
    headers[who] = { ...user.headers }
    if (who !== 'stranger') await accounts.setMember(principal, { spaceId: space.id, userId: user.userId, role: who, requestId: 'r' })
  }
  for (const role of ['viewer', 'editor'] as const) {
    const { key } = await accounts.createKey(principal, { request: { name: role, app: 'team', space: space.id, role }, spaces: 'organisation', requestId: 'r' })
    headers[`${role}Key`] = { 'x-api-key': key }
  }
  const { key } = await accounts.createKey(principal, { request: { name: 'other', app: 'diary', role: 'owner' }, spaces: 'personal', requestId: 'r' })
  headers.otherAppKey = { 'x-api-key': key }
  for (const id of ['first', 'gone']) await call(world, owner.headers, 'POST', `/api/v1/team/records/notes?space=${space.id}`, { id, data: { title: 'first' } })
  await call(world, owner.headers, 'POST', `/api/v1/team/records/secrets?space=${space.id}`, { id: 'first', data: { title: 'secret' } })
  return { space: space.id, headers }
}

test('HTTP-10 Every route of a space answers each role as its policy says', async () => {
  await using world = await openTestServer({ apps: [team, hostedDiary] })
  const { space, headers } = await openTeam(world)
  const wrong: string[] = []
  for (const { method, url, body, expect } of rows) {
    for (const [who, status] of Object.entries(expect) as [Who, number][]) {
      const answer = await call(world, headers[who], method, `/api/v1/team/${url}${url.includes('?') ? '&' : '?'}space=${space}`, body)
      if (answer.status !== status) wrong.push(`${who} ${method} ${url}: ${answer.status} instead of ${status}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('HTTP-10 PULL-5 A push by a viewer rejects every mutation; what only owners read is in no answer to others', async () => {
  await using world = await openTestServer({ apps: [team, hostedDiary] })
  const { space, headers } = await openTeam(world)
  const mutations = [
    { n: 1, collection: 'notes', id: 'x', op: 'put', base: 0, data: { title: 'x' } },
    { n: 2, collection: 'notes', id: 'first', op: 'delete', base: 1 },
  ]
  for (const who of ['viewer', 'viewerKey'] as const) {
    const { body } = await call(world, headers[who], 'POST', `/api/v1/team/push?space=${space}`, { clientId: 'c', mutations })
    assert.deepEqual(
      (body['results'] as unknown as { status: string; error: { code: string } }[]).map(({ status, error }) => `${status} ${error.code}`),
      ['rejected access.forbidden', 'rejected access.forbidden'],
    )
  }
  for (const who of ['viewer', 'editor', 'editorKey'] as const) {
    for (const url of ['pull', 'snapshot', 'pull?collections=notes,secrets&readable=true', 'snapshot?collections=notes,secrets&readable=true', 'status', 'conflicts', 'rejected', 'manifest']) {
      const { text } = await call(world, headers[who], 'GET', `/api/v1/team/${url}${url.includes('?') ? '&' : '?'}space=${space}`)
      assert.ok(!text.includes('"secret"'), `${who} ${url}`)
    }
    const { body } = await call(world, headers[who], 'POST', `/api/v1/team/push?space=${space}`, {
      mutations: [{ collection: 'secrets', id: 'first', op: 'patch', base: 1, data: { title: 'guess' } }],
    })
    assert.deepEqual([body['results']?.[0]?.['status'], body['results']?.[0]?.['record']], ['rejected', null])
  }
})

test('HTTP-10 A cursor is bound to its space, a session that ended fails from the next request on, and an app without personal spaces asks for one', async () => {
  await using world = await openTestServer({ apps: [team, hostedDiary] })
  const { space, headers } = await openTeam(world)
  const { body } = await call(world, headers.owner, 'GET', `/api/v1/team/pull?space=${space}`)
  const cursor = String(body['cursor'])
  const elsewhere = await call(world, headers.owner, 'GET', `/api/v1/diary/pull?cursor=${cursor}`)
  assert.deepEqual([elsewhere.status, elsewhere.body['code']], [400, 'cursor.invalid'])
  assert.deepEqual((await call(world, headers.owner, 'GET', '/api/v1/team/pull')).body['code'], 'space.required')
  assert.equal((await call(world, headers.owner, 'POST', '/api/v1/auth/logout')).status, 204)
  assert.equal((await call(world, headers.owner, 'GET', `/api/v1/team/pull?space=${space}`)).status, 401)
})

test('IDEM-5 An answer is given again only to who may still write what the request names', async () => {
  await using world = await openTestServer({ apps: [team, hostedDiary] })
  const { space, headers } = await openTeam(world)
  const owner = await world.accounts.authenticate({ bearer: headers.owner['authorization']?.slice(7) ?? '' })
  if (owner.kind === 'key') throw new Error('This is a key.')
  const second = await world.register('second@example.org')
  const setRole = (role: 'owner' | 'viewer') => world.accounts.setMember(owner, { spaceId: space, userId: second.userId, role, requestId: 'r' })
  await setRole('owner')
  const write = (name: string) => call(world, { ...second.headers, 'idempotency-key': name }, 'POST', `/api/v1/team/records/${name}?space=${space}`, { id: 'mine', data: { title: 'mine' } })
  for (const name of ['notes', 'secrets']) assert.deepEqual([(await write(name)).status, (await write(name)).headers['idempotency-replayed']], [201, 'true'])
  await setRole('viewer')
  for (const name of ['notes', 'secrets']) {
    const answer = await write(name)
    assert.deepEqual([answer.status, answer.body['code'], answer.text.includes('mine')], [403, 'access.forbidden', false], name)
  }
})

test('AUTH-18 An API key acts on no account, and only admins reach the accounts of others', async () => {
  await using world = await openTestServer({ apps: [team, hostedDiary] })
  const { headers } = await openTeam(world)
  const routes: readonly (readonly [Method, string])[] = [
    ['GET', '/api/v1/auth/me'],
    ['GET', '/api/v1/devices'],
    ['GET', '/api/v1/sessions'],
    ['GET', '/api/v1/keys'],
    ['GET', '/api/v1/spaces'],
    ['POST', '/api/v1/auth/logout'],
  ]
  for (const [method, url] of routes) {
    assert.equal((await call(world, headers.editorKey, method, url)).status, 403, url)
    assert.equal((await call(world, {}, method, url)).status, 401, url)
  }
  for (const [method, url] of [
    ['GET', '/api/v1/users'],
    ['POST', '/api/v1/auth/invites'],
  ] as const)
    assert.equal((await call(world, headers.owner, method, url)).status, 403, url)
})

test('AUTH-23 Unknown and ill-typed fields of account routes are 400 and name the field', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const register = (body: object) => call(world, {}, 'POST', '/api/v1/auth/register', body)
  const good = { email: 'ada@example.org', password: 'correct horse' }
  for (const [body, path] of [
    [{ ...good, role: 'admin' }, 'role'],
    [{ ...good, email: 'none' }, 'email'],
    [{ ...good, password: 'short' }, 'password'],
    [{ ...good, password: 12_345_678 }, 'password'],
    [{ ...good, device: { id: '../x' } }, 'device.id'],
    [{ password: good.password }, 'email'],
  ] as const) {
    const answer = await register(body)
    assert.deepEqual([answer.status, answer.body['fields']?.[0]?.['path']], [400, path], JSON.stringify(body))
  }
  assert.equal((await register(good)).status, 201)
})

test('EVT-6 An event holds no change of a collection that its reader may not read', async () => {
  await using world = await openTestServer({ apps: [team, hostedDiary] })
  const { space, headers } = await openTeam(world)
  const heard: Record<string, string> = {}
  for (const who of ['viewer', 'owner'] as const) {
    const abort = new AbortController()
    const answer = await fetch(`${world.url}/api/v1/team/events?space=${space}`, { headers: headers[who], signal: abort.signal })
    const reader = answer.body?.getReader()
    await reader?.read()
    await call(world, headers.owner, 'PATCH', `/api/v1/team/records/secrets/first?space=${space}`, { data: { title: `secret for ${who}` } })
    heard[who] = new TextDecoder().decode((await reader?.read())?.value)
    abort.abort()
  }
  assert.match(heard['viewer'] ?? '', /event: change\ndata: \{.*"changes":\[\]\}/)
  assert.match(heard['owner'] ?? '', /secret for owner/)
})
