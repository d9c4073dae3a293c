import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonValue } from 'holdfast'
import { openTestVault, type TestUser } from './open-test-vault.ts'

interface Page {
  readonly items: readonly Readonly<Record<string, JsonValue>>[]
  readonly total: number
  readonly pagination: { readonly cursor: string | null; readonly hasMore: boolean }
}

async function pending(user: TestUser, query = ''): Promise<Page> {
  const { status, body } = await user.call('GET', `/items/pending${query}`)
  assert.equal(status, 200)
  return body as unknown as Page
}

test('VLT-20 What is pending comes newest first, ties by id, with the number of all', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  for (const id of ['b', 'c', 'a']) await user.call('POST', '/items', { id, rawText: id })
  world.advance(5)
  await user.call('POST', '/items', { id: '0', rawText: 'later' })
  await user.call('POST', '/items', { id: 'kept', rawText: 'x', enrich: false })
  await user.call('POST', '/items/b/cancel')
  await user.call('POST', '/items', { id: 'gone', rawText: 'x' })
  await user.call('DELETE', '/items/gone')
  const { items, total, pagination } = await pending(user)
  assert.deepEqual([items.map(({ id }) => id), total, pagination], [['0', 'c', 'b', 'a'], 4, { cursor: null, hasMore: false }])
  assert.ok(items.every((item) => !('attachments' in item) && !('article' in item) && item['attachmentCount'] === 0))
})

test('VLT-53 Walking what is pending gives everything that was there once, whatever comes in between', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const mutations = Array.from({ length: 25 }, (_, index) => ({ collection: 'items', id: `i${index}`, op: 'put', data: { rawText: 'x' } }))
  await user.call('POST', '/api/v1/vault/push', { mutations })
  const seen: string[] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Page = await pending(user, `?limit=7${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)
    seen.push(...page.items.map(({ id }) => String(id)))
    assert.equal(page.pagination.hasMore, page.pagination.cursor !== null)
    cursor = page.pagination.cursor
    await user.call('POST', '/items', { rawText: 'in between', id: `x${seen.length}` })
  }
  assert.deepEqual(seen.toSorted(), mutations.map(({ id }) => id).toSorted()) // prettier-ignore
})

test('VLT-53 A cursor that was altered, or is of another space, and a bad limit are refused', async () => {
  await using world = await openTestVault()
  const [user, other] = [await world.signUp(), await world.signUp()]
  for (const id of ['a', 'b', 'c']) await user.call('POST', '/items', { id, rawText: id })
  const cursor = String((await pending(user, '?limit=1')).pagination.cursor)
  const altered = [...cursor].map((char, index) => `${cursor.slice(0, index)}${char === 'A' ? 'B' : 'A'}${cursor.slice(index + 1)}`)
  for (const wrong of ['', 'x', '.', 'W10', `${cursor}A`, `${cursor}.x`, ` ${cursor}`, '%00'.repeat(3), 'x'.repeat(5_000), ...altered]) {
    const answer = await user.call('GET', `/items/pending?cursor=${wrong.startsWith('%') ? wrong : encodeURIComponent(wrong)}`)
    assert.equal(answer.status, 400, wrong)
    assert.deepEqual([answer.body.error.code, typeof answer.body.error.details['cursor']], ['INVALID_CURSOR', 'string'])
  }
  assert.equal((await other.call('GET', `/items/pending?cursor=${cursor}`)).body.error.code, 'INVALID_CURSOR')
  for (const limit of ['0', '101', 'x', '1.5', '-1', '', '1e1']) {
    const answer = await user.call('GET', `/items/pending?limit=${limit}`)
    assert.deepEqual([answer.status, answer.body.error.code], [400, 'VALIDATION_ERROR'], limit)
  }
})

test('VLT-21 If-Match with another version than the current one is 412 and changes nothing', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const made = await user.call('POST', '/items', { rawText: 'x', enrich: false })
  const path = `/items/${String(made.body['id'])}`
  const etag = String(made.headers['etag'])
  const edit = (title: string, tag: string) => user.call('PATCH', path, { title }, { 'if-match': tag })
  const edited = await edit('first', etag)
  assert.deepEqual([edited.status, edited.body['title']], [200, 'first'])
  for (const tag of [etag, '"1"', 'W/"5"', 'x', '"', '']) {
    const answer = await edit('second', tag)
    assert.deepEqual([answer.status, answer.body.error.code, answer.body.error.details], [412, 'PRECONDITION_FAILED', { currentVersion: edited.body['version'] }], tag)
  }
  assert.equal((await user.call('DELETE', path, undefined, { 'if-match': etag })).status, 412)
  assert.deepEqual((await user.call('GET', path)).body, edited.body)
  assert.equal((await edit('third', '*')).status, 200)
  assert.equal((await user.call('PATCH', '/items/never', { title: 'x' }, { 'if-match': '"1"' })).status, 404)
})

test('VLT-22 Every change raises the version and is later, in one millisecond too; an edit that changes nothing does neither', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  let last = (await user.call('POST', '/items', { rawText: 'x', enrich: false })).body
  for (const title of ['a', 'b', 'c']) {
    const { body } = await user.call('PATCH', `/items/${String(last['id'])}`, { title })
    assert.ok(Number(body['version']) > Number(last['version']) && String(body['updatedAt']) > String(last['updatedAt']))
    last = body
  }
  for (const body of [{}, { title: 'c' }, { title: ' c ', rawText: 'x', tags: [], addedTagIds: [] }]) assert.deepEqual((await user.call('PATCH', `/items/${String(last['id'])}`, body)).body, last)
})

test('VLT-47 Every change by a route is in the feed and pokes who listens; a permanent delete is a tombstone', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await world.scopeOf(user)
  const pokes: number[] = []
  const stop = world.server.context.doorbell.listen(({ to }) => pokes.push(to))
  let cursor = ''
  const feed = async () => {
    const { body } = await user.call('GET', `/api/v1/vault/pull${cursor === '' ? '' : `?cursor=${cursor}`}`)
    cursor = String(body['cursor'])
    return body['changes'] as unknown as readonly { readonly id: string; readonly version: number; readonly deleted: boolean; readonly data: { readonly status: string } | null }[]
  }
  const steps: readonly (readonly [string, string, unknown, string | undefined])[] = [
    ['POST', '/items', { id: 'i', rawText: 'x' }, 'ENRICHING'],
    ['POST', '/items/i/cancel', undefined, 'FAILED'],
    ['POST', '/items/i/retry', undefined, 'ENRICHING'],
    ['POST', '/items/i/cancel', undefined, 'FAILED'],
    ['PATCH', '/items/i', { action: 'archive' }, 'ARCHIVED'],
    ['PATCH', '/items/i', { title: 'New' }, 'ARCHIVED'],
    ['PATCH', '/items/i', { action: 'discard' }, 'DISCARDED'],
    ['POST', '/items/i/restore', undefined, 'ARCHIVED'],
    ['DELETE', '/items/i', undefined, undefined],
  ]
  for (const [method, path, body, status] of steps) {
    assert.ok((await user.call(method, path, body)).status < 300, path)
    const [change] = await feed()
    assert.deepEqual([change?.id, change?.deleted, change?.data?.status], ['i', status === undefined, status], `${method} ${path}`)
    if (world.server.database.dialect.name === 'sqlite') assert.equal(pokes.at(-1), change?.version)
  }
  stop()
})

test('VLT-63 The trash gives back what was discarded; a permanent delete takes an item from any state, with its job and its article', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const scope = await world.scopeOf(user)
  await user.call('POST', '/items', { id: 'i', rawText: 'x' })
  const article = { itemId: 'i', status: 'done', text: 'long' } as const
  await world.server.context.commit(scope, { mutations: [{ collection: 'articles', id: 'i', op: 'put', base: 'any', sent: article, trusted: true }], keepRejected: false, keepConflicts: false })
  const outcomes = []
  const shown = (await user.call('GET', '/items/i')).body['article']
  assert.deepEqual(shown, { itemId: 'i', status: 'done', code: null, title: null, byline: null, siteName: null, language: null, wordCount: 0, fetchedUrl: null, fetchedAt: null })
  for (const path of ['/items/i', '/items/i', '/items/never']) outcomes.push((await user.call('DELETE', path)).status)
  assert.deepEqual(outcomes, [204, 204, 404])
  assert.equal((await user.call('GET', '/items/i')).status, 404)
  const { body } = await user.call('GET', '/api/v1/vault/pull')
  assert.ok((body['changes'] as unknown as readonly { readonly deleted: boolean }[]).every(({ deleted }) => deleted))
  const states = await world.server.database.read((reader) => reader.all<{ state: string }>('SELECT state FROM holdfast_jobs'))
  assert.deepEqual(states.map(({ state }) => state), ['cancelled']) // prettier-ignore
})
