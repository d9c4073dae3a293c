import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineJob } from '../jobs/define-job.ts'
import { openTestJobs, type TestJobs } from '../testing/open-test-jobs.ts'
import type { CommitResult, Idempotency } from './commit-request.ts'

/** Makes an item under a key, as a route would; the answer tells the item's version. */
function make(world: TestJobs, id: string, options: Partial<Idempotency> = {}): Promise<CommitResult> {
  const mutation = { collection: 'items', id, op: 'put', base: 0, sent: { name: id }, complete: { name: id, state: 'new' } } as const
  const answer: Idempotency['answer'] = ({ outcomes: [outcome] }) => (outcome?.status === 'applied' ? { status: 201, body: `${outcome.record?.version}` } : undefined)
  return world.commit({ mutations: [mutation], atomic: true, idempotency: { key: 'k', fingerprint: id, answer, ...options } })
}

async function keptAnswers(world: TestJobs): Promise<number> {
  return (await world.database.read((reader) => reader.all('SELECT key FROM holdfast_idempotency'))).length
}

test('IDEM-1 The same request under the same key gets its first answer again and has no second effect', async () => {
  await using world = await openTestJobs()
  const first = await make(world, 'one')
  await world.commit({ mutations: [{ collection: 'items', id: 'one', op: 'delete', base: 'any', sent: {} }] })
  const again = await make(world, 'one')
  assert.deepEqual(again.replayed, { status: 201, body: String(first.version) })
  assert.deepEqual(again.outcomes, [])
  assert.notEqual((await world.store.records('shop', world.space).get('items', 'one'))?.deletedAt, null)
})

test('IDEM-1 A key belongs to its space', async () => {
  await using world = await openTestJobs()
  const bob = await world.addSpace('bob')
  await make(world, 'one')
  const answer: Idempotency['answer'] = () => ({ status: 200, body: 'his' })
  assert.equal((await world.commit({ idempotency: { key: 'k', fingerprint: 'x', answer } }, bob)).replayed, undefined)
})

test('IDEM-1 Who writes has keys of their own, unless the app has a space share them', async () => {
  await using world = await openTestJobs()
  const first = await make(world, 'one', { shared: true })
  assert.equal((await make(world, 'two')).replayed, undefined)
  const answer: Idempotency['answer'] = () => ({ status: 200, body: 'another' })
  const byKey = (shared: { readonly shared?: true }) => world.commit({ idempotency: { key: 'k', fingerprint: 'one', answer, ...shared } }, world.space, { type: 'key', id: 'k1', name: 'script' })
  assert.equal((await byKey({})).replayed, undefined)
  assert.equal((await byKey({ shared: true })).replayed?.body, String(first.version))
})

test('IDEM-2 Of requests under one key that come together one has an effect and all get its answer', async () => {
  await using world = await openTestJobs()
  const results = await Promise.all(Array.from({ length: 20 }, () => make(world, 'one')))
  const [only, ...others] = results.filter(({ replayed }) => replayed === undefined)
  assert.deepEqual(others, [])
  assert.ok(results.every(({ replayed }) => replayed === undefined || replayed.body === String(only?.version)))
})

test('IDEM-3 Another request under a used key is refused, or gets the first answer where that is wanted; a refused one leaves the key unused', async () => {
  await using world = await openTestJobs()
  const refused = await world.commit({
    mutations: [{ collection: 'none', id: 'x', op: 'put', base: 0, sent: {} }],
    atomic: true,
    idempotency: { key: 'k', fingerprint: 'x', answer: ({ outcomes: [outcome] }) => (outcome?.status === 'rejected' ? undefined : { status: 200, body: '' }) },
  })
  assert.equal(refused.outcomes[0]?.status, 'rejected')
  const first = await make(world, 'one')
  assert.equal(first.replayed, undefined)
  await assert.rejects(make(world, 'two'), { code: 'idempotency.mismatch' })
  const replayed = await make(world, 'two', { mismatch: 'replay' })
  assert.equal(replayed.replayed?.body, String(first.version))
  assert.equal(await world.store.records('shop', world.space).get('items', 'two'), undefined)
})

test('IDEM-4 An answer is kept a day, or as long as asked; then the key is as good as new, and the answer is removed', async () => {
  await using world = await openTestJobs()
  await make(world, 'one')
  world.advance(86_399_999)
  assert.notEqual((await make(world, 'one')).replayed, undefined)
  world.advance(1)
  assert.equal((await make(world, 'two', { lifeMs: 1_000 })).replayed, undefined)
  assert.notEqual((await make(world, 'two')).replayed, undefined)
  assert.equal(await keptAnswers(world), 1)
  world.advance(1_000)
  await world.worker({ note: defineJob(z.null(), async () => ({ kind: 'done' })) }).runOnce()
  assert.equal(await keptAnswers(world), 0)
})
