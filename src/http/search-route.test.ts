import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { defineApp } from '../app/define-app.ts'
import { openTestServer, type TestServer, type TestUser } from '../testing/open-test-server.ts'
import { hostApp } from './host-app.ts'

const notes = hostApp({
  app: defineApp({
    name: 'shop',
    spaces: 'organisation',
    collections: {
      notes: collection(z.object({ title: z.string(), text: z.string().default('') }), { search: ['title', 'text'] }),
      secrets: collection(z.object({ title: z.string() }), { search: ['title'], access: { read: 'owner' } }),
      plain: collection(z.object({ title: z.string() })),
    },
  }),
})

interface Found {
  readonly results: readonly { readonly score: number; readonly record: { readonly id: string; readonly collection: string; readonly data: Record<string, string> } }[]
  readonly cursor: string | null
  readonly total?: number
}

async function openShop(server: TestServer, name = 'shop') {
  const owner = await server.register(`${name}@example.org`)
  await server.database.write((tx) => tx.query.updateTable('holdfast_users').set({ server_role: 'admin' }).execute())
  const made = await server.http.inject({ method: 'POST', url: '/api/v1/spaces', headers: owner.headers, payload: { app: 'shop', name } })
  const space = made.json().id as string
  return {
    owner,
    space,
    add: async (collectionName: string, id: string, data: object) => {
      const answer = await server.http.inject({ method: 'POST', url: `/api/v1/shop/records/${collectionName}?space=${space}`, headers: owner.headers, payload: { id, data } })
      assert.equal(answer.statusCode, 201, answer.body)
    },
    member: async (email: string, role: string) => {
      const user = await server.register(email)
      await server.http.inject({ method: 'PUT', url: `/api/v1/spaces/${space}/members/${user.userId}`, headers: owner.headers, payload: { role } })
      return user
    },
    search: async (query: Record<string, string>, user: TestUser = owner) => {
      const answer = await server.http.inject({ url: '/api/v1/shop/search', query: { space, ...query }, headers: user.headers })
      return { status: answer.statusCode, body: answer.json() as Found }
    },
  }
}

test('SRCH-10 A search answers scores and whole records, by pages, with a total on wish', async () => {
  await using server = await openTestServer({ apps: [notes] })
  const shop = await openShop(server)
  for (let index = 0; index < 5; index += 1) await shop.add('notes', `n${index}`, { title: `Café ${index}`, text: 'au lait' })
  const first = await shop.search({ q: 'CAFE', phrase: 'au lait', limit: '3', total: 'true' })
  assert.equal(first.status, 200)
  assert.deepEqual(
    first.body.results.map(({ record, score }) => [record.id, score]),
    [
      ['n4', 10],
      ['n3', 10],
      ['n2', 10],
    ],
  )
  assert.deepEqual(first.body.results[0]?.record.data, { title: 'Café 4', text: 'au lait' })
  assert.equal(first.body.total, 5)
  const second = await shop.search({ q: 'CAFE', phrase: 'au lait', limit: '3', cursor: first.body.cursor ?? '' })
  assert.deepEqual(
    second.body.results.map(({ record }) => record.id),
    ['n1', 'n0'],
  )
  assert.equal(second.body.cursor, null)
  assert.equal(second.body.total, undefined)
  const sixteen = 'abcdefghijklmnop'.split('').join(' ')
  assert.deepEqual((await shop.search({ q: sixteen })).body.results, [])
  for (const wrong of [
    {},
    { q: '' },
    { q: ' \u00AD ' },
    { q: 'a', limit: '0' },
    { q: 'a', limit: '101' },
    { q: 'a', limit: 'x' },
    { q: 'x'.repeat(501) },
    { q: sixteen, phrase: 'z' },
    { q: 'a', sort: 'best' },
    { q: 'a', cursor: 'junk' },
    { q: 'a', collections: '' },
  ]) {
    assert.equal((await shop.search(wrong as Record<string, string>)).status, 400, JSON.stringify(wrong))
  }
})

test("SRCH-11 A search shows nothing above the role, of another space, or by another search's cursor", async () => {
  await using server = await openTestServer({ apps: [notes] })
  const shop = await openShop(server)
  const other = await openShop(server, 'other')
  await shop.add('notes', 'n', { title: 'plan' })
  await shop.add('secrets', 's', { title: 'plan' })
  await other.add('notes', 'o', { title: 'plan' })
  const viewer = await shop.member('vic@example.org', 'viewer')
  const found = async (query: Record<string, string>, user?: TestUser) => (await shop.search(query, user)).body.results.map(({ record }) => record.id)
  assert.deepEqual(await found({ q: 'plan' }), ['s', 'n'])
  assert.deepEqual(await found({ q: 'plan' }, viewer), ['n'])
  assert.equal((await shop.search({ q: 'plan', total: 'true' }, viewer)).body.total, 1)
  assert.equal((await shop.search({ q: 'plan', collections: 'secrets' }, viewer)).status, 403)
  assert.equal((await shop.search({ q: 'plan', collections: 'plain' })).status, 400)
  assert.equal((await shop.search({ q: 'plan', collections: 'none' })).status, 400)
  assert.equal((await shop.search({ q: 'plan' }, other.owner)).status, 404)
  const { cursor } = (await shop.search({ q: 'plan', limit: '1' })).body
  assert.equal((await shop.search({ q: 'plans', limit: '1', cursor: cursor ?? '' })).status, 400)
  assert.equal((await shop.search({ q: 'plan', limit: '1', cursor: cursor ?? '', sort: 'recent' })).status, 400)
  assert.equal((await server.http.inject({ url: '/api/v1/shop/search', query: { q: 'plan', space: shop.space } })).statusCode, 401)
})
