import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { defineApp } from '../app/define-app.ts'
import { openTestServer, type TestServer, type TestUser } from '../testing/open-test-server.ts'
import { hostApp } from './host-app.ts'
import { call } from './test-calls.fixture.ts'

const team = hostApp({ app: defineApp({ name: 'team', spaces: 'organisation', collections: { notes: collection(z.object({ title: z.string() })) } }) })

async function openTeam(world: TestServer) {
  const owner = await world.register('owner@example.org')
  const member = await world.register('member@example.org')
  const principal = await world.accounts.authenticate({ bearer: owner.accessToken })
  if (principal.kind === 'key') throw new Error('This is a key.')
  const { id } = await world.accounts.createSpace(principal, { app: 'team', name: 'north' })
  const setRole = (role: 'viewer' | 'editor') => world.accounts.setMember(principal, { spaceId: id, userId: member.userId, role, requestId: 'r' })
  const remove = () => world.accounts.removeMember(principal, { spaceId: id, userId: member.userId, requestId: 'r' })
  await setRole('editor')
  return { owner, member, space: id, setRole, remove }
}

async function openSocket(world: TestServer): Promise<Socket> {
  const socket = connect(Number(new URL(world.url).port), '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

/** Sends the head of a push and half of its body, lets something happen, and sends the rest. Answers the status. */
async function slowPush(world: TestServer, { headers }: TestUser, space: string, between: () => Promise<unknown>): Promise<string> {
  const body = JSON.stringify({ mutations: [{ collection: 'notes', id: 'late', op: 'put', base: 0, data: { title: 'late' } }] })
  const socket = await openSocket(world)
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('utf8')))
  const head = ['POST', `/api/v1/team/push?space=${space}`, 'HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json'].join(' ')
  const arrived = once(world.http.server, 'request')
  socket.write(`${head}\r\nAuthorization: ${headers['authorization'] ?? ''}\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 20)}`)
  await arrived
  // Whatever the route asks before the body has been asked when another request is answered.
  await call(world, headers, 'GET', `/api/v1/team/status?space=${space}`)
  await between()
  socket.write(body.slice(20))
  await once(socket, 'close')
  return answer.slice(9, 12)
}

test('HTTP-12 A write whose right ended while its body was on the way is refused', async () => {
  await using world = await openTestServer({ apps: [team] })
  const { owner, member, space, remove, setRole } = await openTeam(world)
  const titles = async () => (await call(world, owner.headers, 'GET', `/api/v1/team/records/notes?space=${space}`)).body['records']?.length
  assert.equal(await slowPush(world, member, space, remove), '404')
  assert.equal(await titles(), 0)
  await setRole('editor')
  const principal = await world.accounts.authenticate({ bearer: member.accessToken })
  if (principal.kind === 'key') throw new Error('This is a key.')
  assert.equal(await slowPush(world, member, space, () => world.accounts.logout({ userId: principal.userId, id: principal.sessionId })), '401')
  assert.equal(await titles(), 0)
})

test('HTTP-12 A write whose role fell while its body was on the way is refused, as is one that waited for long', async () => {
  await using world = await openTestServer({ apps: [team] })
  const { owner, member, space, setRole } = await openTeam(world)
  await slowPush(world, member, space, () => setRole('viewer'))
  const { body } = await call(world, owner.headers, 'GET', `/api/v1/team/records/notes?space=${space}`)
  assert.equal(body['records']?.length, 0)
  // Another process took the right away, and word of it did not come.
  await setRole('editor')
  const silently = async () => {
    await world.database.write((tx) => tx.run('DELETE FROM holdfast_members WHERE user_id = ?', [member.userId]))
    world.advance(5_000)
  }
  assert.equal(await slowPush(world, member, space, silently), '404')
})

test('HTTP-12 A snapshot ends when its reader loses the space', async () => {
  await using world = await openTestServer({ apps: [team] })
  const { owner, member, space, remove } = await openTeam(world)
  for (let page = 0; page < 20; page += 1) {
    const mutations = Array.from({ length: 100 }, (_, index) => ({ collection: 'notes', id: `n${page}.${index}`, op: 'put', base: 0, data: { title: 'x'.repeat(20_000) } }))
    assert.equal((await call(world, owner.headers, 'POST', `/api/v1/team/push?space=${space}`, { mutations })).status, 200)
  }
  const socket = await openSocket(world)
  socket.write(`GET /api/v1/team/snapshot?space=${space} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${member.headers['authorization'] ?? ''}\r\n\r\n`)
  await once(socket, 'readable')
  await remove()
  let bytes = 0
  let end = ''
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    end = (end + chunk.toString('latin1')).slice(-200)
  })
  await once(socket, 'close')
  assert.ok(bytes > 0 && bytes < 35_000_000, `${bytes} of 40 million bytes`)
  assert.doesNotMatch(end, /"cursor"/)
})
