import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestVault, type Body, type TestUser, type TestVault } from '../open-test-vault.ts'
import { labelled, openTestProvider, type Reply, type TestProvider } from './local-servers.fixture.ts'

const KEY = 'sk-very-secret-key'

function asking(provider: Pick<TestProvider, 'url'>, more: Readonly<Record<string, string>> = {}) {
  return {
    environment: {
      HOLDFAST_VAULT_AI: 'openai',
      HOLDFAST_VAULT_AI_URL: `${provider.url}/v1`,
      HOLDFAST_VAULT_AI_KEY: KEY,
      HOLDFAST_VAULT_AI_MODEL: 'tiny',
      HOLDFAST_VAULT_FETCH: '0',
      ...more,
    },
  }
}

async function work(world: TestVault): Promise<void> {
  while ((await world.server.runner.runOnce()) > 0) await world.server.runner.settled()
}

async function capture(user: TestUser, rawText: string): Promise<string> {
  const { status, body } = await user.call('POST', '/items', { rawText })
  assert.equal(status, 201)
  return String(body['id'])
}

async function item(user: TestUser, id: string): Promise<Body> {
  return (await user.call('GET', `/items/${id}`)).body
}

/** Everything that a run says of itself. */
function told({ status, title, summary, enrichment }: Body): unknown {
  const { attempts, outcome, errorCode, provider, model } = enrichment as Body
  return { status, title, summary, attempts, outcome, errorCode, provider, model }
}

test('VLT-33 A successful run is one provider call, and its answer waits to be confirmed', async () => {
  await using provider = await openTestProvider(() => labelled())
  await using world = await openTestVault(asking(provider))
  const user = await world.signUp()
  const id = await capture(user, 'The river froze.')
  await work(world)
  const found = await item(user, id)
  assert.deepEqual(told(found), { status: 'READY_TO_CONFIRM', title: 'A title', summary: 'A summary.', attempts: 1, outcome: 'done', errorCode: null, provider: 'openai', model: 'tiny' })
  assert.deepEqual(
    (found['suggestedTags'] as readonly Body[]).map(({ name, status }) => [name, status]),
    [
      ['river', 'PENDING'],
      ['ice', 'PENDING'],
    ],
  )
  assert.equal(provider.asked.length, 1)
})

test('VLT-35 A failing provider is called so often with the delays, then the item is FAILED with the reason', async () => {
  await using provider = await openTestProvider(() => ({ status: 503, body: KEY }))
  await using world = await openTestVault(asking(provider, { HOLDFAST_VAULT_RETRY_DELAYS_MS: '1000,30000' }))
  const user = await world.signUp()
  const id = await capture(user, 'one')
  await work(world)
  assert.equal(provider.asked.length, 1)
  world.advance(1_300)
  await work(world)
  world.advance(20_000)
  await work(world)
  assert.equal(provider.asked.length, 2)
  world.advance(20_000)
  await work(world)
  assert.deepEqual(told(await item(user, id)), { status: 'FAILED', title: null, summary: null, attempts: 3, outcome: 'failed', errorCode: 'LLM_API_ERROR', provider: null, model: null })
  assert.equal(provider.asked.length, 3)
})

test('VLT-35 VLT-42 A provider that recovers in time needs nobody', async () => {
  const replies: readonly Reply[] = [{ body: 'no JSON' }, labelled()]
  await using provider = await openTestProvider((nth) => replies[nth - 1] ?? 'hang')
  await using world = await openTestVault(asking(provider))
  const user = await world.signUp()
  const id = await capture(user, 'one')
  await work(world)
  world.advance(3_000)
  await work(world)
  assert.deepEqual([(await item(user, id))['status'], provider.asked.length], ['READY_TO_CONFIRM', 2])
})

test('VLT-43 The timeout covers the whole exchange, an answer that is too large is cut off, and redirects are not followed', async () => {
  for (const [reply, code] of [
    ['hang', 'LLM_TIMEOUT'],
    [{ body: 'x'.repeat(1_100_000) }, 'LLM_API_ERROR'],
    [{ status: 302, headers: { location: '/elsewhere' }, body: '' }, 'LLM_API_ERROR'],
  ] as const) {
    await using provider = await openTestProvider(() => reply)
    await using world = await openTestVault(asking(provider, { HOLDFAST_VAULT_AI_TIMEOUT_MS: '500', HOLDFAST_VAULT_MAX_ATTEMPTS: '1' }))
    const user = await world.signUp()
    const id = await capture(user, 'one')
    await work(world)
    const { status, enrichment } = await item(user, id)
    assert.deepEqual([status, (enrichment as Body)['errorCode'], provider.asked.length], ['FAILED', code, 1])
  }
})

/** How often the provider has been asked after each of the waits, in milliseconds. */
async function askedAfter(world: TestVault, provider: TestProvider, waits: readonly number[]): Promise<number[]> {
  const counts: number[] = []
  for (const ms of waits) {
    world.advance(ms)
    await work(world)
    counts.push(provider.asked.length)
  }
  return counts
}

test('VLT-44 What cannot get better is FAILED at once; Retry-After puts the next attempt off, in seconds and as a date', async () => {
  const startMs = Date.UTC(2026, 5, 15, 12)
  for (const header of ['600', new Date(startMs + 600_000).toUTCString()]) {
    await using provider = await openTestProvider((nth) => (nth === 1 ? { status: 401, body: '' } : { status: 429, headers: { 'retry-after': header }, body: '' }))
    await using world = await openTestVault({ ...asking(provider), startMs })
    const user = await world.signUp()
    const id = await capture(user, 'one')
    await work(world)
    assert.equal((await item(user, id))['status'], 'FAILED')
    await capture(user, 'two')
    assert.deepEqual(await askedAfter(world, provider, [0, 599_000, 2_000]), [2, 2, 3], header)
  }
})

test('VLT-44 A Retry-After of the past, or that says nothing, leaves the usual delay', async () => {
  for (const header of ['Thu, 01 Jan 1970 00:00:00 GMT', 'in a while', '-600']) {
    await using provider = await openTestProvider(() => ({ status: 503, headers: { 'retry-after': header }, body: '' }))
    await using world = await openTestVault(asking(provider, { HOLDFAST_VAULT_RETRY_DELAYS_MS: '30000' }))
    const user = await world.signUp()
    await capture(user, 'one')
    assert.deepEqual(await askedAfter(world, provider, [0, 10_000, 60_000]), [1, 1, 2], header)
  }
})

test('VLT-45 Nothing to say is no failure: the first line is the title, and nobody is asked again', async () => {
  for (const [choice, outcome] of [
    [{ message: { refusal: 'No.' } }, 'refused'],
    [{ finish_reason: 'content_filter', message: { content: null } }, 'refused'],
    [{ message: { content: JSON.stringify({ title: ' ', summary: '', tags: ['x'], sourceType: 'NOTE' }) } }, 'empty'],
  ] as const) {
    await using provider = await openTestProvider(() => ({ body: JSON.stringify({ choices: [choice] }) }))
    await using world = await openTestVault(asking(provider))
    const user = await world.signUp()
    const id = await capture(user, 'First line\nsecond')
    await work(world)
    const found = await item(user, id)
    assert.deepEqual(told(found), { status: 'READY_TO_CONFIRM', title: 'First line', summary: null, attempts: 1, outcome, errorCode: null, provider: 'openai', model: 'tiny' })
    assert.deepEqual([found['suggestedTags'], provider.asked.length], [[], 1])
  }
})

test('VLT-31 VLT-34 VLT-46 While the provider thinks the item can be read and cancelled; what it says later is not written, and the key is nowhere', async () => {
  const answer = Promise.withResolvers<Reply>()
  await using provider = await openTestProvider(() => answer.promise)
  await using world = await openTestVault(asking(provider))
  const user = await world.signUp()
  const id = await capture(user, 'one')
  await world.server.runner.runOnce()
  await provider.untilAsked(1)
  assert.equal((await item(user, id))['status'], 'ENRICHING')
  assert.equal((await user.call('POST', `/items/${id}/cancel`)).status, 200)
  answer.resolve(labelled({ title: KEY }))
  await world.server.runner.settled()
  const found = await item(user, id)
  assert.deepEqual([found['status'], found['title'], (found['enrichment'] as Body)['errorCode']], ['FAILED', null, 'CANCELLED'])
  const feed = await user.call('GET', '/api/v1/vault/pull')
  assert.ok(![JSON.stringify(feed.body), world.server.log.join('\n'), JSON.stringify(world.server.events)].join('').includes(KEY))
})

test('VLT-38 What a person has written stays', async () => {
  const answer = Promise.withResolvers<Reply>()
  await using provider = await openTestProvider(() => answer.promise)
  await using world = await openTestVault(asking(provider))
  const user = await world.signUp()
  const id = String((await user.call('POST', '/items', { rawText: 'one', title: 'Mine' })).body['id'])
  await world.server.runner.runOnce()
  await provider.untilAsked(1)
  answer.resolve(labelled())
  await world.server.runner.settled()
  const { title, summary } = await item(user, id)
  assert.deepEqual([title, summary], ['Mine', 'A summary.'])
})

test('VLT-38 A text that changes while the AI is asked about it: the answer to the old one is dropped, the new one is asked about', async () => {
  const stale = Promise.withResolvers<Reply>()
  await using provider = await openTestProvider((nth, { text }) => (nth === 1 ? stale.promise : labelled({ title: `About ${text}` })))
  await using world = await openTestVault(asking(provider))
  const user = await world.signUp()
  const id = await capture(user, 'the old text')
  await world.server.runner.runOnce()
  await provider.untilAsked(1)
  const { version: base } = await item(user, id)
  const mutation = { collection: 'items', id, op: 'patch', base, data: { rawText: 'the new text' } }
  const pushed = (await user.call('POST', '/api/v1/vault/push', { clientId: 'phone', mutations: [{ n: 1, ...mutation }] })).body['results'] as readonly Body[]
  assert.deepEqual(
    pushed.map(({ status }) => status),
    ['applied'],
  )
  stale.resolve(labelled({ title: 'About the old text' }))
  await world.server.runner.settled()
  assert.deepEqual(told(await item(user, id)), { status: 'ENRICHING', title: null, summary: null, attempts: 0, outcome: null, errorCode: null, provider: null, model: null })
  await work(world)
  const found = await item(user, id)
  assert.deepEqual([found['status'], found['rawText'], found['title'], (found['enrichment'] as Body)['attempts']], ['READY_TO_CONFIRM', 'the new text', 'About the new text', 1])
  assert.deepEqual(
    provider.asked.map(({ text }) => text),
    ['the old text', 'the new text'],
  )
})

test('VLT-13 Whatever the AI does, a capture is taken at once: provider down, queue long, limit reached', async () => {
  for (const [limit, waiting] of [
    ['0', 300],
    ['1', 3],
  ] as const) {
    const silence = Promise.withResolvers<Reply>()
    await using provider = await openTestProvider(() => silence.promise)
    await using world = await openTestVault(asking(provider, { HOLDFAST_VAULT_DAILY_LIMIT: limit }))
    const user = await world.signUp()
    const many = Array.from({ length: 100 }, (_, index) => ({ rawText: `note ${index}` }))
    for (let count = 0; count < waiting; count += 100) assert.equal((await user.call('POST', '/items/batch', { items: many.slice(0, waiting) })).status, 200)
    // Every place is taken by a provider that says nothing.
    await world.server.runner.runOnce()
    assert.equal((await item(user, await capture(user, 'one more')))['status'], 'ENRICHING')
    assert.equal((await user.call('GET', '/items/pending?limit=1')).body['total'], waiting + 1)
    silence.resolve(labelled())
  }
  // Nobody listens there.
  await using dead = await openTestVault(asking({ url: 'http://127.0.0.1:9' }, { HOLDFAST_VAULT_MAX_ATTEMPTS: '1' }))
  const user = await dead.signUp()
  const first = await capture(user, 'one')
  await work(dead)
  assert.equal((await item(user, first))['status'], 'FAILED')
  assert.equal((await item(user, await capture(user, 'two')))['status'], 'ENRICHING')
})

test('VLT-68 Without the switch no text goes to a provider; what waited is kept as it is', async () => {
  await using provider = await openTestProvider(() => labelled())
  await using world = await openTestVault(asking(provider))
  const user = await world.signUp()
  const id = await capture(user, 'one')
  assert.equal((await user.call('PATCH', '/auth/me/preferences', { aiSuggestionsEnabled: false })).status, 200)
  await work(world)
  const { status, enrichmentMode, title } = await item(user, id)
  assert.deepEqual([status, enrichmentMode, title, provider.asked.length], ['ARCHIVED', 'MANUAL', 'one', 0])
})

test('VLT-67 VLT-68 While suggestions are off, asking again says that nothing comes of it, and what is retried is kept as a manual capture', async () => {
  await using provider = await openTestProvider((nth) => (nth === 1 ? labelled() : { status: 401, body: '' }))
  await using world = await openTestVault(asking(provider))
  const user = await world.signUp()
  const ready = await capture(user, 'one')
  await work(world)
  const failing = await capture(user, 'two')
  await work(world)
  assert.deepEqual([(await item(user, ready))['status'], (await item(user, failing))['status']], ['READY_TO_CONFIRM', 'FAILED'])
  await user.call('PATCH', '/auth/me/preferences', { aiSuggestionsEnabled: false })
  assert.equal((await user.call('POST', `/items/${ready}/enrich`)).status, 202)
  assert.equal((await user.call('POST', `/items/${failing}/retry`)).body['status'], 'ENRICHING')
  await work(world)
  const [asked, kept] = [await item(user, ready), await item(user, failing)]
  assert.deepEqual([asked['status'], asked['title'], asked['proposal']], ['READY_TO_CONFIRM', 'A title', null])
  const { outcome, errorCode, errorMessage } = asked['enrichment'] as Body
  assert.deepEqual([outcome, errorCode, errorMessage], ['empty', null, 'Suggestions are switched off.'])
  assert.deepEqual([kept['status'], kept['enrichmentMode'], kept['title'], (kept['enrichment'] as Body)['errorCode']], ['ARCHIVED', 'MANUAL', 'two', null])
  assert.equal(provider.asked.length, 2)
})

test('VLT-68 Beyond the daily limit items wait for the next midnight, UTC', async () => {
  await using provider = await openTestProvider(() => labelled())
  await using world = await openTestVault({ ...asking(provider, { HOLDFAST_VAULT_DAILY_LIMIT: '2' }), startMs: Date.UTC(2026, 5, 15, 22) })
  const user = await world.signUp()
  for (const text of ['one', 'two', 'three']) await capture(user, text)
  await work(world)
  const pending = (await user.call('GET', '/items/pending')).body['items'] as readonly Body[]
  const waiting = pending.filter(({ status }) => status === 'ENRICHING')
  assert.deepEqual([provider.asked.length, waiting.map(({ enrichment }) => (enrichment as Body)['nextAttemptAt'])], [2, ['2026-06-16T00:00:00.000Z']])
  world.advance(2 * 3_600_000)
  await work(world)
  assert.equal(provider.asked.length, 3)
})
