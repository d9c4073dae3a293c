import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonValue } from 'holdfast'
import { statuses } from './app.ts'
import { openTestVault, type TestUser, type TestVault } from './open-test-vault.ts'
import { intentContext } from './rules/item-intent.ts'

type Data = Readonly<Record<string, JsonValue>>
interface Mutation {
  readonly n?: number
  readonly collection?: string
  readonly id: string
  readonly op?: 'put' | 'patch' | 'delete'
  readonly base?: number
  readonly data?: Data
}
interface Result {
  readonly status: string
  readonly version: number
  readonly record: { readonly version: number; readonly data: Data } | null
  readonly error: { readonly code: string; readonly fields?: readonly { readonly path: string }[] }
}

async function push(user: TestUser, mutations: readonly Mutation[], client: Readonly<Record<string, string | number>> = {}): Promise<readonly Result[]> {
  const { status, body } = await user.call('POST', '/api/v1/vault/push', { ...client, mutations: mutations.map((mutation) => ({ collection: 'items', op: 'put', ...mutation })) })
  assert.equal(status, 200, JSON.stringify(body))
  return body['results'] as unknown as readonly Result[]
}

/** One item pushed, and how it was answered: `applied`, or `rejected` with its code. */
async function pushOne(user: TestUser, mutation: Mutation): Promise<string> {
  const [result] = await push(user, [mutation])
  return result?.status === 'rejected' ? `rejected ${result.error.code}` : String(result?.status)
}

async function item(user: TestUser, id: string): Promise<Data> {
  const { status, body } = await user.call('GET', `/api/v1/vault/records/items/${id}`)
  assert.equal(status, 200)
  return { ...(body['data'] as Data), version: body['version'] ?? 0 }
}

/** What the worker brings, without a provider. */
async function work(world: TestVault, user: TestUser, id: string, data: Data): Promise<void> {
  const context = intentContext({ by: 'worker', from: [...statuses] })
  const mutation = { collection: 'items', id, op: 'patch', base: 'any', sent: data, trusted: true, context } as const
  await world.server.context.commit(await world.scopeOf(user), { mutations: [mutation], keepRejected: false, keepConflicts: false })
}

async function jobStates(world: TestVault): Promise<readonly string[]> {
  return (await world.server.database.read((reader) => reader.all<{ state: string }>('SELECT state FROM holdfast_jobs ORDER BY id'))).map(({ state }) => state)
}

test('VLT-48 A pushed item is a capture: trimmed, clamped, keyed, with its job', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const now = world.server.chance.now()
  assert.equal(await pushOne(user, { id: 'i1', data: { rawText: '  https://Example.org/a#x ', capturedAt: now + 5_000, title: ' T ' } }), 'applied')
  const made = await item(user, 'i1')
  assert.deepEqual(
    [made['rawText'], made['title'], made['status'], made['enrichmentMode'], made['capturedAt'], made['urlKey'], made['confirmedAt']],
    ['https://Example.org/a#x', 'T', 'ENRICHING', 'AI', now, 'https://example.org/a', null],
  )
  assert.equal(await pushOne(user, { id: 'i2', data: { url: 'http://example.org/b', capturedAt: 5 } }), 'applied')
  assert.deepEqual([(await item(user, 'i2'))['rawText'], (await item(user, 'i2'))['capturedAt']], ['http://example.org/b', 5])
  assert.equal(await pushOne(user, { id: 'i3', data: { rawText: 'line\nmore', enrichmentMode: 'MANUAL' } }), 'applied')
  const manual = await item(user, 'i3')
  assert.deepEqual([manual['status'], manual['title'], manual['sourceType'], manual['confirmedAt']], ['ARCHIVED', 'line', 'NOTE', now])
  assert.deepEqual(await jobStates(world), ['ready', 'ready'])
  await user.call('POST', '/api/v1/vault/records/settings', { id: 'me', data: { aiSuggestionsEnabled: false } })
  assert.equal(await pushOne(user, { id: 'i4', data: { rawText: 'x' } }), 'applied')
  assert.equal((await item(user, 'i4'))['status'], 'ARCHIVED')
})

test('VLT-63 An item that was deleted for good and comes back with another text has the key of that text, and a title', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await user.call('POST', '/items', { id: 'gone', rawText: 'https://example.org/a', title: 'T', enrich: false })
  const [deleted] = await push(user, [{ id: 'gone', op: 'delete', base: Number((await item(user, 'gone'))['version']) }])
  assert.equal(await pushOne(user, { id: 'gone', base: deleted?.version ?? 0, data: { rawText: 'https://example.org/b', title: null } }), 'applied')
  const { urlKey, title, status } = await item(user, 'gone')
  assert.deepEqual([urlKey, title, status], ['https://example.org/b', 'https://example.org/b', 'ARCHIVED'])
  assert.equal((await user.call('POST', '/items', { rawText: 'https://example.org/b#x' })).body['duplicateOf'], 'gone')
})

test('VLT-48 What a whole record says that nobody has set means nothing; anything else of the server is refused', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const whole = {
    rawText: 'x',
    url: null,
    title: null,
    summary: null,
    tagIds: [],
    enrichmentMode: 'MANUAL',
    capturedAt: null,
    status: 'ENRICHING',
    sourceType: null,
    suggestedTags: [],
    outcome: null,
    attempts: 0,
    errorCode: null,
    errorMessage: null,
    provider: null,
    model: null,
    proposal: null,
    confirmedAt: null,
    discardedAt: null,
    discardedFrom: null,
    duplicateOf: null,
    urlKey: null,
  }
  assert.equal(await pushOne(user, { id: 'whole', data: whole }), 'applied')
  assert.equal((await item(user, 'whole'))['status'], 'ARCHIVED')
  assert.equal(await pushOne(user, { id: 'same', data: { rawText: 'x', status: 'ENRICHING' } }), 'applied')
  for (const [name, value] of [
    ['status', 'ARCHIVED'],
    ['status', 'READY_TO_CONFIRM'],
    ['confirmedAt', 5],
    ['sourceType', 'NOTE'],
    ['attempts', 1],
    ['outcome', 'done'],
    ['urlKey', 'http://example.org'],
    ['duplicateOf', 'whole'],
    ['provider', 'mine'],
    ['suggestedTags', [{ id: 's', name: 'x', confidence: 1, status: 'ACCEPTED' }]],
  ] as const)
    assert.equal(await pushOne(user, { id: `i-${name}`, data: { rawText: 'x', [name]: value } }), 'rejected READ_ONLY_FIELD', name)
})

test('VLT-48 What is invalid is rejected by itself, and a replay makes no second item and no second run', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const mutations = [
    { n: 1, id: 'a', data: { rawText: ' a ' } },
    { n: 2, id: 'b', data: { rawText: ' \u3000 ' } },
    { n: 3, id: 'c', data: {} },
    { n: 4, id: 'd', data: { rawText: 'x'.repeat(10_001) } },
    { n: 5, id: 'e', data: { rawText: 'x', url: 'ftp://example.org' } },
    { n: 6, id: 'f', data: { rawText: 'x', title: '' } },
    { n: 7, id: 'g', data: { rawText: 'x', unknown: 1 } },
    { n: 8, id: 'h', data: { rawText: 'x\u0000' } },
    { n: 9, id: 'i', data: { rawText: 'x', tagIds: Array.from({ length: 51 }, (_, index) => `t${index}`) } },
    { n: 10, id: 'j', data: { rawText: 'j' } },
  ]
  const first = await push(user, mutations, { clientId: 'phone' })
  assert.deepEqual(
    first.map(({ status }) => status),
    ['applied', ...Array.from({ length: 8 }, () => 'rejected'), 'applied'],
  )
  assert.ok(first.slice(1, 9).every(({ error }) => error.code === 'record.invalid'))
  const again = await push(user, mutations, { clientId: 'phone' })
  assert.deepEqual(again.map(({ status }) => status), first.map(({ status }) => status)) // prettier-ignore
  assert.deepEqual(await jobStates(world), ['ready', 'ready'])
  assert.equal((await user.call('GET', '/items/pending')).body['total'], 2)
})

test('VLT-49 A pushed status is an action of the table, with all that the dialect sets', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const now = world.server.chance.now()
  const moves: readonly (readonly [string, string, Data])[] = [
    ['ENRICHING', 'FAILED', { errorCode: 'CANCELLED', outcome: 'cancelled' }],
    ['READY_TO_CONFIRM', 'ARCHIVED', { confirmedAt: now, title: 'Found' }],
    ['READY_TO_CONFIRM', 'DISCARDED', { discardedAt: now, discardedFrom: 'READY_TO_CONFIRM' }],
    ['FAILED', 'ARCHIVED', { confirmedAt: now, enrichmentMode: 'MANUAL', title: 'x' }],
    ['FAILED', 'ENRICHING', { errorCode: null, attempts: 0 }],
    ['FAILED', 'DISCARDED', { discardedFrom: 'FAILED' }],
    ['ARCHIVED', 'DISCARDED', { discardedFrom: 'ARCHIVED' }],
    ['DISCARDED', 'READY_TO_CONFIRM', { discardedAt: null, discardedFrom: null }],
  ]
  const possible = new Set(moves.map(([from, to]) => `${from} ${to}`))
  for (const from of statuses) {
    for (const to of statuses.filter((status) => status !== from)) {
      const id = `${from}.${to}`
      await pushOne(user, { id, data: { rawText: 'x' } })
      if (from === 'FAILED') await work(world, user, id, { status: from, errorCode: 'LLM_TIMEOUT', attempts: 3, outcome: 'failed' })
      else if (from !== 'ENRICHING') await work(world, user, id, { status: 'READY_TO_CONFIRM', title: 'Found', outcome: 'done' })
      if (from === 'ARCHIVED') await user.call('PATCH', `/items/${id}`, { action: 'confirm' })
      if (from === 'DISCARDED') await user.call('PATCH', `/items/${id}`, { action: 'discard' })
      const before = await item(user, id)
      const answer = await pushOne(user, { id, op: 'patch', base: Number(before['version']), data: { status: to } })
      if (!possible.has(`${from} ${to}`)) {
        assert.equal(answer, 'rejected INVALID_STATE_TRANSITION', id)
        assert.deepEqual(await item(user, id), before)
        continue
      }
      assert.equal(answer, 'applied', id)
      const after = await item(user, id)
      const wanted = moves.find(([one, other]) => one === from && other === to)?.[2] ?? {}
      assert.deepEqual([after['status'], Object.fromEntries(Object.keys(wanted).map((name) => [name, after[name]]))], [to, wanted], id)
    }
  }
})

test('VLT-49 Where only an address was captured a whole record without a text leaves the text', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await pushOne(user, { id: 'i', data: { url: 'http://example.org' } })
  assert.equal(await pushOne(user, { id: 'i', base: Number((await item(user, 'i'))['version']), data: { url: 'http://example.org', rawText: '', title: 'Own', capturedAt: null } }), 'applied')
  const { rawText, title } = await item(user, 'i')
  assert.deepEqual([rawText, title], ['http://example.org', 'Own'])
})

test('VLT-49 A changed field of the server is refused, an edit is taken in every state but DISCARDED', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await pushOne(user, { id: 'i', data: { rawText: 'x', url: 'http://example.org' } })
  const patch = async (data: Data) => pushOne(user, { id: 'i', op: 'patch', base: Number((await item(user, 'i'))['version']), data })
  for (const data of [
    { confirmedAt: 5 },
    { attempts: 7 },
    { url: 'http://example.com' },
    { capturedAt: 7 },
    { enrichmentMode: 'MANUAL' },
    { provider: 'me' },
    { proposal: { title: 'x', summary: 'x', suggestedTags: [], sourceType: 'NOTE', createdAt: 1 } },
  ] as const)
    assert.equal(await patch(data), 'rejected READ_ONLY_FIELD', JSON.stringify(data))
  assert.equal(await patch({ title: 'In ENRICHING' }), 'applied')
  assert.equal(await patch({ status: 'FAILED' }), 'applied')
  assert.equal(await patch({ summary: 'In FAILED' }), 'applied')
  assert.equal(await patch({ status: 'ARCHIVED', rawText: ' New text ' }), 'applied')
  const archived = await item(user, 'i')
  assert.deepEqual([archived['title'], archived['summary'], archived['rawText'], archived['status']], ['In ENRICHING', 'In FAILED', 'New text', 'ARCHIVED'])
  assert.equal(await patch({ title: null }), 'applied')
  assert.equal((await item(user, 'i'))['title'], 'New text')
  assert.equal(await patch({ rawText: ' ' }), 'rejected record.invalid')
  assert.equal(await patch({ status: 'DISCARDED' }), 'applied')
  assert.equal(await patch({ title: 'Too late' }), 'rejected INVALID_STATE_TRANSITION')
  assert.equal(await patch({ status: 'ARCHIVED', title: 'Back' }), 'applied')
})

test('VLT-38 A text that changes while the AI is asked about it is asked about anew', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await pushOne(user, { id: 'i', data: { rawText: 'x' } })
  await pushOne(user, { id: 'i', op: 'patch', base: Number((await item(user, 'i'))['version']), data: { title: 'Mine' } })
  assert.deepEqual(await jobStates(world), ['ready'])
  await pushOne(user, { id: 'i', op: 'patch', base: Number((await item(user, 'i'))['version']), data: { rawText: 'y' } })
  assert.deepEqual(await jobStates(world), ['cancelled', 'ready'])
  await work(world, user, 'i', { status: 'READY_TO_CONFIRM', title: 'Found', summary: 'It is.' })
  const { title, summary } = await item(user, 'i')
  assert.deepEqual([title, summary], ['Mine', 'It is.'])
})

test('VLT-50 Tags of two devices are joined; other fields merge where one side changed them, and conflict where both did', async () => {
  await using world = await openTestVault()
  const phone = await world.signUp('phone')
  const tablet = await phone.onDevice('tablet')
  await push(phone, ['t0', 't1', 't2'].map((id) => ({ collection: 'tags', id, data: { name: id } }))) // prettier-ignore
  await pushOne(phone, { id: 'i', data: { rawText: 'x', tagIds: ['t0'] } })
  const base = Number((await item(phone, 'i'))['version'])
  assert.equal(await pushOne(phone, { id: 'i', op: 'patch', base, data: { tagIds: ['t0', 't1'] } }), 'applied')
  assert.equal(await pushOne(tablet, { id: 'i', op: 'patch', base, data: { tagIds: ['t2'] } }), 'merged')
  assert.deepEqual(((await item(phone, 'i'))['tagIds'] as readonly string[]).toSorted(), ['t1', 't2'])

  await work(world, phone, 'i', { status: 'READY_TO_CONFIRM', title: 'Found', summary: 'It is.' })
  assert.equal(await pushOne(tablet, { id: 'i', op: 'patch', base, data: { rawText: 'y' } }), 'merged')
  assert.equal(await pushOne(tablet, { id: 'i', op: 'patch', base, data: { title: 'Mine' } }), 'conflict')
  const { body } = await phone.call('GET', '/api/v1/vault/conflicts')
  assert.equal((body['conflicts'] as readonly unknown[]).length, 1)
  assert.equal((await item(phone, 'i'))['title'], 'Found')
})

test('VLT-50 Moves of two devices join along the table: discarding wins', async () => {
  await using world = await openTestVault()
  const phone = await world.signUp('phone')
  const tablet = await phone.onDevice('tablet')
  for (const [first, second, status] of [
    ['ARCHIVED', 'DISCARDED', 'DISCARDED'],
    ['DISCARDED', 'ARCHIVED', 'DISCARDED'],
  ] as const) {
    const id = `${first}.${second}`
    await pushOne(phone, { id, data: { rawText: 'x' } })
    await work(world, phone, id, { status: 'READY_TO_CONFIRM', title: 'Found' })
    const base = Number((await item(phone, id))['version'])
    assert.equal(await pushOne(phone, { id, op: 'patch', base, data: { status: first } }), 'applied')
    await pushOne(tablet, { id, op: 'patch', base, data: { status: second } })
    assert.equal((await item(phone, id))['status'], status, id)
  }
  await pushOne(phone, { id: 'late', data: { rawText: 'x' } })
  const base = Number((await item(phone, 'late'))['version'])
  await work(world, phone, 'late', { status: 'READY_TO_CONFIRM', title: 'Found' })
  assert.equal(await pushOne(phone, { id: 'late', op: 'patch', base, data: { status: 'FAILED' } }), 'conflict')
})

test('VLT-51 A pushed tag whose name is taken becomes an alias; items that name it get the other', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const results = await push(user, [
    { collection: 'tags', id: 'old', data: { name: 'Books' } },
    { collection: 'tags', id: 'new', data: { name: ' #ＢＯＯＫＳ' } },
    { id: 'i', data: { rawText: 'x', tagIds: ['new', 'old', 'unknown'] } },
  ])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['applied', 'applied', 'applied'],
  )
  assert.deepEqual((await item(user, 'i'))['tagIds'], ['old'])
  const alias = (await user.call('GET', '/api/v1/vault/records/tags/new')).body['data'] as Data
  assert.deepEqual([alias['mergedInto'], alias['nameKey']], ['old', 'books'])
  assert.deepEqual((await user.call('POST', '/items', { rawText: 'y', tagIds: ['new'] })).body['tags'], [{ id: 'old', name: 'Books', color: 'gray' }])

  // A tag that is renamed to one that is there goes the same way, and takes its items along.
  await push(user, [
    { collection: 'tags', id: 'third', data: { name: 'Reading' } },
    { collection: 'tags', id: 'fourth', data: { name: 'reading' } },
    { id: 'j', data: { rawText: 'x', tagIds: ['third'] } },
  ])
  const { version } = (await user.call('GET', '/api/v1/vault/records/tags/third')).body
  assert.equal(await pushOne(user, { collection: 'tags', id: 'third', op: 'patch', base: Number(version), data: { name: 'books' } }), 'applied')
  assert.deepEqual((await item(user, 'j'))['tagIds'], ['old'])
  assert.equal(((await user.call('GET', '/api/v1/vault/records/tags/fourth')).body['data'] as Data)['mergedInto'], 'old')
})

test('VLT-51 A deleted tag leaves its items, and a device that still names it does no harm', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await push(user, [
    { collection: 'tags', id: 'a', data: { name: 'A' } },
    { collection: 'tags', id: 'b', data: { name: 'B' } },
    { collection: 'tags', id: 'alias', data: { name: 'a' } },
    { id: 'i', data: { rawText: 'x', tagIds: ['a', 'b'] } },
  ])
  const { version } = (await user.call('GET', '/api/v1/vault/records/tags/a')).body
  assert.equal(await pushOne(user, { collection: 'tags', id: 'a', op: 'delete', base: Number(version) }), 'applied')
  assert.deepEqual((await item(user, 'i'))['tagIds'], ['b'])
  assert.equal((await user.call('GET', '/api/v1/vault/records/tags/alias')).status, 404)
  assert.equal(await pushOne(user, { id: 'i', op: 'patch', base: Number((await item(user, 'i'))['version']), data: { tagIds: ['a', 'b', 'alias'] } }), 'unchanged')
  assert.equal(await pushOne(user, { id: 'j', data: { rawText: 'x', tagIds: ['a'] } }), 'applied')
  assert.deepEqual((await item(user, 'j'))['tagIds'], [])
  assert.equal(await pushOne(user, { collection: 'tags', id: 'again', data: { name: 'A' } }), 'applied')
  assert.equal(((await user.call('GET', '/api/v1/vault/records/tags/again')).body['data'] as Data)['mergedInto'], null)
})

test('VLT-51 What only the server sets of a tag is refused', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  for (const data of [{ nameKey: 'y' }, { lastUsed: 5 }, { mergedInto: 'y' }])
    assert.equal(await pushOne(user, { collection: 'tags', id: 'x', data: { name: 'X', ...data } }), 'rejected READ_ONLY_FIELD')
  assert.equal(await pushOne(user, { collection: 'tags', id: 'x', data: { name: 'X', nameKey: 'x', lastUsed: null, mergedInto: null, color: '#a1B2c3' } }), 'applied')
  for (const data of [{ name: '' }, { name: ' # ' }, { name: 'x'.repeat(51) }, { name: 'x', color: '#12' }])
    assert.equal(await pushOne(user, { collection: 'tags', id: 'z', data }), 'rejected record.invalid')
})
