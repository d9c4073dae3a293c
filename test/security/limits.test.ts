import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hosted as journal } from '../../apps/journal/server.ts'
import { hosted as vault } from '../../apps/vault/server.ts'
import { call, hostedDiary, type Method } from '../../src/http/test-calls.fixture.ts'
import { limits } from '../../src/protocol/limits.ts'
import { openTestServer } from '../../src/testing/open-test-server.ts'

async function openWorld() {
  const world = await openTestServer({ apps: [hostedDiary, vault, journal], environment: { HOLDFAST_VAULT_AI: 'stub' } })
  const { headers } = await world.register('ada@example.org')
  const send = (method: Method, url: string, body?: unknown) => call(world, headers, method, url, body)
  return { world, send, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
}

const list = (value: string, count: number) => `[${Array.from({ length: count }, () => value).join(',')}]`

test('HTTP-2 A body of more values than the limit is 413 before they are looked at, on the routes of the platform and of the apps', async () => {
  await using opened = await openWorld()
  const { send } = opened
  const tooMany = list('1', limits.JSON_VALUES_MAX + 1)
  for (const url of ['/api/v1/diary/push', '/api/v1/diary/records/notes', '/journal/sync/content', '/journal/sync/associations', '/vault/items/batch']) {
    const { status, text } = await send('POST', url, `{"mutations":${tooMany}}`)
    assert.deepEqual([status, text.length < 1_000], [413, true], url)
  }
  // Commas, brackets and quotes inside of texts are none.
  const text = JSON.stringify('[{,"\\'.repeat(150_000))
  assert.equal((await send('POST', '/api/v1/diary/records/notes', `{"id":"text","data":{"title":"x","body":${text}}}`)).status, 201)
  assert.equal((await send('GET', '/api/v1/diary/records/notes/text')).body['data']?.['body'], JSON.parse(text))
  const nested = (levels: number) => `{"mutations":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
  assert.deepEqual(
    [(await send('POST', '/api/v1/diary/push', nested(limits.JSON_DEPTH_MAX))).status, (await send('POST', '/api/v1/diary/push', nested(limits.JSON_DEPTH_MAX + 1))).body['code']],
    [200, 'request.invalid'],
  )
})

test('HTTP-2 A body of an account route has 64 KiB at most: those who have no account may send them', async () => {
  await using opened = await openWorld()
  const { world, send } = opened
  for (const path of ['login', 'register', 'setup', 'refresh', 'reset', 'reset-request', 'password']) {
    const { status, body } = await call(world, {}, 'POST', `/api/v1/auth/${path}`, { email: 'a@example.org', password: 'x'.repeat(limits.ACCOUNT_BODY_BYTES_MAX) })
    assert.deepEqual([status, body['code']], [413, 'body.too_large'], path)
  }
  for (const [method, url] of [
    ['POST', '/api/v1/keys'],
    ['POST', '/api/v1/spaces'],
    ['PATCH', '/api/v1/devices/x'],
    ['PUT', '/api/v1/spaces/x/members/x'],
    ['PATCH', '/api/v1/users/x'],
  ] as const)
    assert.equal((await send(method, url, { name: 'x'.repeat(limits.ACCOUNT_BODY_BYTES_MAX) })).status, 413, url)
})

test('HTTP-3 However much is wrong with a body, the answer tells the beginning of it', async () => {
  await using opened = await openWorld()
  const { send } = opened
  const strangers = Array.from({ length: 20_000 }, (_, index) => `"stranger${index}":1`).join(',')
  const wrong: readonly (readonly [Method, string, string])[] = [
    ['POST', '/api/v1/diary/records/notes', `{"data":{"title":"x","tags":${list('1', 20_000)}}}`],
    ['POST', '/api/v1/diary/records/notes', `{"data":{"title":"x",${strangers}}}`],
    ['POST', '/api/v1/diary/records/notes', `{"data":{"title":"x"},${strangers}}`],
    ['POST', '/api/v1/diary/push', `{"mutations":[{"collection":"notes","id":"x","op":"put","data":{"title":"x","tags":${list('1', 20_000)}}}]}`],
    ['POST', '/api/v1/diary/push', `{"mutations":[{"collection":"notes","id":"x","op":"put","data":{"title":"x",${strangers}}}]}`],
    ['POST', '/api/v1/diary/push', `{"mutations":[{"collection":"notes","id":"x","op":"put","data":{},${strangers}}]}`],
    ['POST', '/api/v1/diary/push', `{"mutations":[],${strangers}}`],
    ['POST', '/api/v1/diary/records/notes', `{"data":{"title":"x","${'long'.repeat(100_000)}":1}}`],
    ['POST', '/journal/sync/content', `{"id":"a","type":"TEXT","createdAt":1,"lastUpdated":1,"tags":${list('1', 20_000)}}`],
    ['POST', '/vault/items', `{"rawText":"a","tagIds":${list('1', 20_000)}}`],
    ['POST', '/api/v1/auth/login', `{"email":"a@example.org","password":"x",${Array.from({ length: 3_000 }, (_, index) => `"stranger${index}":1`).join(',')}}`],
  ]
  for (const [method, url, body] of wrong) {
    const answer = await send(method, url, body)
    const isRefused = answer.status >= 400 || String(answer.body['results']?.[0]?.['status']) === 'rejected'
    assert.deepEqual([isRefused, answer.status < 500, answer.text.length < 30_000], [true, true, true], `${url} ${body.slice(0, 60)}: ${answer.status}, ${answer.text.length} characters`)
  }
  assert.ok((await send('GET', '/api/v1/diary/rejected')).text.length < 500_000)
})

test('HTTP-3 HTTP-10 Parameters without number, pages without end and filters without bound are refused', async () => {
  await using opened = await openWorld()
  const { world, send } = opened
  const times = (count: number, text: (index: number) => string) => Array.from({ length: count }, (_, index) => text(index)).join('&')
  const refused: readonly string[] = [
    `/api/v1/diary/records/notes?${times(limits.LIST_FILTERS_MAX + 1, (index) => `filter=title:ne:${index}`)}`,
    `/api/v1/diary/records/notes?filter=title:in:${Array.from({ length: 101 }, (_, index) => index).join(',')}`,
    `/api/v1/diary/records/notes?filter=title:contains:${'x'.repeat(1_001)}`,
    `/api/v1/diary/records/notes?limit=${limits.LIST_RECORDS_MAX + 1}`,
    `/api/v1/diary/pull?limit=${limits.PULL_RECORDS_MAX + 1}`,
    `/api/v1/diary/search?q=${Array.from({ length: 17 }, (_, index) => `w${index}`).join('+')}`,
    `/api/v1/diary/search?q=${'x'.repeat(501)}`,
    '/api/v1/diary/search?q=x&limit=101',
    `/vault/library?${times(21, (index) => `tag=t${index}`)}`,
    '/vault/library?limit=101',
    `/vault/search?q=${Array.from({ length: 33 }, (_, index) => `w${index}w`).join('+')}`,
  ]
  for (const url of refused) assert.equal((await send('GET', url)).status, 400, url.slice(0, 80))
  const many = times(1_500, (index) => `p${index}=1`)
  for (const url of ['/api/v1/diary/pull', '/api/v1/diary/records/notes', '/api/v1/diary/status', '/journal/contents', '/vault/library', '/vault/tags'])
    assert.ok((await send('GET', `${url}?${many}`)).status < 500, url)
  // A head is 16 KiB at most.
  const answer = await fetch(`${world.url}/api/v1/diary/pull?${times(5_000, (index) => `p${index}=1`)}`)
  assert.equal(answer.status, 431)
})

test('JRN-32 JRN-3 A batch beyond the limit is refused as a whole, whoever its items name', async () => {
  await using opened = await openWorld()
  const { send } = opened
  const item = (more: object) => ({ journalId: 'j', contentId: 'c', createdAt: 1, ...more })
  for (const more of [{}, { userId: 'somebody' }, { space: 'somewhere' }]) {
    const { status, body } = await send('POST', '/journal/sync/associations', { associations: Array.from({ length: 10_001 }, () => item(more)) })
    assert.deepEqual([status, body['code']], [413, 'PAYLOAD_TOO_LARGE'])
  }
  const last = await send('POST', '/journal/sync/associations', { associations: [...Array.from({ length: 500 }, () => item({})), item({ userId: 'somebody' })] })
  assert.deepEqual([last.status, last.body['code']], [403, 'FORBIDDEN'])
  assert.equal((await send('GET', '/journal/sync/status')).body['data']?.['associationCount'], 0)
})
