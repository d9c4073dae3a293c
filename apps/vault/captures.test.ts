import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestVault, type Body, type TestVault } from './open-test-vault.ts'

/** Jobs of the vault by state. */
async function jobs(world: TestVault): Promise<readonly string[]> {
  const rows = await world.server.database.read((reader) => reader.all<{ kind: string; state: string; unique_key: string }>('SELECT kind, state, unique_key FROM holdfast_jobs ORDER BY id'))
  return rows.map(({ kind, state }) => `${kind} ${state}`)
}

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

test('VLT-7 A capture is answered at once with the whole view, and can be read from then on', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const { status, body, headers } = await user.call('POST', '/items', { rawText: '  Buy milk \n' })
  assert.equal(status, 201)
  assert.equal(headers['etag'], `"${String(body['version'])}"`)
  const { id, version, capturedAt, createdAt, updatedAt, enrichment, ...rest } = body
  assert.deepEqual(rest, {
    rawText: 'Buy milk',
    url: null,
    title: null,
    summary: null,
    status: 'ENRICHING',
    sourceType: null,
    enrichmentMode: 'AI',
    tags: [],
    suggestedTags: [],
    proposal: null,
    attachmentCount: 0,
    attachments: [],
    article: null,
    duplicateOf: null,
    confirmedAt: null,
    discardedAt: null,
  })
  assert.deepEqual(enrichment, { attempts: 0, outcome: null, errorCode: null, errorMessage: null, nextAttemptAt: null, provider: null, model: null })
  assert.match(String(id), /^[0-9a-f-]{36}$/)
  assert.ok(typeof version === 'number')
  for (const moment of [capturedAt, createdAt, updatedAt]) assert.match(String(moment), time)
  for (const prefix of ['/vault', '/vault/api/v1', '', '/api/v1']) {
    const read = await world.send({ method: 'GET', path: `${prefix}/items/${String(id)}`, headers: user.headers })
    assert.deepEqual([read.status, read.body, read.headers['etag']], [200, body, headers['etag']], prefix)
  }
  const elsewhere = await user.onDevice('another')
  assert.deepEqual((await elsewhere.call('GET', `/items/${String(id)}`)).body, body)
  assert.deepEqual(await jobs(world), ['vault.enrich ready'])
})

test('VLT-8 Text is kept trimmed; what is missing, blank, too long or not well-formed is refused and leaves nothing behind', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const refused = [
    {},
    { rawText: '' },
    { rawText: ' \n\t\u3000\u0085' },
    { rawText: 5 },
    { rawText: ['a'] },
    { rawText: null },
    { rawText: 'x'.repeat(10_001) },
    { rawText: '🎒'.repeat(10_001) },
    { rawText: 'a\u0000b' },
    { rawText: 'a\ud800b' },
    { rawText: 'a', title: '' },
    { rawText: 'a', title: 'x'.repeat(256) },
    { rawText: 'a', summary: '  ' },
    { rawText: 'a', summary: 'x'.repeat(5_001) },
    { rawText: 'a', enrich: 'no' },
    { rawText: 'a', capturedAt: 'yesterday' },
    { rawText: 'a', capturedAt: 1_000 },
    { rawText: 'a', id: '../x' },
    { rawText: 'a', id: '' },
    { rawText: 'a', id: 'x'.repeat(129) },
    { rawText: 'a', tagIds: 'x' },
    { rawText: 'a', tagIds: ['../x'] },
  ]
  for (const body of refused) {
    const answer = await user.call('POST', '/items', body)
    assert.deepEqual([answer.status, answer.body.error.code], [400, 'VALIDATION_ERROR'], JSON.stringify(body).slice(0, 80))
    assert.ok(Array.isArray(answer.body.error.details['errors']))
    assert.ok(!JSON.stringify(answer.body).includes('xxxx'))
  }
  for (const body of ['', '[]', '"a"', 'null', '7', '{', '{"rawText":secret}']) {
    const answer = await user.call('POST', '/items', body)
    assert.deepEqual([answer.status, answer.body.error.code], [400, 'INVALID_REQUEST'], body)
    assert.ok(!answer.body.error.message.includes('secret'))
  }
  assert.equal((await user.call('POST', '/items', { rawText: 'x'.repeat(300_000) })).body.error.code, 'PAYLOAD_TOO_LARGE')
  assert.equal((await user.call('POST', '/items', 'x', { 'content-type': 'text/plain' })).body.error.code, 'UNSUPPORTED_MEDIA_TYPE')
  assert.deepEqual((await user.call('GET', '/items/pending')).body['total'], 0)
  assert.deepEqual(await jobs(world), [])
  const long = await user.call('POST', '/items', { rawText: ` ${'🎒'.repeat(10_000)}\u0085` })
  assert.deepEqual([long.status, long.body['rawText']], [201, '🎒'.repeat(10_000)])
})

test('VLT-9 What only the server sets is ignored, and the words of the person stay', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const sent = {
    rawText: 'a',
    title: ' Mine ',
    summary: 'So it is',
    status: 'ARCHIVED',
    confirmedAt: '2020-01-01T00:00:00.000Z',
    sourceType: 'ARTICLE',
    createdAt: 'x',
    version: 1,
    userId: 'somebody',
    proposal: {},
    unknown: [1],
    capturedAt: '2020-01-01T01:00:00+01:00',
  }
  const { status, body } = await user.call('POST', '/items', sent)
  assert.deepEqual(
    [status, body['status'], body['title'], body['summary'], body['confirmedAt'], body['sourceType'], body['capturedAt']],
    [201, 'ENRICHING', 'Mine', 'So it is', null, null, '2020-01-01T00:00:00.000Z'],
  )
  const future = await user.call('POST', '/items', { rawText: 'b', capturedAt: '2999-01-01T00:00:00.000Z' })
  assert.equal(future.body['capturedAt'], future.body['createdAt'])
})

test('VLT-10 Without enrichment an item is in the library at once, with its first line as title and no job', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const { status, body } = await user.call('POST', '/items', { rawText: `\n  ${'word '.repeat(20)}\nsecond`, enrich: false })
  assert.equal(status, 201)
  assert.deepEqual([body['status'], body['enrichmentMode'], body['sourceType'], body['summary']], ['ARCHIVED', 'MANUAL', 'NOTE', null])
  assert.equal(body['title'], `${'word '.repeat(20).slice(0, 57)}...`)
  assert.equal(body['confirmedAt'], body['createdAt'])
  const own = await user.call('POST', '/items', { rawText: 'a', title: 'Own', enrich: false })
  assert.equal(own.body['title'], 'Own')
  const sixty = await user.call('POST', '/items', { rawText: 'x'.repeat(60), enrich: false })
  assert.equal(sixty.body['title'], 'x'.repeat(60))
  assert.deepEqual(await jobs(world), [])
})

test('VLT-10 With the AI off, for the server or for the person, every capture is manual', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await user.call('POST', '/api/v1/vault/records/settings', { id: 'me', data: { aiSuggestionsEnabled: false } })
  assert.equal((await user.call('POST', '/items', { rawText: 'a' })).body['status'], 'ARCHIVED')
  await user.call('PATCH', '/api/v1/vault/records/settings/me', { data: { aiSuggestionsEnabled: true } })
  assert.equal((await user.call('POST', '/items', { rawText: 'b' })).body['status'], 'ENRICHING')
  await world.restart({ environment: { HOLDFAST_VAULT_AI: 'off' } })
  const { body } = await user.call('POST', '/items', { rawText: 'c', enrich: true })
  assert.deepEqual([body['status'], body['enrichmentMode']], ['ARCHIVED', 'MANUAL'])
})

test('VLT-11 Tags are kept, each once; one that is unknown, foreign or deleted is refused', async () => {
  await using world = await openTestVault()
  const [ada, bob] = [await world.signUp(), await world.signUp()]
  for (const [user, id] of [[ada, 't1'], [ada, 't2'], [ada, 'gone'], [bob, 'his']] as const) await user.call('POST', '/api/v1/vault/records/tags', { id, data: { name: `#Tag ${id}` } }) // prettier-ignore
  await ada.call('DELETE', '/api/v1/vault/records/tags/gone')
  for (const enrich of [true, false]) {
    const { body } = await ada.call('POST', '/items', { rawText: 'a', tagIds: ['t2', 't1', 't2'], enrich })
    assert.deepEqual(body['tags'], [
      { id: 't2', name: 'Tag t2', color: 'gray' },
      { id: 't1', name: 'Tag t1', color: 'gray' },
    ])
  }
  for (const id of ['unknown', 'his', 'gone']) {
    const { status, body } = await ada.call('POST', '/items', { rawText: 'a', tagIds: ['t1', id] })
    assert.deepEqual([status, body.error.code, body.error.details], [400, 'VALIDATION_ERROR', { errors: [{ field: 'tagIds', message: 'There is no such tag.' }] }], id)
  }
  assert.equal((await ada.call('GET', '/items/pending')).body['total'], 1)
})

test('VLT-12 A client may choose the id; the same id with the same text is the same item', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const first = await user.call('POST', '/items', { id: 'mine:1', rawText: 'a' })
  assert.deepEqual([first.status, first.body['id'], first.headers['idempotency-replayed']], [201, 'mine:1', undefined])
  await user.call('POST', '/items/mine:1/cancel')
  const again = await user.call('POST', '/items', { id: 'mine:1', rawText: ' a ' })
  assert.deepEqual([again.status, again.body['status'], again.headers['idempotency-replayed']], [200, 'FAILED', 'true'])
  const other = await user.call('POST', '/items', { id: 'mine:1', rawText: 'b' })
  assert.deepEqual([other.status, other.body.error.code, other.body.error.details], [409, 'DUPLICATE_REQUEST', { id: 'mine:1' }])
  const stranger = await world.signUp()
  assert.equal((await stranger.call('POST', '/items', { id: 'mine:1', rawText: 'b' })).status, 201)
  await user.call('DELETE', '/items/mine:1')
  assert.equal((await user.call('POST', '/items', { id: 'mine:1', rawText: 'a' })).body.error.code, 'DUPLICATE_REQUEST')
})

test('VLT-12 A capture that comes again after the item was edited is answered with the item as it is now', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const send = (rawText: string) => user.call('POST', '/items', { id: 'mine', rawText, enrich: false })
  assert.equal((await send('Buy milk')).status, 201)
  const edited = await user.call('PATCH', '/items/mine', { rawText: 'Buy oats' })
  assert.equal(edited.status, 200)
  const again = await send(' Buy milk ')
  assert.deepEqual([again.status, again.headers['idempotency-replayed'], again.body['rawText'], again.body['version']], [200, 'true', 'Buy oats', edited.body['version']])
  assert.equal((await send('Buy oats')).status, 200)
  assert.equal((await send('Buy rice')).body.error.code, 'DUPLICATE_REQUEST')
  const batch = await user.call('POST', '/items/batch', { items: ['Buy milk', 'Buy rice'].map((rawText) => ({ id: 'mine', rawText })) })
  assert.deepEqual(
    (batch.body['results'] as readonly Body[]).map(({ status }) => status),
    [200, 409],
  )
})

test('VLT-64 An address is enough, and one that is no plain http(s) address is refused', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const { status, body } = await user.call('POST', '/items', { url: ' https://example.org/a ' })
  assert.deepEqual([status, body['rawText'], body['url']], [201, 'https://example.org/a', 'https://example.org/a'])
  assert.equal((await user.call('POST', '/items', { url: 'http://example.org', rawText: ' ' })).body['rawText'], 'http://example.org')
  for (const url of ['ftp://example.org', 'javascript:alert(1)', 'https://a:b@example.org', 'https://', 'example.org', '', 7, `https://example.org/${'x'.repeat(2_048)}`, 'https://exa mple.org']) {
    const answer = await user.call('POST', '/items', { rawText: 'a', url })
    assert.deepEqual([answer.status, answer.body.error.code], [400, 'VALIDATION_ERROR'], String(url))
  }
})

test('VLT-70 A capture of a known page carries its first item, and is never refused', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const first = await user.call('POST', '/items', { url: 'https://Example.org/a/?utm_source=x#top' })
  assert.equal(first.body['duplicateOf'], null)
  for (const body of [{ url: 'https://example.org:443/a' }, { rawText: ' https://example.org/a?fbclid=1 ' }]) {
    const again = await user.call('POST', '/items', body)
    assert.deepEqual([again.status, again.body['duplicateOf']], [201, first.body['id']])
  }
  assert.equal((await user.call('POST', '/items', { rawText: 'see https://example.org/a' })).body['duplicateOf'], null)
  const stranger = await world.signUp()
  assert.equal((await stranger.call('POST', '/items', { url: 'https://example.org/a' })).body['duplicateOf'], null)
})
