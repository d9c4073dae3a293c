import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestServer, type TestServer } from '../testing/open-test-server.ts'
import { call, hostedDiary, type Method } from './test-calls.fixture.ts'

interface Operation {
  readonly method: Method
  readonly path: string
}

const nul = 'a\u0000b'
const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
const bodies: readonly string[] = [
  '',
  'null',
  'true',
  '[]',
  '{}',
  '"text"',
  '{',
  '{"a":1}}',
  '\ufeff{}',
  deep,
  `{"mutations":${deep}}`,
  '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":{"x":1}}}',
  '{"data":{"__proto__":{"x":1}}}',
  JSON.stringify({ id: '../../etc/passwd', data: { title: 'x' } }),
  JSON.stringify({ id: 'a'.repeat(10_000), data: { title: 'x' } }),
  JSON.stringify({ data: { title: nul } }),
  '{"data":{"title":"\\ud800"}}',
  JSON.stringify({ data: { title: 'x'.repeat(100_000) } }),
  JSON.stringify({ data: { title: ['x'] } }),
  JSON.stringify({ data: { visits: 1e308, title: 'x' } }),
  JSON.stringify({ data: { title: 'x', unknown: 1 } }),
  JSON.stringify({ data: { title: 'x', checkedAt: 1 } }),
  JSON.stringify({ mutations: [null, 1, 'x', [], {}, { collection: nul }, { collection: 'notes', id: nul, op: 'put', data: {} }, { collection: '__proto__', id: 'x', op: 'put', data: {} }] }),
  JSON.stringify({ clientId: 'c', mutations: [{ n: 1e99, collection: 'notes', id: 'x', op: 'put', data: { title: 'x' }, base: -1 }] }),
  JSON.stringify({ clientId: 'c', mutations: [{ collection: 'notes', id: 'x', op: 'explode' }] }),
  JSON.stringify({ email: nul, password: nul }),
  JSON.stringify({ email: `${'a'.repeat(300)}@example.org`, password: 'correct horse' }),
  JSON.stringify({ email: { $ne: '' }, password: ['x'] }),
  JSON.stringify({ refreshToken: "' OR 1=1 --", token: '%00', newPassword: 'x' }),
  JSON.stringify({ name: nul, app: '../journal', role: 'admin', space: '1; DROP TABLE holdfast_spaces' }),
  JSON.stringify({ resolution: 'merged' }),
  JSON.stringify({ disabled: 'yes' }),
  JSON.stringify({ pending: -1 }),
]
const segments: readonly string[] = ['..%2f..%2fetc%2fpasswd', '%00', '%ff%fe', 'a%00b', 'x'.repeat(600), "'%20OR%201%3D1--", '__proto__', 'constructor', '%2e%2e', '💥', 'notes%2F..', '-1', 'NaN']
const queries: readonly string[] = [
  'limit=0',
  'limit=-1',
  'limit=1.5',
  'limit=x',
  'limit=99999999999999999999',
  'limit=1&limit=2',
  'cursor=',
  'cursor=%00',
  'cursor=AAAA',
  `cursor=${'A'.repeat(9_000)}`,
  'after=-1',
  'after=1e3',
  'collections=',
  'collections=__proto__',
  'collections=notes,notes,nowhere',
  'space=',
  'space=..%2f',
  'space=a&space=b',
  'space[]=a',
  'filter=title',
  'filter=title:like:%25',
  'filter=__proto__:eq:1',
  'filter=visits:eq:x',
  'filter=title:eq:%00',
  `${'filter=title:eq:x&'.repeat(20)}x=1`,
  'sort=__proto__',
  'sort=--title',
  'sort=title%3BDROP',
  'order=sideways',
  'from=x',
  'state=maybe',
  'total=1',
  '%00=%00',
  '%E0%A4%A=1',
]

test('HTTP-3 Hostile bodies, paths and queries are never a 5xx on any route, and what is refused leaves nothing behind', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  await call(world, user.headers, 'POST', '/api/v1/diary/records/notes', { id: 'kept', data: { title: 'kept' } })
  const { body } = await call(world, {}, 'GET', '/openapi.json')
  const operations: Operation[] = Object.entries(body['paths'] ?? {}).flatMap(([path, methods]) => Object.keys(methods as object).map((method) => ({ method: method.toUpperCase() as Method, path })))
  assert.ok(operations.length > 40, String(operations.length))
  const faults: string[] = []
  const send = async ({ method, path }: Operation, { url, body: sent }: { readonly url: string; readonly body?: string }) => {
    const answer = await call(world, user.headers, method, url, sent)
    if (answer.status >= 500) faults.push(`${method} ${path} ${url} ${sent?.slice(0, 80) ?? ''}: ${answer.status}`)
    if (answer.status >= 400 && answer.body['requestId'] === undefined && !url.startsWith('/docs')) faults.push(`${method} ${url}: no problem`)
  }
  const steady = operations.filter(({ path }) => !path.endsWith('/events') && path !== '/api/v1/auth/logout' && path !== '/docs/viewer.js')
  for (const operation of steady) {
    const url = filled(operation.path, 'kept')
    if (operation.method !== 'GET') for (const sent of bodies) await send(operation, { url, body: sent })
    for (const query of queries) await send(operation, { url: `${url}?${query}`, ...(operation.method === 'GET' ? {} : { body: '{}' }) })
    if (operation.path.includes('{')) for (const segment of segments) await send(operation, { url: filled(operation.path, segment), ...(operation.method === 'GET' ? {} : { body: '{}' }) })
  }
  assert.deepEqual(faults, [])
  assert.deepEqual(await strayRows(world), [])
})

/** What a parameter of a query is not expected to be. */
const values: readonly string[] = ['%00', 'a%00b', '%ED%A0%80', '9007199254740991', '9007199254740993', '1e308', '-0', 'x'.repeat(5_000), "'", '%F0%9F%92%A5', '%5B%5D', 'null', 'true']

test('HTTP-3 Whatever stands in any parameter that a route declares, the answer is never a 5xx', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  await call(world, user.headers, 'POST', '/api/v1/diary/records/notes', { id: 'kept', data: { title: 'kept' } })
  const { body } = await call(world, {}, 'GET', '/openapi.json')
  const faults: string[] = []
  for (const [path, methods] of Object.entries(body['paths'] ?? {})) {
    if (path.endsWith('/events')) continue
    const names = [...(methods['get']?.['parameters'] ?? [])].filter((parameter) => String(parameter['in']) === 'query').map((parameter) => String(parameter['name']))
    for (const name of names) {
      for (const value of values) {
        const url = `${filled(path, 'kept')}?${name}=${value}`
        const { status } = await call(world, user.headers, 'GET', url)
        if (status >= 500) faults.push(`${url.slice(0, 120)}: ${status}`)
      }
    }
  }
  assert.deepEqual(faults, [])
})

/** Places in a list that no page has ended at. */
const positions: readonly unknown[] = [
  [],
  [null],
  ['\u0000'],
  ['a\u0000', 'b\u0000'],
  ['\ud800', '\ud800'],
  [0],
  [-1, -1],
  [1e308, 1e308],
  [0.5, 0.5],
  ['kept', null],
  ['kept', 0.5],
  ['kept', 1e308],
  ['kept', '\u0000'],
  ['kept', 'x'.repeat(4_000)],
  ['x', 1],
  [1, 'x'],
  [null, null, null, null],
  { length: 1 },
]

test('HTTP-3 A list cursor whose place was changed is refused or read as a place, never a 5xx', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const push = (mutations: readonly object[]) => call(world, user.headers, 'POST', '/api/v1/diary/push', { mutations })
  const { body } = await push(['kept', 'other', 'third'].map((id) => ({ collection: 'notes', id, op: 'put', base: 0, data: { title: 'same words', visits: 1, score: 0.5 } })))
  const versions = [...(body['results'] ?? [])].map((result) => Number(result['version']))
  await push(['kept', 'other', 'third'].map((id, index) => ({ collection: 'notes', id, op: 'patch', base: versions[index], data: { title: 'changed words' } })))
  await push(['kept', 'other', 'third'].map((id, index) => ({ collection: 'notes', id, op: 'patch', base: versions[index], data: { title: 'words in conflict' } })))
  await push(['a', 'b', 'c'].map((id) => ({ collection: 'notes', id, op: 'put', base: 0, data: { title: 1 } })))
  const lists = [
    'records/notes?',
    'records/notes?sort=title&',
    'records/notes?sort=-visits&',
    'records/notes?sort=score&',
    'records/notes?sort=createdAt&',
    'conflicts?',
    'rejected?',
    'audit?',
    'audit?order=oldest&',
  ]
  const faults: string[] = []
  for (const list of lists) {
    const page = await call(world, user.headers, 'GET', `/api/v1/diary/${list}limit=1`)
    const cursor = page.body['cursor']
    assert.ok(typeof cursor === 'string', `${list} has a second page`)
    const [key] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as readonly [string]
    for (const position of positions) {
      const changed = Buffer.from(JSON.stringify([key, position])).toString('base64url')
      const { status } = await call(world, user.headers, 'GET', `/api/v1/diary/${list}limit=1&cursor=${changed}`)
      if (status >= 500) faults.push(`${list} ${JSON.stringify(position).slice(0, 60)}: ${status}`)
    }
  }
  assert.deepEqual(faults, [])
})

/** Every parameter of a path is the diary's, where it has one, and else the given text. */
function filled(path: string, id: string): string {
  return path
    .replace('{app}', 'diary')
    .replace('{collection}', id === 'kept' ? 'notes' : id)
    .replaceAll(/\{[a-zA-Z]+\}/g, id)
}

/** Records that nobody meant to write: everything but the one, and those that an empty but valid create made. */
async function strayRows(world: TestServer): Promise<string[]> {
  return world.database.read(async (reader) => {
    const notes = await reader.all<{ id: string; title: string }>("SELECT id, title FROM diary_notes WHERE title NOT IN ('kept', 'x')")
    const others = await reader.all<{ id: string }>('SELECT id FROM diary_sealed')
    const users = await reader.all<{ id: string }>("SELECT id FROM holdfast_users WHERE email <> 'ada@example.org'")
    return [...notes, ...others, ...users].map(({ id }) => id)
  })
}

test('HTTP-2 Wrong types, codings and sizes of a body are refused before they are read', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const post = (headers: Record<string, string>, payload: string | Buffer) => world.http.inject({ method: 'POST', url: '/api/v1/diary/push', headers: { ...user.headers, ...headers }, payload })
  const cases: readonly (readonly [number, Record<string, string>, string | Buffer])[] = [
    [415, { 'content-type': 'text/plain' }, '{"mutations":[]}'],
    [415, { 'content-type': 'application/x-www-form-urlencoded' }, 'mutations=1'],
    [415, { 'content-type': 'application/json', 'content-encoding': 'gzip' }, '{"mutations":[]}'],
    [413, { 'content-type': 'application/json' }, `{"mutations":["${'x'.repeat(8_388_608)}"]}`],
    [400, { 'content-type': 'application/json' }, Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
    [400, { 'content-type': 'application/json' }, `{"mutations":${'['.repeat(40)}${']'.repeat(40)}}`],
    [400, { 'content-type': 'application/json' }, ''],
  ]
  for (const [status, headers, payload] of cases) {
    const answer = await post(headers, payload)
    assert.equal(answer.statusCode, status, `${JSON.stringify(headers)} ${String(payload).slice(0, 40)}`)
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
  }
  // Existing clients send the type with every request.
  await call(world, user.headers, 'POST', '/api/v1/diary/records/notes', { id: 'gone', data: { title: 'x' } })
  const empty = await world.http.inject({ method: 'DELETE', url: '/api/v1/diary/records/notes/gone', headers: { ...user.headers, 'content-type': 'application/json' } })
  assert.equal(empty.statusCode, 204)
})

test('HTTP-2 A refusal for its size reaches a client that is still sending, with a length or in chunks', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const user = await world.register('ada@example.org')
  const piece = new TextEncoder().encode('x'.repeat(1_048_576))
  const headers = { ...user.headers, 'content-type': 'application/json' }
  const chunked = () => new Blob(Array.from({ length: 12 }, () => piece)).stream()
  const send = async (body: RequestInit['body']): Promise<number> => {
    const answer = await fetch(`${world.url}/api/v1/diary/push`, { method: 'POST', headers, body, duplex: 'half' } as RequestInit)
    assert.equal(((await answer.json()) as { code: string }).code, 'body.too_large')
    return answer.status
  }
  for (let round = 0; round < 10; round += 1) {
    assert.equal(await send(new Blob(Array.from({ length: 12 }, () => piece))), 413)
    assert.equal(await send(chunked()), 413)
  }
})
