import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { defineApp } from '../app/define-app.ts'
import { openTestServer } from '../testing/open-test-server.ts'
import { hostApp } from './host-app.ts'
import { call } from './test-calls.fixture.ts'

const app = defineApp({ name: 'texts', collections: { notes: collection(z.object({ text: z.string() }), { conflict: 'reject', search: ['text'] }) } })
const texts = hostApp({ app })
const ids = ['a', 'b', 'c', 'd', 'e']
const LETTERS = 3_000_000

const large = (id: string) => `needle ${id} ${'x'.repeat(LETTERS)}`

/** Five records of 3 MB, and edits of each that were refused: one because it was stale, one because it was not valid. */
async function openLarge() {
  const world = await openTestServer({ apps: [texts] })
  const { headers } = await world.register('ada@example.org')
  const push = async (mutation: Readonly<Record<string, unknown>>) => {
    const { body } = await call(world, headers, 'POST', '/api/v1/texts/push', { mutations: [{ collection: 'notes', ...mutation }] })
    return body['results']?.[0]
  }
  for (const id of ids) {
    assert.equal((await push({ id, op: 'put', base: 0, data: { text: large(id) } }))?.['status'], 'applied')
    assert.equal((await push({ id, op: 'put', base: 0, data: { text: `other ${large(id)}` } }))?.['status'], 'conflict')
    assert.equal((await push({ id: `${id}.2`, op: 'put', base: 9_999_999_999_999, data: { text: large(id) } }))?.['status'], 'rejected')
  }
  /** Follows the cursor to the end: how many rows each page has. */
  const pages = async (url: string, member: string): Promise<readonly number[]> => {
    const lengths: number[] = []
    for (let query: string | undefined = ''; query !== undefined;) {
      const { status, body } = await call(world, headers, 'GET', `/api/v1/texts/${url}${query}`)
      assert.equal(status, 200)
      lengths.push([...(body[member] ?? [])].length)
      query = typeof body['cursor'] === 'string' ? `&cursor=${encodeURIComponent(body['cursor'])}` : undefined
    }
    return lengths
  }
  return { world, pages, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
}

test('REC-10 Pages of a search, of conflicts, of refused edits and of the log end early where texts are large, and go on', async () => {
  await using opened = await openLarge()
  assert.deepEqual(await opened.pages('search?q=needle&limit=100', 'results'), [2, 2, 1])
  assert.deepEqual(await opened.pages('conflicts?limit=100', 'conflicts'), [1, 1, 1, 1, 1])
  assert.deepEqual(await opened.pages('rejected?limit=100', 'rejected'), [2, 2, 1])
  assert.deepEqual(await opened.pages('audit?limit=100', 'entries'), [2, 2, 1])
})
