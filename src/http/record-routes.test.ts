import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestServer, type TestServer, type TestUser } from '../testing/open-test-server.ts'
import { call, hostedDiary, type Body } from './test-calls.fixture.ts'

const base = '/api/v1/diary/records/notes'

function caller(world: TestServer, user: TestUser) {
  return (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, body?: object, headers: Record<string, string> = {}) => call(world, { ...user.headers, ...headers }, method, url, body)
}

const idsOf = (body: Body) => (body['records'] as unknown as { id: string }[]).map(({ id }) => id)

test('REC-1 A record is made once: again is 200, other content 409 with the record, a deleted id comes back', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const ask = caller(world, await world.register('ada@example.org'))
  const made = await ask('POST', base, { id: 'a', data: { title: 'one' } })
  assert.equal(made.status, 201)
  assert.equal(made.headers['location'], `${base}/a`)
  assert.equal(made.headers['etag'], `"${String(made.body['version'])}"`)
  assert.deepEqual([made.body['data']?.['title'], made.body['data']?.['tags'], made.body['deleted']], ['one', [], false])
  const again = await ask('POST', base, { id: 'a', data: { title: 'one' } })
  assert.deepEqual([again.status, again.body['version']], [200, made.body['version']])
  const other = await ask('POST', base, { id: 'a', data: { title: 'two' } })
  assert.deepEqual([other.status, other.body['code'], other.body['record']?.['data']?.['title']], [409, 'record.exists', 'one'])
  await ask('DELETE', `${base}/a`)
  const revived = await ask('POST', base, { id: 'a', data: { title: 'three', body: 'new' } })
  assert.deepEqual([revived.status, revived.body['data']?.['title']], [201, 'three'])
  const nameless = await ask('POST', base, { data: { title: 'four' } })
  assert.match(String(nameless.body['id']), /^[0-9a-f-]{36}$/)
})

test('REC-2 A record is read with its ETag; deleted and unknown ones are 404', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const ask = caller(world, await world.register('ada@example.org'))
  const { headers } = await ask('POST', base, { id: 'a', data: { title: 'one' } })
  const etag = String(headers['etag'])
  assert.equal((await ask('GET', `${base}/a`)).headers['etag'], etag)
  assert.equal((await ask('GET', `${base}/a`, undefined, { 'if-none-match': `W/${etag}, "1"` })).status, 304)
  await ask('PATCH', `${base}/a`, { data: { title: 'two' } })
  assert.equal((await ask('GET', `${base}/a`, undefined, { 'if-none-match': etag })).status, 200)
  await ask('DELETE', `${base}/a`)
  for (const id of ['a', 'never']) assert.equal((await ask('GET', `${base}/${id}`)).status, 404)
})

test('REC-3 REC-4 A change or deletion with a stale If-Match is 412 with the record and writes nothing', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const ask = caller(world, await world.register('ada@example.org'))
  const { headers } = await ask('POST', base, { id: 'a', data: { title: 'one', body: 'kept' } })
  const first = String(headers['etag'])
  const changed = await ask('PATCH', `${base}/a`, { data: { title: 'two', visits: 3 } }, { 'if-match': first })
  assert.deepEqual([changed.status, changed.body['data']?.['title'], changed.body['data']?.['body']], [200, 'two', 'kept'])
  for (const method of ['PATCH', 'DELETE'] as const) {
    const stale = await ask(method, `${base}/a`, method === 'PATCH' ? { data: { title: 'three' } } : undefined, { 'if-match': first })
    assert.deepEqual([stale.status, stale.body['code'], stale.body['record']?.['data']?.['title']], [412, 'precondition.failed', 'two'])
  }
  for (const wrong of ['"99999999999999"', 'W/"1"', '"x"']) assert.equal((await ask('PATCH', `${base}/a`, { data: { title: 'x' } }, { 'if-match': wrong })).status, 412, wrong)
  assert.equal((await ask('PATCH', `${base}/a`, { data: { title: 'x' } }, { 'if-match': 'no tag' })).status, 400)
  assert.equal((await ask('GET', `${base}/a`)).body['data']?.['title'], 'two')
  assert.equal((await ask('DELETE', `${base}/a`, undefined, { 'if-match': String(changed.headers['etag']) })).status, 204)
  assert.equal((await ask('DELETE', `${base}/a`)).status, 204)
  assert.equal((await ask('DELETE', `${base}/never`)).status, 404)
  assert.equal((await ask('PATCH', `${base}/a`, { data: { title: 'x' } })).status, 404)
})

test('REC-3 Of many changes with the same If-Match exactly one is applied', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const ask = caller(world, await world.register('ada@example.org'))
  const { headers } = await ask('POST', base, { id: 'a', data: { title: 'one' } })
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => ask('PATCH', `${base}/a`, { data: { title: `title ${index}` } }, { 'if-match': String(headers['etag']) })))
  assert.deepEqual([answers.filter(({ status }) => status === 200).length, answers.filter(({ status }) => status === 412).length], [1, 19])
})

test('REC-5 What is not valid is 422 and names the field; nothing is stored', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const ask = caller(world, await world.register('ada@example.org'))
  const cases: readonly (readonly [object, string])[] = [
    [{}, 'data.title'],
    [{ title: 5 }, 'data.title'],
    [{ title: 'x'.repeat(201) }, 'data.title'],
    [{ title: 'x', unknown: 1 }, 'data.unknown'],
    [{ title: 'x', checkedAt: 5 }, 'data.checkedAt'],
    [{ title: 'a\u0000b' }, 'data.title'],
    [{ title: 'x', place: { name: 'y', at: ['z'] } }, 'data.place.at.0'],
  ]
  for (const [data, path] of cases) {
    const { status, body } = await ask('POST', base, { id: 'bad', data })
    assert.deepEqual([status, body['fields']?.[0]?.['path']], [422, path], JSON.stringify(data))
  }
  assert.equal((await ask('GET', `${base}/bad`)).status, 404)
  const span = await ask('POST', '/api/v1/diary/records/spans', { data: { from: 2, to: 1 } })
  assert.deepEqual([span.status, span.body['fields']?.[0]?.['path']], [422, 'data.to'])
})

test('REC-6 Pages of a filtered and sorted list give every record once, also with equal and missing values', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const ask = caller(world, await world.register('ada@example.org'))
  for (let index = 0; index < 30; index += 1) {
    await ask('POST', base, { id: `n${String(index).padStart(2, '0')}`, data: { title: `T${index % 4}_%`, visits: index % 5, score: index % 3 === 0 ? null : index / 2, favorite: index % 2 === 0 } })
  }
  for (const sort of ['id', '-id', 'title', '-title', 'visits', '-score', 'score', 'favorite', '-updatedAt', 'version']) {
    const seen: string[] = []
    for (let cursor: unknown = ''; cursor !== null;) {
      const { status, body } = await ask('GET', `${base}?limit=7&sort=${sort}${cursor === '' ? '' : `&cursor=${String(cursor)}`}`)
      assert.equal(status, 200, `${sort} ${JSON.stringify(body)}`)
      seen.push(...idsOf(body))
      cursor = body['cursor']
    }
    assert.equal(new Set(seen).size, 30, sort)
    assert.equal(seen.length, 30, sort)
  }
  const count = async (filters: string) => {
    const { body } = await ask('GET', `${base}?total=true&limit=1&${filters}`)
    return body['total']
  }
  assert.equal(await count('filter=favorite:eq:true'), 15)
  assert.equal(await count('filter=score:null:true'), 10)
  assert.equal(await count('filter=score:null:false&filter=favorite:eq:true'), 10)
  assert.equal(await count('filter=visits:gte:3'), 12)
  assert.equal(await count('filter=visits:in:0,4'), 12)
  assert.equal(await count('filter=title:contains:1_%25'), 8)
  assert.equal(await count('filter=title:contains:x'), 0)
  assert.equal(await count('filter=title:eq:t1_%25'), 0)
  assert.equal(await count('filter=score:ne:0.5'), 29)
})

test('REC-10 A page of large records ends early, after at least one, and its cursor goes on', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const ask = caller(world, await world.register('ada@example.org'))
  const ids = ['a', 'b', 'c', 'd', 'e']
  for (const id of ids) await ask('POST', base, { id, data: { title: id, body: 'x'.repeat(3_000_000) } })
  const seen: unknown[] = []
  let pages = 0
  for (let query: string | undefined = ''; query !== undefined; pages += 1) {
    const { body } = await ask('GET', `${base}?limit=100&sort=title${query}`)
    const records = [...(body['records'] ?? [])]
    assert.ok(records.length >= 1 && records.length <= 2, `${records.length} on a page`)
    seen.push(...records.map((record) => record['id']))
    const cursor: unknown = body['cursor']
    query = typeof cursor === 'string' ? `&cursor=${cursor}` : undefined
  }
  assert.deepEqual([seen, pages], [ids, 3])
})

test('REC-7 A senseless filter, sort or cursor is 400 and says which', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const ask = caller(world, await world.register('ada@example.org'))
  for (const id of ['a', 'b', 'c']) await ask('POST', base, { id, data: { title: id } })
  for (const query of ['filter=x', 'filter=none:eq:1', 'filter=title:near:1', 'filter=visits:contains:1', 'filter=visits:eq:one', 'filter=favorite:eq:1', 'filter=place:eq:x']) {
    const { status, body } = await ask('GET', `${base}?${query}`)
    assert.deepEqual([status, body['fields']?.[0]?.['path']], [400, 'filter'], query)
  }
  for (const query of ['sort=none', 'sort=place', 'sort=--title']) assert.equal((await ask('GET', `${base}?${query}`)).body['fields']?.[0]?.['path'], 'sort', query)
  const { body } = await ask('GET', `${base}?limit=1&sort=title`)
  for (const query of [`sort=-title&cursor=${String(body['cursor'])}`, `filter=title:eq:a&sort=title&cursor=${String(body['cursor'])}`, 'cursor=x']) {
    assert.equal((await ask('GET', `${base}?limit=1&${query}`)).body['code'], 'cursor.invalid', query)
  }
})

test('REC-8 A key stands for one request: one effect and one answer, however often and at once', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const ask = caller(world, await world.register('ada@example.org'))
  const headers = { 'idempotency-key': 'k-1' }
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask('POST', base, { data: { title: 'once' } }, headers)))
  assert.equal(new Set(answers.map(({ status, body }) => `${status} ${String(body['id'])}`)).size, 1)
  assert.equal(answers.filter((answer) => answer.headers['idempotency-replayed'] === 'true').length, 7)
  await ask('PATCH', `${base}/${String(answers[0]?.body['id'])}`, { data: { title: 'changed' } })
  const late = await ask('POST', base, { data: { title: 'once' } }, headers)
  assert.deepEqual([late.status, late.body], [201, answers[0]?.body])
  const other = await ask('POST', base, { data: { title: 'other' } }, headers)
  assert.deepEqual([other.status, other.body['code']], [422, 'idempotency.mismatch'])
  const refused = { 'idempotency-key': 'k-2' }
  assert.equal((await ask('POST', base, { data: {} }, refused)).status, 422)
  assert.equal((await ask('POST', base, { id: 'z', data: { title: 'now right' } }, refused)).status, 201)
  assert.equal((await ask('POST', base, { data: { title: 'x' } }, { 'idempotency-key': 'a b' })).status, 400)
})

test('REC-9 REST, push and pull see the same records with the same versions', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const ask = caller(world, await world.register('ada@example.org'))
  const made = await ask('POST', base, { id: 'a', data: { title: 'by REST' } })
  const pushed = await ask('POST', '/api/v1/diary/push', { mutations: [{ collection: 'notes', id: 'a', op: 'patch', base: made.body['version'], data: { title: 'by push' } }] })
  const read = await ask('GET', `${base}/a`)
  assert.deepEqual([read.body['data']?.['title'], read.body['version']], ['by push', pushed.body['results']?.[0]?.['version']])
  const pulled = await ask('GET', '/api/v1/diary/pull')
  assert.deepEqual(pulled.body['changes']?.[0], read.body)
})
