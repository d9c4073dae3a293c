import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statuses, type Status } from './app.ts'
import { openTestVault, type TestUser, type TestVault } from './open-test-vault.ts'
import { intentContext } from './rules/item-intent.ts'
import { allowedActions, isAllowed, stateAfter, type Action } from './transitions.ts'

/** What the worker brings, without a provider. */
async function work(world: TestVault, user: TestUser, id: string, data: Readonly<Record<string, string | number | null | readonly Readonly<Record<string, string | number>>[]>>): Promise<void> {
  const scope = await world.scopeOf(user)
  const context = intentContext({ by: 'worker', from: [...statuses] })
  const { outcomes } = await world.server.context.commit(scope, {
    mutations: [{ collection: 'items', id, op: 'patch', base: 'any', sent: data, trusted: true, context }],
    keepRejected: false,
    keepConflicts: false,
  })
  assert.equal(outcomes[0]?.status, 'applied')
}

const suggestedTags = ['One', 'two', 'three'].map((name, index) => ({ id: `s${index}`, name, confidence: 0.5, status: 'PENDING' }))
const ready = { status: 'READY_TO_CONFIRM', title: 'Found', summary: 'It was found.', sourceType: 'NOTE', outcome: 'done', attempts: 1, suggestedTags }

/** A fresh item in a state. */
async function itemIn(world: TestVault, user: TestUser, status: Status): Promise<string> {
  const id = String((await user.call('POST', '/items', { rawText: 'First line\nsecond' })).body['id'])
  if (status === 'ENRICHING') return id
  if (status === 'FAILED') await work(world, user, id, { status: 'FAILED', outcome: 'failed', errorCode: 'LLM_TIMEOUT', errorMessage: 'Too slow.', attempts: 3 })
  else await work(world, user, id, ready)
  if (status === 'ARCHIVED') await user.call('PATCH', `/items/${id}`, { action: 'confirm' })
  if (status === 'DISCARDED') await user.call('PATCH', `/items/${id}`, { action: 'discard' })
  return id
}

function act(user: TestUser, id: string, action: Action, body: Readonly<Record<string, unknown>> = {}) {
  const isRoute = action === 'retry' || action === 'cancel' || action === 'restore' || action === 'enrich'
  return isRoute ? user.call('POST', `/items/${id}/${action}`) : user.call('PATCH', `/items/${id}`, { action, ...body })
}

function nowOf({ server }: TestVault): string {
  return new Date(server.chance.now()).toISOString()
}

async function liveJobs(world: TestVault): Promise<number> {
  return (await world.server.database.read((reader) => reader.all("SELECT id FROM holdfast_jobs WHERE state IN ('later', 'ready', 'running')"))).length
}

test('VLT-23 Every action in every state is answered as the table says', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  for (const status of statuses) {
    for (const action of ['confirm', 'discard', 'edit', 'archive', 'retry', 'cancel', 'restore', 'enrich'] as const) {
      const id = await itemIn(world, user, status)
      const before = (await user.call('GET', `/items/${id}`)).body
      assert.equal(before['status'], status)
      const answer = await act(user, id, action)
      const place = `${status} ${action}`
      if (isAllowed(status, action)) {
        assert.deepEqual([answer.status, answer.body['status']], [action === 'enrich' ? 202 : 200, stateAfter(status, action, 'READY_TO_CONFIRM')], place)
        continue
      }
      if (action === 'retry') assert.deepEqual([answer.status, answer.body.error.code, answer.body.error.details], [400, 'INVALID_STATE', { currentState: status }], place)
      else
        assert.deepEqual(
          [answer.status, answer.body.error.code, answer.body.error.details],
          [409, 'INVALID_STATE_TRANSITION', { currentState: status, attemptedAction: action, allowedActions: allowedActions(status) }],
          place,
        )
      assert.deepEqual((await user.call('GET', `/items/${id}`)).body, before, place)
    }
  }
  const id = await itemIn(world, user, 'READY_TO_CONFIRM')
  for (const action of ['CONFIRM', 'retry', 'delete', '', 7, null, {}]) {
    const answer = await user.call('PATCH', `/items/${id}`, { action })
    if (action === null) assert.equal(answer.status, 200)
    else assert.deepEqual([answer.status, answer.body.error.code], [400, 'VALIDATION_ERROR'], String(action))
  }
})

test('VLT-5 What is missing, malformed or of another person is 404 on every route of an item', async () => {
  await using world = await openTestVault()
  const [ada, bob] = [await world.signUp(), await world.signUp()]
  const his = await itemIn(world, bob, 'READY_TO_CONFIRM')
  for (const id of [his, 'never', '%00', 'a%20b', '..%2Fitems', 'x'.repeat(129), '%F0%9F%8E%92']) {
    const requests: readonly (readonly [string, string, unknown?])[] = [
      ['GET', `/items/${id}`],
      ['PATCH', `/items/${id}`, { action: 'confirm' }],
      ['POST', `/items/${id}/retry`],
      ['POST', `/items/${id}/cancel`],
      ['POST', `/items/${id}/restore`],
      ['POST', `/items/${id}/enrich`],
      ['DELETE', `/items/${id}`],
    ]
    for (const [method, path, body] of requests) {
      const answer = await ada.call(method, path, body)
      assert.deepEqual([answer.status, answer.body.error.code], [404, 'NOT_FOUND'], `${method} ${path}`)
    }
  }
  assert.equal((await bob.call('GET', `/items/${his}`)).body['status'], 'READY_TO_CONFIRM')
})

test('VLT-6 An empty body with a JSON content type is fine where none is needed', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const id = await itemIn(world, user, 'ENRICHING')
  const json = { 'content-type': 'application/json' }
  const statusesOf = []
  for (const [method, path] of [['GET', ''], ['POST', '/cancel'], ['POST', '/retry'], ['DELETE', '']] as const) statusesOf.push((await user.call(method, `/items/${id}${path}`, undefined, json)).status) // prettier-ignore
  assert.deepEqual(statusesOf, [200, 200, 200, 204])
})

test('VLT-24 Confirming takes what is sent with it: names become tags or find them, in any case', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const bare = await itemIn(world, user, 'READY_TO_CONFIRM')
  const confirmed = (await act(user, bare, 'confirm')).body
  assert.deepEqual([confirmed['tags'], confirmed['title'], confirmed['summary']], [[], 'Found', 'It was found.'])
  assert.equal(confirmed['confirmedAt'], nowOf(world))

  const id = await itemIn(world, user, 'READY_TO_CONFIRM')
  const { body } = await act(user, id, 'confirm', { title: ' Mine ', tags: ['#Books', 'books', 'to  read'], acceptedSuggestionIds: ['s0'], rejectedSuggestionIds: ['s1'] })
  const tags = body['tags'] as readonly { readonly id: string; readonly name: string; readonly color: string }[]
  assert.deepEqual([body['title'], tags.map(({ name }) => name)], ['Mine', ['Books', 'to read', 'One']])
  const [books, , one] = tags
  const suggestions = body['suggestedTags'] as readonly { readonly id: string; readonly status: string; readonly tagId?: string }[]
  assert.deepEqual(
    suggestions.map(({ status, tagId }) => [status, tagId]),
    [
      ['ACCEPTED', one?.id],
      ['REJECTED', undefined],
      ['PENDING', undefined],
    ],
  )
  const another = await itemIn(world, user, 'READY_TO_CONFIRM')
  const reused = (await act(user, another, 'confirm', { tags: ['BOOKS', 'ｏｎｅ'], addedTagIds: [tags[1]?.id], removedTagIds: [one?.id] })).body['tags']
  assert.deepEqual(reused, [books, tags[1]])
  const edited = (await act(user, another, 'edit', { tagIds: [one?.id, one?.id] })).body['tags']
  assert.deepEqual(edited, [one])
  // A client that sends back what it has read changes nothing.
  const read = await user.call('GET', `/items/${another}`)
  assert.deepEqual((await user.call('PATCH', `/items/${another}`, read.body)).body, read.body)
})

test('VLT-25 A change that is refused leaves nothing behind', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const id = await itemIn(world, user, 'READY_TO_CONFIRM')
  const pulled = async () => (await user.call('GET', '/api/v1/vault/pull')).body['changes']
  const before = await pulled()
  for (const body of [
    { action: 'confirm', tags: ['new'], title: 'x'.repeat(256) },
    { action: 'confirm', tags: ['new'], acceptedSuggestionIds: ['unknown'] },
    { action: 'confirm', tags: ['new'], removedTagIds: ['unknown'] },
    { action: 'archive', tags: ['new'] },
    { action: 'confirm', tags: ['new', ' # '] },
    { action: 'confirm', tags: Array.from({ length: 51 }, (_, index) => `t${index}`) },
    { action: 'edit', title: 'other', acceptProposal: true },
  ])
    assert.ok((await user.call('PATCH', `/items/${id}`, body)).status >= 400, JSON.stringify(body))
  assert.deepEqual(await pulled(), before)
})

test('VLT-26 An unknown suggestion or tag, or one in both lists, is refused', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const id = await itemIn(world, user, 'READY_TO_CONFIRM')
  for (const [body, field] of [
    [{ acceptedSuggestionIds: ['nope'] }, 'acceptedSuggestionIds'],
    [{ rejectedSuggestionIds: ['nope'] }, 'rejectedSuggestionIds'],
    [{ acceptedSuggestionIds: ['s0'], rejectedSuggestionIds: ['s0'] }, 'rejectedSuggestionIds'],
    [{ addedTagIds: ['nope'] }, 'addedTagIds'],
    [{ removedTagIds: ['nope'] }, 'removedTagIds'],
    [{ tagIds: ['nope'] }, 'tagIds'],
    [{ tags: 'nope' }, 'tags'],
    [{ tags: [1] }, 'tags'],
    [{ tags: ['x'.repeat(51)] }, 'tags'],
    [{ acceptProposal: 'yes' }, 'acceptProposal'],
    [{ acceptProposal: true }, 'acceptProposal'],
  ] as const) {
    const answer = await user.call('PATCH', `/items/${id}`, body)
    assert.deepEqual([answer.status, answer.body.error.code], [400, 'VALIDATION_ERROR'], field)
    assert.deepEqual(
      (answer.body.error.details['errors'] as readonly { readonly field: string }[]).map((problem) => problem.field),
      [field],
    )
  }
  const accepted = await user.call('PATCH', `/items/${id}`, { acceptedSuggestionIds: ['s1'], rejectedSuggestionIds: ['s2'] })
  assert.deepEqual([accepted.status, accepted.body['status']], [200, 'READY_TO_CONFIRM'])
  const again = await user.call('PATCH', `/items/${id}`, { acceptedSuggestionIds: ['s1'] })
  assert.deepEqual(again.body, accepted.body)
})

test('VLT-27 Of confirms that come together one is taken; with a discard beside them the item ends discarded', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const id = await itemIn(world, user, 'READY_TO_CONFIRM')
  const answers = await Promise.all(Array.from({ length: 10 }, () => act(user, id, 'confirm', { tags: ['same'] })))
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((one, other) => one - other),
    [200, ...Array.from({ length: 9 }, () => 409)],
  )
  for (const order of [
    ['confirm', 'discard'],
    ['discard', 'confirm'],
  ] as const) {
    const racing = await itemIn(world, user, 'READY_TO_CONFIRM')
    await Promise.all(order.map((action) => act(user, racing, action)))
    assert.equal((await user.call('GET', `/items/${racing}`)).body['status'], 'DISCARDED')
  }
})

test('VLT-28 An edit changes what was sent; null clears the summary and puts the first line back as title', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  for (const status of ['READY_TO_CONFIRM', 'ARCHIVED'] as const) {
    const id = await itemIn(world, user, status)
    const before = await liveJobs(world)
    const edited = (await user.call('PATCH', `/items/${id}`, { title: 'New', summary: null, originalText: ' Other text ' })).body
    assert.deepEqual([edited['status'], edited['title'], edited['summary'], edited['rawText']], [status, 'New', null, 'Other text'])
    const reset = (await user.call('PATCH', `/items/${id}`, { title: null })).body
    assert.deepEqual([reset['title'], reset['rawText']], ['Other text', 'Other text'])
    for (const body of [
      { title: ' ' },
      { title: 'x'.repeat(256) },
      { title: 5 },
      { rawText: '' },
      { rawText: null },
      { rawText: 'x'.repeat(10_001) },
      { summary: 'x'.repeat(5_001) },
      { summary: '' },
      { title: '\u0000' },
    ]) {
      const answer = await user.call('PATCH', `/items/${id}`, body)
      assert.deepEqual([answer.status, answer.body.error.code], [400, 'VALIDATION_ERROR'], JSON.stringify(body).slice(0, 60))
    }
    assert.equal(await liveJobs(world), before)
  }
})

test('VLT-29 A discarded item leaves the list of what is pending, and its job ends', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const id = await itemIn(world, user, 'READY_TO_CONFIRM')
  await act(user, id, 'enrich')
  const jobs = await liveJobs(world)
  const { body } = await act(user, id, 'discard')
  assert.equal(body['discardedAt'], nowOf(world))
  assert.deepEqual([await liveJobs(world), (await user.call('GET', '/items/pending')).body['total']], [jobs - 1, 0])
})

test('VLT-30 A retry clears the error and starts one run; of several one is taken', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const id = await itemIn(world, user, 'FAILED')
  const failed = (await user.call('GET', `/items/${id}`)).body
  const before = await liveJobs(world)
  const answers = await Promise.all(Array.from({ length: 5 }, () => act(user, id, 'retry')))
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((one, other) => one - other),
    [200, 400, 400, 400, 400],
  )
  const { body } = await user.call('GET', `/items/${id}`)
  assert.deepEqual([body['status'], body['enrichment']], ['ENRICHING', { attempts: 0, outcome: null, errorCode: null, errorMessage: null, nextAttemptAt: null, provider: null, model: null }])
  assert.ok(Number(body['version']) > Number(failed['version']))
  // The job of the capture is live still, as no worker ran: a retry takes its place.
  assert.equal(await liveJobs(world), before)
})

test('VLT-31 A cancelled item has failed, says so, and its job ends', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const id = await itemIn(world, user, 'ENRICHING')
  const { status, body } = await act(user, id, 'cancel')
  assert.deepEqual(
    [status, body['status'], body['enrichment']],
    [200, 'FAILED', { attempts: 0, outcome: 'cancelled', errorCode: 'CANCELLED', errorMessage: 'Cancelled.', nextAttemptAt: null, provider: null, model: null }],
  )
  assert.equal(await liveJobs(world), 0)
})

test('VLT-32 Archiving what has failed keeps it without the AI', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const { body } = await act(user, await itemIn(world, user, 'FAILED'), 'archive')
  assert.deepEqual([body['status'], body['enrichmentMode'], body['title'], body['summary'], body['sourceType']], ['ARCHIVED', 'MANUAL', 'First line', null, 'NOTE'])
  assert.equal(body['confirmedAt'], nowOf(world))
  const titled = await act(user, await itemIn(world, user, 'FAILED'), 'archive', { title: 'Own' })
  assert.equal(titled.body['title'], 'Own')
})
