import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestServer } from 'holdfast/testing'
import { openTestJournal, note } from './open-test-journal.ts'
import { hosted } from './server.ts'
import { readSettings } from './settings.ts'

test('JRN-1 the page for people is all that needs no token: plain HTML without a script', async () => {
  await using world = await openTestJournal()
  for (const path of ['/journal/', '/']) {
    const page = await world.send({ method: 'GET', path })
    assert.equal(page.status, 200)
    assert.match(String(page.headers['content-type']), /^text\/html/)
    assert.match(String(page.headers['content-security-policy']), /default-src 'none'/)
    assert.match(page.body.text, /<html lang="en">[\s\S]*<main>[\s\S]*href="\/docs"/)
    assert.doesNotMatch(page.body.text, /<script|style=/)
  }
})

test('JRN-48 a single app answers at / as well, on the same data', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const made = await world.send({ method: 'PUT', path: '/contents/n1', body: note('n1'), headers: user.headers })
  assert.deepEqual([made.status, made.headers['location']], [201, '/journal/contents/n1'])
  assert.equal((await user.call('GET', '/contents/n1')).status, 200)
  assert.equal((await world.send({ method: 'GET', path: '/sync/nothing', headers: user.headers })).body.code, 'NOT_FOUND')
})

test('JRN-3 a key that may only read is 403 for every write and reads all feeds', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const { body } = await user.call('POST', '/sync/content', note('n1'))
  const space = (await world.spaceIds()).get(user.userId)
  const made = await user.call('POST', '/api/v1/keys', { name: 'reader', app: 'journal', space, role: 'viewer' })
  assert.equal(made.status, 201)
  const headers = { 'x-api-key': made.body.key }
  const writes: readonly (readonly [string, string, unknown?])[] = [
    ['POST', '/sync/content', note('n2')],
    ['POST', '/sync/content/n1', { content: 'x', lastUpdated: 9_000 }],
    ['POST', '/sync/content/n1/delete'],
    ['POST', '/sync/content/n1/restore', { historyId: String(body.serverVersion), lastUpdated: 9_000 }],
    ['POST', '/sync/associations', { associations: [{ journalId: 'j', contentId: 'c', createdAt: 1 }] }],
    ['POST', '/sync/associations/delete', { associations: [{ journalId: 'j', contentId: 'c' }] }],
    ['PUT', '/associations/j/c', { createdAt: 1 }],
    ['DELETE', '/associations/j/c'],
    ['DELETE', '/contents/n1'],
  ]
  for (const [method, path, sent] of writes) {
    const answer = await world.send({ method, path: `/journal${path}`, body: sent, headers })
    assert.deepEqual([answer.status, answer.body.code], [403, 'FORBIDDEN'], `${method} ${path}`)
  }
  const feed = await world.send({ method: 'GET', path: '/journal/sync/content/changes', headers })
  assert.deepEqual([feed.status, feed.body.changes.map(({ serverVersion }) => serverVersion)], [200, [body.serverVersion]])
})

test('JRN-6 while the database is gone every route is 503 in the envelope, with Retry-After', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  await world.server.database.close()
  for (const [method, path, body] of [
    ['GET', '/sync/content/changes'],
    ['GET', '/sync/status'],
    ['POST', '/sync/content', { id: 'n1', type: 'TEXT', createdAt: 1, lastUpdated: 1 }],
    ['DELETE', '/contents/n1'],
  ] as const) {
    const answer = await user.call(method, path, body)
    assert.deepEqual([answer.status, answer.body.code], [503, 'STORAGE_UNAVAILABLE'], path)
    assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/)
    assert.match(answer.body.timestamp, /^\d{4}-.*Z$/)
  }
})

test('JRN-6 too many requests are 429 in the envelope, with Retry-After', async () => {
  const few = { requestsMax: 2, windowS: 60 }
  await using server = await openTestServer({ apps: [hosted], rateLimits: { principal: few, address: few, wrongCredential: few, signInByAddress: few, signInByAccount: few } })
  const user = await server.register('someone@journal.example')
  const ask = () => server.http.inject({ url: '/journal/sync/status', headers: user.headers })
  const answers = [await ask(), await ask(), await ask()]
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [200, 200, 429],
  )
  const refused = answers[2]
  const body: unknown = refused?.json()
  const seconds = String(refused?.headers['retry-after'])
  assert.match(seconds, /^\d+$/)
  assert.ok(typeof body === 'object' && body !== null && 'code' in body && 'details' in body)
  assert.deepEqual([body.code, body.details], ['RATE_LIMIT_EXCEEDED', { retryAfterSeconds: seconds }])
})

test('JRN-7 the sample diary is ten notes in one journal, dated before 1970, and is made once', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  await user.call('GET', '/sync/status')
  const counted = await world.seed(user.userId)
  assert.deepEqual(counted, { journals: 1, content: 10, associations: 10 })
  const feed = (await user.call('GET', '/sync/content/changes')).body
  assert.equal(feed.changes.length, 10)
  for (const { createdAt, content, type } of feed.changes) assert.ok(createdAt < 0 && type === 'TEXT' && content !== null && content.length > 0)
  await user.call('POST', `/sync/content/${feed.changes[0]?.id}/delete`)
  const before = (await user.call('GET', '/sync/verify')).body
  await world.seed(user.userId)
  assert.deepEqual((await user.call('GET', '/sync/verify')).body, before, 'what was deleted stays deleted')
  assert.equal((await user.call('GET', '/sync/status')).body.data.associationCount, 9)
})

test('JRN-22 settings that cannot be used stop the start, all named at once', () => {
  const environment = { HOLDFAST_JOURNAL_MAX_BATCH: 'many', HOLDFAST_JOURNAL_TOMBSTONE_RETENTION: '30 days', HOLDFAST_JOURNAL_BODY_MAX_BYTES: '' }
  assert.throws(() => readSettings(environment), /HOLDFAST_JOURNAL_MAX_BATCH.*HOLDFAST_JOURNAL_TOMBSTONE_RETENTION/)
  assert.deepEqual(readSettings({ HOLDFAST_JOURNAL_TOMBSTONE_RETENTION: '36h', HOLDFAST_JOURNAL_QUOTA_BYTES: '0' }), {
    textCharsMax: 1_048_576,
    bodyBytesMax: 8_388_608,
    batchMax: 10_000,
    tombstoneRetentionMs: 129_600_000,
    historyRetentionMs: 31_536_000_000,
    purgeIntervalMs: 3_600_000,
    quotaBytes: undefined,
  })
  assert.throws(() => readSettings({ HOLDFAST_JOURNAL_PURGE_INTERVAL: '0s', HOLDFAST_JOURNAL_HISTORY_RETENTION: 'never' }), /HISTORY_RETENTION.*PURGE_INTERVAL/)
})

test('JRN-49 the history is kept for a year, for as long as the settings say, or for ever', async () => {
  assert.equal(hosted.historyKeptMs?.({}), 365 * 86_400_000)
  assert.equal(hosted.historyKeptMs?.({ HOLDFAST_JOURNAL_HISTORY_RETENTION: '90d' }), 90 * 86_400_000)
  for (const never of ['0', '0d']) assert.equal(hosted.historyKeptMs?.({ HOLDFAST_JOURNAL_HISTORY_RETENTION: never }), undefined)
  assert.equal(hosted.purgeEveryMs?.({ HOLDFAST_JOURNAL_PURGE_INTERVAL: '5m' }), 300_000)
  await using world = await openTestJournal()
  const user = await world.signUp()
  await user.call('POST', '/sync/content', note('a', { content: 'one' }))
  world.advance(200 * 86_400_000)
  const later = await user.onDevice('phone')
  await later.call('POST', '/sync/content/a', { content: 'two', lastUpdated: 2_000 })
  await later.call('POST', '/sync/content', note('b'))
  world.advance(200 * 86_400_000)
  const now = await user.onDevice('phone')
  const texts = async (id: string) => (await now.call('GET', `/sync/content/${id}/history`)).body.versions.map(({ record }) => record?.content)
  assert.deepEqual(await texts('a'), ['two', 'one'])
  await world.forgetHistory()
  assert.deepEqual(await texts('a'), ['two'])
  world.advance(200 * 86_400_000)
  const last = await user.onDevice('phone')
  await world.forgetHistory()
  const { status, body } = await last.call('GET', '/sync/content/a/history')
  assert.deepEqual([status, body.versions.map(({ op, record }) => [op, record?.content])], [200, [['update', 'two']]])
  assert.equal((await last.call('POST', '/sync/content/a/restore')).status, 200)
  assert.equal((await last.call('GET', '/sync/content/changes?since=1')).status, 200)
})

test('HTTP-7 the description of the API lists every route of the dialect with what it is for', async () => {
  await using world = await openTestJournal()
  const { body } = await world.send({ method: 'GET', path: '/openapi.json' })
  const { paths } = body as unknown as { paths: Record<string, Record<string, { summary?: string; parameters?: readonly { name: string }[] }>> }
  for (const [path, methods] of [
    ['/journal/sync/content', ['post']],
    ['/journal/sync/drafts/{id}/history', ['get']],
    ['/journal/contents/{id}', ['delete', 'get', 'patch', 'put']],
    ['/journal/associations/{journalId}/{contentId}', ['delete', 'put']],
    ['/journal/sync/verify/{collection}', ['get']],
  ] as const) {
    const described = paths[path] ?? {}
    assert.deepEqual(Object.keys(described).toSorted(), methods, path)
    for (const { summary, parameters = [] } of Object.values(described)) {
      assert.ok(summary, path)
      assert.deepEqual(
        parameters.map(({ name }) => `{${name}}`),
        path.match(/\{\w+\}/g) ?? [],
      )
    }
  }
})
