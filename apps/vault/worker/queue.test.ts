import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JobFailure } from 'holdfast/server'
import { openTestVault, type Body, type TestUser, type TestVault } from '../open-test-vault.ts'
import type { Provider } from '../providers/provider.ts'
import { askProvider } from './ask-provider.ts'
import { labelled, openTestProvider, type Reply, type TestProvider } from './local-servers.fixture.ts'

function asking({ url }: TestProvider, more: Readonly<Record<string, string>> = {}) {
  return { environment: { HOLDFAST_VAULT_AI: 'openai', HOLDFAST_VAULT_AI_URL: `${url}/v1`, HOLDFAST_VAULT_AI_MODEL: 'tiny', HOLDFAST_VAULT_FETCH: '0', ...more } }
}

async function work(world: TestVault): Promise<void> {
  while ((await world.server.runner.runOnce()) > 0) await world.server.runner.settled()
}

async function capture(user: TestUser, texts: readonly string[]): Promise<readonly string[]> {
  const { status, body } = await user.call('POST', '/items/batch', { items: texts.map((rawText) => ({ rawText })) })
  assert.equal(status, 200)
  return (body['results'] as readonly Body[]).map((row) => String((row['item'] as Body)['id']))
}

async function item(user: TestUser, id: string | undefined): Promise<Body> {
  return (await user.call('GET', `/items/${id}`)).body
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `note ${index}`)

test('VLT-37 An item about which the provider is silent takes one place; all others are done meanwhile', async () => {
  const silence = Promise.withResolvers<Reply>()
  await using provider = await openTestProvider((_, { text }) => (text === 'bad' ? silence.promise : labelled()))
  await using world = await openTestVault(asking(provider, { HOLDFAST_VAULT_CONCURRENCY: '2' }))
  const user = await world.signUp()
  await capture(user, ['bad', ...numbered(20)])
  world.server.runner.start()
  await provider.untilAsked(21)
  assert.equal(provider.asked.filter(({ text }) => text === 'bad').length, 1)
  silence.resolve(labelled())
})

test("VLT-37 A person's backlog holds up no other person's item", async () => {
  await using provider = await openTestProvider(() => labelled())
  await using world = await openTestVault(asking(provider, { HOLDFAST_VAULT_CONCURRENCY: '1' }))
  const [busy, other] = [await world.signUp(), await world.signUp()]
  await capture(busy, numbered(20))
  await capture(other, ['mine'])
  await work(world)
  assert.ok(
    provider.asked
      .slice(0, 2)
      .map(({ text }) => text)
      .includes('mine'),
  )
  assert.deepEqual(
    provider.asked.map(({ text }) => text).filter((text) => text !== 'mine'),
    numbered(20),
    'the oldest first',
  )
})

test("VLT-41 The person's tags go along, and a suggestion that equals one is that tag; none go along where the person does not want that", async () => {
  await using provider = await openTestProvider(() => labelled({ tags: ['MILL', 'ice'] }))
  await using world = await openTestVault(asking(provider))
  const user = await world.signUp()
  const tag = (await user.call('POST', '/tags', { name: 'Mill' })).body['id']
  const [first] = await capture(user, ['The wheel stands still.'])
  await work(world)
  const { suggestedTags } = await item(user, first)
  assert.deepEqual(
    (suggestedTags as readonly Body[]).map(({ name, tagId }) => [name, tagId]),
    [
      ['Mill', tag],
      ['ice', undefined],
    ],
  )
  await user.call('PATCH', '/auth/me/preferences', { knownTagsFirst: false })
  await capture(user, ['The wheel turns.'])
  await work(world)
  assert.deepEqual(
    provider.asked.map(({ body }) => body.includes('Mill')),
    [true, false],
  )
})

test('VLT-67 A proposal can be dropped; an item that was asked about again in vain stays where it was and says why', async () => {
  await using provider = await openTestProvider((nth) => (nth <= 2 ? labelled({ title: `Title ${nth}` }) : { status: 401, body: '' }))
  await using world = await openTestVault(asking(provider))
  const user = await world.signUp()
  const [id] = await capture(user, ['one'])
  await work(world)
  assert.equal((await user.call('PATCH', `/items/${id}`, { action: 'confirm' })).status, 200)
  assert.equal((await user.call('POST', `/items/${id}/enrich`)).status, 202)
  await work(world)
  const asked = await item(user, id)
  assert.deepEqual([asked['status'], asked['title'], (asked['proposal'] as Body)['title']], ['ARCHIVED', 'Title 1', 'Title 2'])
  const dropped = (await user.call('PATCH', `/items/${id}`, { acceptProposal: false })).body
  assert.deepEqual([dropped['status'], dropped['title'], dropped['proposal']], ['ARCHIVED', 'Title 1', null])
  await user.call('POST', `/items/${id}/enrich`)
  await work(world)
  const { status, title, proposal, enrichment } = await item(user, id)
  const { outcome, errorCode } = enrichment as Body
  assert.deepEqual([status, title, proposal, outcome, errorCode], ['ARCHIVED', 'Title 1', null, 'failed', 'LLM_API_ERROR'])
})

test('VLT-35 JOB-18 A person need not wait for the next attempt, and what the item does not wait for is not started', async () => {
  await using provider = await openTestProvider((nth) => (nth === 1 ? { status: 503, body: '' } : labelled()))
  await using world = await openTestVault(asking(provider, { HOLDFAST_VAULT_RETRY_DELAYS_MS: '3600000' }))
  const user = await world.signUp()
  const [id] = await capture(user, ['one'])
  await work(world)
  const [job] = (await user.call('GET', '/api/v1/vault/jobs')).body['jobs'] as readonly Body[]
  const retry = `/api/v1/vault/jobs/${String(job?.['id'])}/retry`
  assert.equal(job?.['state'], 'waiting')
  assert.equal((await user.call('POST', retry)).status, 200)
  await work(world)
  assert.equal((await item(user, id))['status'], 'READY_TO_CONFIRM')
  assert.equal(provider.asked.length, 2)
  assert.equal((await user.call('POST', retry)).status, 409)
})

test('VLT-36 VLT-46 What an item that waits for its next attempt says of the last one is what it would say at its end: a code of the vault, nothing that is quoted', async () => {
  await using provider = await openTestProvider(() => ({ status: 503, body: '' }))
  await using world = await openTestVault(asking(provider, { HOLDFAST_VAULT_RETRY_DELAYS_MS: '3600000' }))
  const user = await world.signUp()
  const [id] = await capture(user, ['one'])
  await work(world)
  for (const [code, message, shown] of [
    ['worker_crashed', 'The process that worked on it ended.', ['WORKER_CRASHED', 'The process that worked on it ended.']],
    ['error', 'SELECT secret FROM vault_items', ['ENRICHMENT_ERROR', 'The enrichment failed.']],
    ['LLM_API_ERROR', 'The provider answered with status 503.', ['LLM_API_ERROR', 'The provider answered with status 503.']],
  ] as const) {
    await world.server.database.write((tx) => tx.run('UPDATE holdfast_jobs SET reason_code = ?, reason_message = ? WHERE unique_key = ?', [code, message, id ?? '']))
    const { errorCode, errorMessage, attempts } = (await item(user, id))['enrichment'] as Body
    assert.deepEqual([errorCode, errorMessage, attempts], [...shown, 1], code)
  }
})

test('VLT-46 A provider that puts the key into its answer does not put it into the item', async () => {
  const key = 'sk-very-secret-key'
  await using provider = await openTestProvider(() => labelled({ title: `Key ${key}`, summary: `${key} and ${key}`, tags: [key, 'ice'] }))
  await using world = await openTestVault(asking(provider, { HOLDFAST_VAULT_AI_KEY: key }))
  const user = await world.signUp()
  const [id] = await capture(user, ['one'])
  await work(world)
  const found = await item(user, id)
  assert.deepEqual([found['status'], found['title'], found['summary']], ['READY_TO_CONFIRM', 'Key ***', '*** and ***'])
  assert.ok(![found, (await user.call('GET', '/api/v1/vault/pull')).body].some((body) => JSON.stringify(body).includes(key)))
})

test('VLT-42 Whatever white space and letters a provider answers with, the item is done and its suggestions can be accepted', async () => {
  await using provider = await openTestProvider(() => labelled({ title: '\u0085', summary: 'A summary.\u0085', tags: ['\u0085', '# #Mill  wheel', 'İ'.repeat(50)] }))
  await using world = await openTestVault(asking(provider))
  const user = await world.signUp()
  const [id] = await capture(user, ['one'])
  await work(world)
  const { status, title, summary, suggestedTags } = await item(user, id)
  const suggested = suggestedTags as readonly Body[]
  assert.deepEqual([status, title, summary, suggested.map(({ name }) => name)], ['READY_TO_CONFIRM', 'one', 'A summary.', ['mill wheel', 'i̇'.repeat(25)]])
  assert.equal((await user.call('PATCH', `/items/${id}`, { action: 'confirm', acceptedSuggestionIds: suggested.map((tag) => String(tag['id'])) })).status, 200)
})

test('VLT-63 An item that is deleted while the AI is asked about it stays deleted', async () => {
  const answer = Promise.withResolvers<Reply>()
  await using provider = await openTestProvider(() => answer.promise)
  await using world = await openTestVault(asking(provider))
  const user = await world.signUp()
  const [id] = await capture(user, ['one'])
  await world.server.runner.runOnce()
  await provider.untilAsked(1)
  assert.equal((await user.call('DELETE', `/items/${id}`)).status, 204)
  answer.resolve(labelled())
  await world.server.runner.settled()
  await work(world)
  assert.equal((await user.call('GET', `/items/${id}`)).status, 404)
  assert.equal(provider.asked.length, 1)
  const states = await world.server.database.read((reader) => reader.all<{ state: string }>("SELECT state FROM holdfast_jobs WHERE kind = 'vault.enrich'"))
  assert.deepEqual(
    states.map(({ state }) => state),
    ['cancelled'],
  )
})

test('VLT-63 With TRASH_DAYS=0 nothing is deleted by itself', async () => {
  await using world = await openTestVault({ environment: { HOLDFAST_VAULT_TRASH_DAYS: '0' } })
  const user = await world.signUp()
  const id = String((await user.call('POST', '/items', { rawText: 'one', enrich: false })).body['id'])
  await user.call('PATCH', `/items/${id}`, { action: 'discard' })
  await work(world)
  world.advance(400 * 86_400_000)
  await work(world)
  const again = await world.server.signIn(user.email)
  assert.equal((await world.send({ method: 'GET', path: `/vault/items/${id}`, headers: again.headers })).body['status'], 'DISCARDED')
})

test('VLT-35 VLT-46 What else goes wrong in a provider is ENRICHMENT_ERROR, and is not quoted', async () => {
  const broken: Provider = { name: 'local', model: null, enrich: () => Promise.reject(new Error('sk-secret: the text was …')), close: async () => {} }
  const input = { text: 'x', article: undefined, language: 'en', knownTags: [] } as const
  await assert.rejects(askProvider(broken, input, { timeoutMs: 1_000, signal: new AbortController().signal, now: () => 0 }), (error) => {
    assert.ok(error instanceof JobFailure)
    assert.deepEqual([error.code, error.final], ['ENRICHMENT_ERROR', false])
    assert.ok(!error.message.includes('sk-secret'))
    return true
  })
})
