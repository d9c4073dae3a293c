import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { defineApp } from '../app/define-app.ts'
import { hostApp } from '../http/host-app.ts'
import { openTestServer } from './open-test-server.ts'

const notes = hostApp({ app: defineApp({ name: 'notes', collections: { notes: collection(z.object({ text: z.string() })) } }) })

test('SERVE-1 A test server answers over a real port, moves its clock on demand and keeps its data through a restart', async () => {
  await using world = await openTestServer({ apps: [notes] })
  const { headers, userId, deviceId } = await world.register('ada@example.org', 'phone')
  assert.equal(deviceId, 'phone')
  const mutation = { collection: 'notes', id: 'n1', op: 'put', base: 0, data: { text: 'one' } }
  const push = () => fetch(`${world.url}/api/v1/notes/push`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ mutations: [mutation] }) })
  const first = (await (await push()).json()) as { results: { status: string; version: number }[] }
  assert.equal(first.results[0]?.status, 'applied')
  const { url } = world
  await world.restart()
  assert.equal(world.url, url)
  const pulled = await world.http.inject({ url: '/api/v1/notes/pull', headers })
  assert.deepEqual(pulled.json().changes[0].data, { text: 'one' })
  world.advance(16 * 60_000)
  assert.equal((await push()).status, 401)
  const again = await world.signIn('ada@example.org')
  assert.equal(again.userId, userId)
})
