import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { compileApp } from '../app/compile-app.ts'
import { defineApp } from '../app/define-app.ts'
import type { Outcome } from '../engine/mutation.ts'
import { diaryApp } from '../testing/diary-app.ts'
import { openTestSpace, type TestMutation, type TestSpace } from '../testing/open-test-space.ts'
import { verifyChain } from './verify-chain.ts'

const put = (id: string, title: string, more: Partial<TestMutation> = {}): TestMutation => ({ collection: 'notes', id, op: 'put', base: 0, data: { title }, ...more })
const told = (outcomes: readonly Outcome[]) => outcomes.map((outcome) => (outcome.status === 'rejected' ? `rejected ${outcome.error.code}` : outcome.status))
const versionOf = (outcome: Outcome | undefined) => outcome?.record?.version ?? 0

test('COM-1 Versions are unique, increase with every commit, and never go back with the clock', async () => {
  await using world = await openTestSpace(diaryApp)
  const versions: number[] = []
  for (let round = 0; round < 5; round += 1) {
    const { outcomes } = await world.push([put(`a${round}`, 'x'), { collection: 'forms', id: `f${round}`, op: 'put', data: { text: 'x' } }])
    versions.push(...outcomes.map(versionOf))
    world.advance(round === 2 ? -60_000 : 1)
  }
  assert.deepEqual(
    versions,
    [...new Set(versions)].toSorted((one, other) => one - other),
  )
  assert.equal(versions[0], (await world.pull()).changes[0]?.version)
  world.advance(3_600_000)
  const late = (await world.push([put('late', 'x')])).outcomes[0]?.record
  assert.equal(late?.version, late?.updatedAt, 'Where writes are few a version is the time of its commit.')
})

test('COM-2 A group stands or falls as one, and its neighbours do not fall with it', async () => {
  await using world = await openTestSpace(diaryApp)
  const group = (id: string, name: string, title: unknown = 'x') => put(id, title as string, { group: name })
  const { outcomes } = await world.push([group('a', 'one'), group('b', 'one', 5), group('c', 'one'), put('d', 'alone'), group('e', 'two'), group('f', 'two')])
  assert.deepEqual(told(outcomes), ['rejected group.aborted', 'rejected record.invalid', 'rejected group.aborted', 'applied', 'applied', 'applied'])
  assert.deepEqual(
    (await world.pull()).changes.map(({ id }) => id),
    ['d', 'e', 'f'],
  )
})

test('COM-3 Several edits of one record in a push build on each other, also after a stale one was merged', async () => {
  await using world = await openTestSpace(diaryApp)
  const first = await world.pushOne(put('a', 'one'))
  await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base: versionOf(first), data: { favorite: true } }, { device: 'other' })
  const base = versionOf(first)
  const { outcomes } = await world.push([
    { collection: 'notes', id: 'a', op: 'patch', base, data: { title: 'two' } },
    { collection: 'notes', id: 'a', op: 'patch', base, data: { title: 'three' } },
    { collection: 'notes', id: 'a', op: 'patch', base, data: { visits: 2 } },
    put('new', 'made'),
    { collection: 'notes', id: 'new', op: 'patch', base: 0, data: { title: 'changed' } },
    { collection: 'notes', id: 'new', op: 'delete', base: 0 },
  ])
  assert.deepEqual(told(outcomes).slice(3), ['applied', 'applied', 'applied'])
  assert.ok(
    told(outcomes)
      .slice(0, 3)
      .every((status) => status === 'merged' || status === 'applied'),
  )
  const [record] = (await world.pull()).changes.filter(({ id }) => id === 'a')
  assert.deepEqual([record?.data?.['title'], record?.data?.['favorite'], record?.data?.['visits']], ['three', true, 2])
})

test('COM-4 The later clock wins whatever arrives first, a future one counts as now, and a tie goes by client', async () => {
  for (const order of [
    [10, 20],
    [20, 10],
  ]) {
    await using world = await openTestSpace(diaryApp)
    const start = world.chance.now() - 1_000
    const made = await world.pushOne({ collection: 'marks', id: 'm', op: 'put', base: 0, at: start, data: { colour: 'none' } })
    for (const at of order) await world.pushOne({ collection: 'marks', id: 'm', op: 'patch', base: versionOf(made), at: start + at, data: { colour: `at ${at}` } }, { device: `device-${at}` })
    assert.equal((await world.pull()).changes[0]?.data?.['colour'], 'at 20')
    await world.pushOne({ collection: 'marks', id: 'm', op: 'patch', base: versionOf(made), at: world.chance.now() + 1e9, data: { colour: 'future' } })
    world.advance(1_000)
    await world.pushOne({ collection: 'marks', id: 'm', op: 'patch', base: versionOf(made), at: world.chance.now(), data: { colour: 'later' } }, { device: 'z' })
    assert.equal((await world.pull()).changes[0]?.data?.['colour'], 'later')
  }
})

test('COM-5 Numbers take effect once and give their outcome again, in any order, batch and process', async () => {
  await using world = await openTestSpace(diaryApp)
  const mutations = [put('a', 'one', { n: 1 }), put('b', '', { n: 2, data: {} }), put('c', 'three', { n: 3 }), { collection: 'sealed', id: 's', op: 'put', data: { value: 'x' }, n: 4 } as TestMutation]
  const options = { clientId: 'phone' }
  const first = await world.push(mutations, options)
  const before = await verifyChain(world.database, world.space)
  await using other = await world.openAgain()
  for (const again of [mutations.toReversed(), mutations.slice(1, 3), mutations]) {
    const { outcomes } = await other.push(again, options)
    assert.deepEqual(
      outcomes.map(({ n, status }) => `${n} ${status}`),
      again.map(({ n }) => `${n} ${first.outcomes.find((outcome) => outcome.n === n)?.status}`),
    )
  }
  assert.deepEqual(await verifyChain(world.database, world.space), before)
  assert.deepEqual(told((await world.push([put('d', 'other', { n: 1 })], { clientId: 'laptop' })).outcomes), ['applied'], 'another client counts for itself')
})

test('COM-6 Of many writes with one base exactly one is applied', async () => {
  await using world = await openTestSpace(diaryApp)
  const made = await world.pushOne({ collection: 'forms', id: 'f', op: 'put', base: 0, data: { text: 'first' } })
  await using other = await world.openAgain()
  const writers = Array.from({ length: 20 }, (_, index) =>
    (index % 2 === 0 ? world : other).pushOne({ collection: 'forms', id: 'f', op: 'patch', base: versionOf(made), data: { text: `by ${index}` } }, { device: `d${index}` }),
  )
  const statuses = (await Promise.all(writers)).map(({ status }) => status)
  assert.deepEqual([statuses.filter((status) => status === 'applied').length, statuses.filter((status) => status === 'conflict').length], [1, 19])
})

/** Reads from the start to a checkpoint behind the moment when `done` was true; checks the order on the way. */
async function follow(world: TestSpace, done: () => boolean): Promise<Map<string, number>> {
  const seen = new Map<string, number>()
  let last = 0
  for (let cursor: string | undefined; ;) {
    const wasDone = done()
    const page = await world.pull({ limit: 7, ...(cursor === undefined ? {} : { cursor }) })
    for (const { collection: name, id, version } of page.changes) {
      assert.ok(version > last, `${version} behind ${last}`)
      last = version
      seen.set(`${name}/${id}`, version)
    }
    ;({ cursor } = page)
    if (wasDone && !page.more) return seen
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('COM-7 Readers that loop while many write see every change, each in order, and end with the final state', async () => {
  await using world = await openTestSpace(diaryApp)
  await using other = await world.openAgain()
  let written = false
  const readers = [world, other, world, other].map((place) => follow(place, () => written))
  const writers = Array.from({ length: 10 }, async (_, writer) => {
    for (let round = 0; round < 15; round += 1)
      await (writer % 2 === 0 ? world : other).push(
        [put(`w${writer}-${round}`, 'x'), put('shared', `${writer}-${round}`), { collection: 'forms', id: `w${writer}-${round}`, op: 'put', data: { text: 'x' } }],
        { device: `d${writer}` },
      )
  })
  await Promise.all(writers)
  written = true
  const final = await follow(world, () => true)
  assert.equal(final.size, 301)
  for (const seen of await Promise.all(readers)) assert.deepEqual(Object.fromEntries(seen), Object.fromEntries(final))
})

const shop = compileApp(
  defineApp({
    name: 'shop',
    collections: {
      orders: collection(z.object({ item: z.string(), count: z.int(), state: z.string().default('new') }), { server: ['state'] }),
      ledger: collection(z.object({ order: z.string(), change: z.int() }), { access: { write: 'nobody' } }),
    },
  }),
)

test('COM-8 A rule refuses, fills in what the server owns, and adds writes that stand or fall with its own', async () => {
  await using world = await openTestSpace(shop, {
    rules: {
      orders: ({ id, next, operation }) => {
        if (operation === 'delete') return { kind: 'accept' }
        if (Number(next['count']) > 10) return { kind: 'refuse', code: 'shop.too_many', message: 'At most ten.' }
        return {
          kind: 'accept',
          fields: { state: 'booked' },
          also: [{ collection: 'ledger', id: `of-${id}`, op: 'put', data: { order: id, change: next['item'] === 'broken' ? ('x' as never) : -Number(next['count']) } }],
        }
      },
    },
  })
  const order = (id: string, count: number, item = 'tea'): TestMutation => ({ collection: 'orders', id, op: 'put', base: 0, data: { item, count } })
  const { outcomes } = await world.push([
    order('a', 2),
    order('b', 11),
    order('c', 3, 'broken'),
    { collection: 'ledger', id: 'mine', op: 'put', data: { order: 'a', change: 5 } },
    { collection: 'orders', id: 'd', op: 'put', base: 0, data: { item: 'tea', count: 1, state: 'paid' } },
  ])
  assert.deepEqual(told(outcomes), ['applied', 'rejected shop.too_many', 'rejected record.invalid', 'rejected access.forbidden', 'rejected field.read_only'])
  assert.deepEqual(
    (await world.pull()).changes.map(({ id, data }) => [id, data?.['state'] ?? data?.['change']]),
    [
      ['a', 'booked'],
      ['of-a', -2],
    ],
  )
})
