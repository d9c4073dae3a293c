import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestJournal, note, type Answer } from './open-test-journal.ts'

/** Every route of the dialect, each once. */
const routes: readonly (readonly [method: string, path: string])[] = [
  ...['content', 'journals', 'drafts'].flatMap(
    (name) =>
      [
        ['POST', `/sync/${name}`],
        ['POST', `/sync/${name}/x`],
        ['POST', `/sync/${name}/x/delete`],
        ['GET', `/sync/${name}/changes`],
        ['GET', `/sync/${name}/x/history`],
        ['POST', `/sync/${name}/x/restore`],
      ] as const,
  ),
  ...['contents', 'journals', 'drafts'].flatMap(
    (name) =>
      [
        ['GET', `/${name}`],
        ['GET', `/${name}/x`],
        ['PUT', `/${name}/x`],
        ['PATCH', `/${name}/x`],
        ['DELETE', `/${name}/x`],
      ] as const,
  ),
  ['POST', '/sync/associations'],
  ['POST', '/sync/associations/delete'],
  ['GET', '/sync/associations/changes'],
  ['GET', '/sync/media/changes'],
  ['POST', '/sync/media/x/delete'],
  ['GET', '/media/x'],
  ['DELETE', '/media/x'],
  ['GET', '/sync/trash'],
  ['GET', '/sync/status'],
  ['GET', '/sync/verify'],
  ['GET', '/sync/verify/content'],
  ['GET', '/drafts/changes'],
  ['GET', '/associations'],
  ['POST', '/associations'],
  ['DELETE', '/associations'],
  ['PUT', '/associations/j/c'],
  ['DELETE', '/associations/j/c'],
  ['GET', '/ops/sync/status'],
  ['GET', '/quota'],
]

test('JRN-1 without a valid access token every route answers 401 before it reads the body, and changes nothing', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${user.accessToken.split('.')[1]}.`
  const tampered = `${user.accessToken.slice(0, -3)}${user.accessToken.endsWith('abc') ? 'abd' : 'abc'}`
  const credentials: Readonly<Record<string, string>>[] = [
    {},
    ...['garbage', unsigned, tampered, user.refreshToken].map((token) => ({ authorization: `Bearer ${token}` })),
    { authorization: 'Basic dTpw' },
  ]
  const before = (await user.call('GET', '/sync/status')).body
  for (const [method, path] of routes) {
    for (const headers of credentials) {
      const withBody = method === 'GET' ? {} : { body: '{ this is not JSON' }
      const answer = await world.send({ method, path: `/journal${path}`, headers, ...withBody })
      assert.equal(answer.status, 401, `${method} ${path}`)
      assert.equal(answer.body.code, 'UNAUTHORIZED')
      assert.equal(answer.headers['www-authenticate'], 'Bearer')
      assertEnvelope(answer.body)
    }
  }
  assert.deepEqual({ ...before.data }, (await user.call('GET', '/sync/status')).body.data)
})

test('JRN-1 a token that has expired is 401 as well', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  world.advance(16 * 60_000)
  const answer = await user.call('POST', '/sync/content', note('n1'))
  assert.deepEqual([answer.status, answer.body.code], [401, 'UNAUTHORIZED'])
})

test('JRN-2 two users may use the same id and neither notices the other', async () => {
  await using world = await openTestJournal()
  const [ann, bea] = [await world.signUp(), await world.signUp()]
  await ann.call('POST', '/sync/content', note('n1', { content: 'of Ann' }))
  await ann.call('POST', '/sync/journals', { id: 'j1', title: 'Ann', createdAt: 1, lastUpdated: 1 })
  await ann.call('POST', '/sync/associations', { associations: [{ journalId: 'j1', contentId: 'n1', createdAt: 1 }] })
  await ann.call('POST', '/sync/content/n1/delete')
  const own = await bea.call('POST', '/sync/content', note('n1', { content: 'of Bea' }))
  assert.equal(own.status, 200)
  for (const feed of ['content', 'journals', 'associations', 'media', 'drafts']) {
    const { body } = await bea.call('GET', `/sync/${feed}/changes`)
    assert.deepEqual([(body.changes ?? body.drafts).map((item) => item.content), body.deletions], [feed === 'content' ? ['of Bea'] : [], []], feed)
  }
  assert.deepEqual((await bea.call('GET', '/sync/trash')).body.items, [])
  assert.deepEqual(
    (await ann.call('GET', '/sync/trash')).body.items.map(({ id }) => id),
    ['n1'],
  )
  assert.equal((await bea.call('GET', '/sync/content/n1/history')).body.versions.length, 1)
  assert.equal((await bea.call('GET', '/sync/journals/j1/history')).status, 404)
  assert.equal((await bea.call('GET', '/sync/verify')).body.collections['journals']?.count, 0)
  assert.equal((await bea.call('GET', '/sync/status')).body.data.contentCount, 1)
})

test('JRN-3 a request that names another user or space is 403 and changes nothing anywhere', async () => {
  await using world = await openTestJournal()
  const [ann, bea] = [await world.signUp(), await world.signUp()]
  await bea.call('POST', '/sync/content', note('n1', { content: 'of Bea' }))
  await ann.call('GET', '/sync/status')
  const spaces = await world.spaceIds()
  const ownSpace = spaces.get(ann.userId)
  const others: Readonly<Record<string, unknown>>[] = [{ userId: bea.userId }, { userId: 'nobody' }, { userId: 7 }, { space: spaces.get(bea.userId) }, { space: 'no-such-space' }]
  for (const named of others) {
    const writes: readonly (readonly [string, string, object])[] = [
      ['POST', '/sync/content', note('n1', { content: 'of Ann' })],
      ['POST', '/sync/content/n1', { content: 'of Ann', lastUpdated: 9 }],
      ['POST', '/sync/content/n1/delete', {}],
      ['POST', '/sync/associations', { associations: [] }],
      ['PUT', '/contents/n1', note('n1')],
    ]
    for (const [method, path, body] of writes) {
      const answer = await ann.call(method, path, { ...body, ...named })
      assert.deepEqual([answer.status, answer.body.code], [403, 'FORBIDDEN'], `${path} ${JSON.stringify(named)}`)
    }
    const query = new URLSearchParams(Object.entries(named).map(([name, value]) => [name, String(value)]))
    for (const path of ['/sync/content/changes', '/sync/status', '/quota']) assert.equal((await ann.call('GET', `${path}?${query}`)).status, 403, `${path} ${query}`)
  }
  assert.equal((await ann.call('POST', '/sync/associations', { associations: [{ journalId: 'j', contentId: 'c', createdAt: 1, userId: bea.userId }] })).status, 403)
  assert.deepEqual(
    (await bea.call('GET', '/sync/content/changes')).body.changes.map(({ content }) => content),
    ['of Bea'],
  )
  assert.equal((await ann.call('GET', '/sync/status')).body.data.contentCount, 0)
  assert.equal((await ann.call('POST', '/sync/content', { ...note('n2'), userId: ann.userId, space: ownSpace })).status, 200)
  assert.equal((await ann.call('GET', `/sync/status?userId=${ann.userId}&space=${ownSpace}`)).status, 200)
})

test('JRN-3 an id that only another user has behaves exactly like an id nobody has', async () => {
  await using world = await openTestJournal()
  const [ann, bea] = [await world.signUp(), await world.signUp()]
  await bea.call('POST', '/sync/content', note('known'))
  for (const id of ['known', 'unknown']) {
    const update = await ann.call('POST', `/sync/content/${id}`, { content: 'x', lastUpdated: 9 })
    assert.deepEqual([update.status, update.body.code], [404, 'NOT_FOUND'])
    assert.deepEqual((await ann.call('POST', `/sync/content/${id}/delete`)).body, { id, deletedAt: null, serverVersion: null })
  }
  assert.equal((await bea.call('GET', '/contents/known')).status, 200)
})

test('JRN-5 deviceId comes from the body, else the header, else the credential, and is shown in feed and history', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp('phone-7')
  await user.call('POST', '/sync/content', note('body', { deviceId: 'tablet' }), { 'x-device-id': 'header-device' })
  await user.call('POST', '/sync/content', note('header'), { 'x-device-id': 'header-device' })
  await user.call('POST', '/sync/content', note('credential'))
  const { body } = await user.call('GET', '/sync/content/changes')
  assert.deepEqual(
    body.changes.map(({ id, deviceId }) => [id, deviceId]),
    [
      ['body', 'tablet'],
      ['header', 'header-device'],
      ['credential', 'phone-7'],
    ],
  )
  await user.call('POST', '/sync/content/body', { content: 'changed', lastUpdated: 2_000, deviceId: 'laptop' })
  const history = (await user.call('GET', '/sync/content/body/history')).body.versions
  assert.deepEqual(
    history.map(({ deviceId }) => deviceId),
    ['laptop', 'tablet'],
  )
  for (const deviceId of ['', 'x'.repeat(129), 7]) assert.equal((await user.call('POST', '/sync/content', note('bad', { deviceId }))).body.details.field, 'deviceId')
})

test('JRN-6 every error has the envelope, for malformed JSON, unknown routes and oversize bodies too', async () => {
  await using world = await openTestJournal({ environment: { HOLDFAST_JOURNAL_BODY_MAX_BYTES: '4096' } })
  const user = await world.signUp()
  const big = note('big', { content: 'x'.repeat(5_000) })
  const cases: readonly (readonly [status: number, code: string, answer: Promise<{ readonly status: number; readonly body: Envelope }>])[] = [
    [400, 'VALIDATION_ERROR', user.call('POST', '/sync/content', '{ not JSON')],
    [400, 'VALIDATION_ERROR', user.call('POST', '/sync/content', '[1, 2]')],
    [400, 'VALIDATION_ERROR', user.call('POST', '/sync/content', `${'['.repeat(10_000)}`.slice(0, 4_000))],
    [400, 'VALIDATION_ERROR', user.call('POST', '/sync/content', '{"__proto__": {"a": 1}}')],
    [400, 'INVALID_PARAMETER', user.call('GET', '/sync/content/changes?since=-1')],
    [400, 'VALIDATION_ERROR', user.call('GET', '/contents/%zz')],
    [404, 'NOT_FOUND', user.call('GET', `/contents/${'x'.repeat(600)}`)],
    [404, 'NOT_FOUND', user.call('GET', '/sync/nothing')],
    [404, 'NOT_FOUND', user.call('PUT', '/sync/content', {})],
    [404, 'NOT_FOUND', user.call('GET', '/sync/verify/nothing')],
    [413, 'PAYLOAD_TOO_LARGE', user.call('POST', '/sync/content', big)],
    [415, 'UNSUPPORTED_MEDIA_TYPE', user.call('POST', '/sync/content', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' })],
  ]
  for (const [status, code, asked] of cases) {
    const answer = await asked
    assert.deepEqual([answer.status, answer.body.code], [status, code])
    assertEnvelope(answer.body)
  }
  assert.equal((await user.call('POST', '/sync/content', big)).body.details.limit, '4096')
  assert.equal((await user.call('GET', '/sync/status')).body.data.contentCount, 0)
})

test('JRN-6 every success carries all its fields, empty ones included', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const created = await user.call('POST', '/sync/content', { id: 'n1', type: 'IMAGE', createdAt: 5, lastUpdated: 6 })
  assert.deepEqual(Object.keys(created.body), ['id', 'serverVersion', 'uploadedAt', 'applied', 'current'])
  assert.equal(created.headers['cache-control'], 'no-store')
  await user.call('POST', '/sync/journals', { id: 'j1', title: '', createdAt: 5, lastUpdated: 6 })
  await user.call('POST', '/sync/drafts', { id: 'd1', createdAt: 5, lastUpdated: 6 })
  await user.call('POST', '/sync/associations', { associations: [{ journalId: 'j1', contentId: 'n1', createdAt: 5 }] })
  const items = async (name: string) => {
    const { body } = await user.call('GET', `/sync/${name}/changes`)
    const [item] = body.changes ?? body.drafts
    assert.ok(item)
    return item
  }
  const { serverVersion, receivedAt, deviceId, ...content } = await items('content')
  assert.ok(serverVersion > 0 && receivedAt > 0 && deviceId.length > 0)
  assert.deepEqual(content, {
    id: 'n1',
    type: 'IMAGE',
    content: null,
    mediaUri: null,
    durationMs: 0,
    createdAt: 5,
    lastUpdated: 6,
    caption: null,
    placeName: null,
    latitude: null,
    longitude: null,
    tags: [],
    favorite: false,
    entryDate: null,
    timeZone: null,
    isDeleted: false,
    media: [],
  })
  assert.deepEqual(Object.keys(await items('journals')).toSorted(), [
    'coverMediaId',
    'createdAt',
    'description',
    'deviceId',
    'favorite',
    'id',
    'isDeleted',
    'lastUpdated',
    'receivedAt',
    'serverVersion',
    'title',
  ])
  assert.deepEqual(Object.keys(await items('associations')).toSorted(), ['contentId', 'createdAt', 'deviceId', 'isDeleted', 'journalId', 'serverVersion'])
  const draft = await items('drafts')
  assert.deepEqual(Object.keys(draft).toSorted(), ['blockTypes', 'blocks', 'content', 'createdAt', 'deviceId', 'id', 'isDeleted', 'is_deleted', 'journalIds', 'lastUpdated', 'serverVersion'])
  assert.deepEqual(Object.keys((await user.call('GET', '/sync/drafts/changes')).body).toSorted(), ['cursor', 'deletions', 'drafts', 'epoch', 'hasMore', 'lastTimestamp'])
})

interface Envelope {
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
  readonly timestamp: string
}

function assertEnvelope({ code, message, details, timestamp }: Envelope): void {
  assert.equal(typeof code, 'string')
  assert.equal(typeof message, 'string')
  for (const value of Object.values(details)) assert.equal(typeof value, 'string')
  assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
}

test('JRN-6 whatever stands in a parameter or a body, the answer is the envelope and never a fault of the server', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  await user.call('POST', '/sync/content', note('n1'))
  const hostile = ['%00', 'a%00b', '%ED%A0%80', '9007199254740991', '1e308', '-0', "'", 'x'.repeat(3_000), '%F0%9F%92%A5']
  const paths = [
    '/sync/content/changes',
    '/sync/content/n1/history',
    '/sync/trash',
    '/sync/verify',
    '/sync/verify/content',
    '/sync/status',
    '/contents',
    '/contents/n1',
    '/drafts/changes',
    '/associations',
    '/quota',
  ]
  const names = ['since', 'limit', 'epoch', 'before', 'after', 'space', 'userId', 'clientLastKnownServerVersion', 'x']
  const faults: string[] = []
  const note5xx = ({ status, body }: Answer, what: string) => {
    if (status >= 500 || (status >= 400 && typeof body.timestamp !== 'string')) faults.push(`${what.slice(0, 100)}: ${status}`)
  }
  for (const path of paths) for (const name of names) for (const value of hostile) note5xx(await user.call('GET', `${path}?${name}=${value}`), `${path}?${name}=${value}`)
  for (const historyId of ['\u0000', '\ud800', 'x', '9'.repeat(40)]) note5xx(await user.call('POST', '/sync/content/n1/restore', { historyId }), `restore ${JSON.stringify(historyId)}`)
  for (const field of ['space', 'userId', 'historyId', 'lastUpdated', 'restore'])
    for (const value of ['\u0000', '\ud800', {}, [], 1e308]) note5xx(await user.call('POST', '/sync/content/n1/restore', { [field]: value }), `restore ${field}`)
  assert.deepEqual(faults, [])
})
