import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Outcome } from '../engine/mutation.ts'
import { limits } from '../protocol/limits.ts'
import { diaryApp } from '../testing/diary-app.ts'
import { openTestSpace, type TestMutation } from '../testing/open-test-space.ts'
import { listConflicts } from './conflict-store.ts'

const put = (id: string, title: string, more: Partial<TestMutation> = {}): TestMutation => ({ collection: 'notes', id, op: 'put', base: 0, data: { title }, ...more })
const patch = (id: string, base: number, data: NonNullable<TestMutation['data']>, more: Partial<TestMutation> = {}): TestMutation => ({ collection: 'notes', id, op: 'patch', base, data, ...more })
const told = (outcomes: readonly Outcome[]) => outcomes.map((outcome) => (outcome.status === 'rejected' ? `rejected ${outcome.error.code}` : outcome.status))
const versionOf = (outcome: Outcome | undefined) => outcome?.record?.version ?? 0

test('COM-2 What a failed group answers is the record as the server has it, never what was taken back', async () => {
  await using world = await openTestSpace(diaryApp)
  const { record } = await world.pushOne(put('a', 'stored'))
  const base = record?.version ?? 0
  const other = versionOf(await world.pushOne(put('b', 'replayed', { n: 1 }), { clientId: 'phone' }))
  const { outcomes } = await world.push(
    [
      patch('a', base, { title: 'taken back' }, { group: 'g', n: 2 }),
      put('new', 'taken back', { group: 'g', n: 3 }),
      patch('b', other, { title: 'taken back' }, { group: 'g', n: 4 }),
      put('b', 'replayed', { group: 'g', n: 1 }),
      patch('a', base + 1_000_000, { title: 'ahead' }, { group: 'g', n: 5 }),
      patch('new', base + 1_000_000, { title: 'ahead' }, { group: 'g', n: 6 }),
    ],
    { clientId: 'phone' },
  )
  assert.deepEqual(told(outcomes), ['rejected group.aborted', 'rejected group.aborted', 'rejected group.aborted', 'applied', 'rejected base.ahead', 'rejected base.ahead'])
  assert.deepEqual(
    outcomes.map((outcome) => outcome.record?.fields['title']),
    ['stored', undefined, 'replayed', 'replayed', 'stored', undefined],
  )
})

test('COM-2 A conflict of a failed group has the stored record as its server side', async () => {
  await using world = await openTestSpace(diaryApp)
  const base = versionOf(await world.pushOne(put('a', 'base')))
  const server = await world.pushOne(patch('a', base, { title: 'server' }), { device: 'other' })
  const { outcomes } = await world.push([patch('a', base, { favorite: true }, { group: 'g' }), patch('a', base, { title: 'client' }, { group: 'g' })])
  assert.deepEqual(told(outcomes), ['rejected group.aborted', 'conflict'])
  const [row] = await world.database.read(async (reader) => (await listConflicts(reader, { space: world.space, collections: undefined, state: 'open', after: undefined, limit: 9 })).rows)
  assert.equal(row?.serverVersion, versionOf(server))
  assert.deepEqual([JSON.parse(row?.server ?? '{}').favorite, outcomes[1]?.record?.version], [false, versionOf(server)])
})

test('COM-5 One number twice in a push, also within a group, takes effect once', async () => {
  await using world = await openTestSpace(diaryApp)
  for (const group of [undefined, 'g']) {
    const id = `of-${group}`
    const more = (n: number) => ({ n: group === undefined ? n : n + 10, ...(group === undefined ? {} : { group }) })
    const { outcomes } = await world.push([put(id, 'first', more(1)), patch(id, 0, { title: 'second' }, more(2)), put(id, 'first', more(1))], { clientId: 'phone' })
    assert.deepEqual(told(outcomes), ['applied', 'applied', 'applied'])
    assert.deepEqual(
      (await world.pull()).changes.filter((change) => change.id === id).map(({ data }) => data?.['title']),
      ['second'],
    )
  }
})

test('COM-3 An edit builds on an earlier one of its push that had been decided before', async () => {
  for (const numbered of [true, false]) {
    await using world = await openTestSpace(diaryApp)
    const options = numbered ? { clientId: 'phone' } : {}
    const n = (number: number) => (numbered ? { n: number } : {})
    const base = versionOf(await world.pushOne(put('a', 'base')))
    const one = patch('a', base, { title: 'one' }, n(1))
    const made = put('new', 'one', n(2))
    await world.push([one, made], options)
    // The answer was lost; the client has gone on, and sends all that it has.
    const { outcomes } = await world.push([one, made, patch('a', base, { title: 'two' }, n(3)), patch('new', 0, { title: 'two' }, n(4))], options)
    assert.deepEqual(told(outcomes).slice(2), ['applied', 'applied'])
    assert.deepEqual(
      (await world.pull()).changes.map(({ data }) => data?.['title']),
      ['two', 'two'],
    )
  }
})

test('COM-3 What others wrote after an edit that comes again is not overwritten by the edit behind it', async () => {
  await using world = await openTestSpace(diaryApp)
  const options = { clientId: 'phone' }
  const base = versionOf(await world.pushOne(put('a', 'base')))
  const gone = versionOf(await world.pushOne(put('gone', 'base')))
  const [one, two] = [patch('a', base, { title: 'one' }, { n: 1 }), patch('gone', gone, { title: 'one' }, { n: 2 })]
  const first = await world.push([one, two], options)
  await world.push([patch('a', versionOf(first.outcomes[0]), { title: 'theirs', favorite: true }), { collection: 'notes', id: 'gone', op: 'delete', base: versionOf(first.outcomes[1]) }], {
    device: 'other',
  })
  const again = [one, two, patch('a', base, { visits: 3 }, { n: 3 }), patch('a', base, { title: 'mine' }, { n: 4 }), patch('gone', gone, { title: 'mine' }, { n: 5 })]
  assert.deepEqual(told((await world.push(again, options)).outcomes).slice(2), ['merged', 'conflict', 'conflict'])
  const [record] = (await world.pull()).changes
  assert.deepEqual([record?.data?.['title'], record?.data?.['favorite'], record?.data?.['visits']], ['theirs', true, 3])
})

test('CONF-1 An edit that conflicts stays open when a later one of its push, made without seeing more, is accepted', async () => {
  await using world = await openTestSpace(diaryApp)
  const open = () => world.database.read(async (reader) => (await listConflicts(reader, { space: world.space, collections: undefined, state: 'open', after: undefined, limit: 9 })).rows)
  const base = versionOf(await world.pushOne(put('a', 'base')))
  await world.pushOne(patch('a', base, { title: 'theirs' }), { device: 'other' })
  const { outcomes } = await world.push([patch('a', base, { title: 'mine' }), patch('a', base, { favorite: true }), patch('a', base, { title: 'mine too', score: 2 }), patch('a', base, { visits: 3 })])
  assert.deepEqual(told(outcomes), ['conflict', 'merged', 'conflict', 'merged'])
  const [row, ...more] = await open()
  assert.ok(row !== undefined && outcomes[0]?.status === 'conflict')
  assert.deepEqual([row.id, more], [outcomes[0].conflictId, []])
  assert.deepEqual(JSON.parse(row.clientFields ?? '{}'), { title: 'mine too', score: 2 })
  assert.equal(row.serverVersion, versionOf(outcomes[3]))
  // Made with the server's side in sight, it takes the place of the conflict.
  const seen = await world.push([patch('a', base, { title: 'again' }), patch('a', versionOf(outcomes[3]), { title: 'settled' })])
  assert.deepEqual(told(seen.outcomes), ['conflict', 'applied'])
  assert.deepEqual(await open(), [])
})

test('CONF-1 Several conflicting edits of a push are one side', async () => {
  await using world = await openTestSpace(diaryApp)
  const made = versionOf(await world.pushOne(put('a', 'base', { data: { title: 'base', score: 1 } })))
  await world.pushOne(patch('a', made, { title: 'theirs', score: 2 }), { device: 'other' })
  const { outcomes } = await world.push([patch('a', made, { title: 'mine' }), patch('a', made, { score: 3 })])
  assert.deepEqual(told(outcomes), ['conflict', 'conflict'])
  const [row] = await world.database.read(async (reader) => (await listConflicts(reader, { space: world.space, collections: undefined, state: 'open', after: undefined, limit: 9 })).rows)
  assert.deepEqual(JSON.parse(row?.clientFields ?? '{}'), { title: 'mine', score: 3 })
})

test('CONF-1 A conflict whose answer was lost stays open when it comes again with a later edit', async () => {
  await using world = await openTestSpace(diaryApp)
  const base = versionOf(await world.pushOne(put('a', 'base')))
  await world.pushOne(patch('a', base, { title: 'theirs' }), { device: 'other' })
  const first = patch('a', base, { title: 'mine' }, { n: 1 })
  await world.push([first], { clientId: 'phone' })
  const { outcomes } = await world.push([first, patch('a', base, { favorite: true }, { n: 2 })], { clientId: 'phone' })
  assert.deepEqual(told(outcomes), ['conflict', 'merged'])
  const [row] = await world.database.read(async (reader) => (await listConflicts(reader, { space: world.space, collections: undefined, state: 'open', after: undefined, limit: 9 })).rows)
  assert.deepEqual(JSON.parse(row?.clientFields ?? '{}'), { title: 'mine' })
})

test('COM-13 A client that leaves ever more gaps in its numbers is refused, and goes on when it has sent what it left out', async () => {
  await using world = await openTestSpace(diaryApp)
  const mark = (n: number) => ({ n, collection: 'marks', id: `m${n}`, data: { colour: 'red' } })
  await world.push([mark(1)], { clientId: 'c' })
  const gaps = Array.from({ length: limits.NUMBER_GAPS_MAX }, (_, index) => [2 * index + 1, 2 * index + 1])
  await world.database.write((tx) => tx.run('UPDATE holdfast_clients SET decided = ?', [JSON.stringify(gaps)]))
  const last = 2 * limits.NUMBER_GAPS_MAX - 1
  await assert.rejects(world.push([mark(last + 2)], { clientId: 'c' }), { code: 'request.invalid' })
  const { changes } = await world.pull()
  assert.deepEqual(
    changes.map(({ id }) => id),
    ['m1'],
  )
  assert.equal((await world.push([mark(2)], { clientId: 'c' })).outcomes[0]?.status, 'applied')
  assert.equal((await world.push([mark(last + 2)], { clientId: 'c' })).outcomes[0]?.status, 'applied')
})

test('COM-14 A client that never says what it has heard is refused once too many answers are kept, and goes on when it does', async () => {
  await using world = await openTestSpace(diaryApp)
  const mark = (n: number) => ({ n, collection: 'marks', id: 'm', data: { colour: 'red' } })
  const statusOf = async (n: number, ackedThrough?: number) => (await world.push([mark(n)], { clientId: 'c', ...(ackedThrough === undefined ? {} : { ackedThrough }) })).outcomes[0]?.status
  assert.equal(await statusOf(1), 'applied')
  assert.equal(await statusOf(2), 'unchanged')
  const max = limits.KEPT_OUTCOMES_MAX
  await world.database.write(async (tx) => {
    const [stored] = await tx.all<{ client: string }>('SELECT client FROM holdfast_clients')
    const rows = Array.from({ length: max - 1 }, (_, index) => [world.space, stored?.client ?? '', index + 3, '{"status":"unchanged","collection":"marks","id":"m"}'])
    await tx.insertMany({ table: 'holdfast_outcomes', columns: ['space', 'client', 'n', 'outcome'], rows })
    await tx.run('UPDATE holdfast_clients SET decided = ?', [JSON.stringify([[1, max + 1]])])
  })
  await assert.rejects(statusOf(max + 2), { code: 'request.invalid', message: /ackedThrough/ })
  assert.equal(await statusOf(2), 'unchanged')
  assert.equal((await world.push([{ ...mark(max + 3), id: 'other' }], { clientId: 'c' })).outcomes[0]?.status, 'applied')
  assert.equal(await statusOf(max + 2, 2), 'unchanged')
  assert.equal(await statusOf(max + 2), 'unchanged')
})

test('COM-10 Refused edits are kept for their author up to a limit, whatever clients it names', async () => {
  await using world = await openTestSpace(diaryApp)
  for (const clientId of ['one', 'two', 'three']) {
    const mutations = Array.from({ length: 400 }, (_, index) => ({ n: index + 1, collection: 'marks', id: `m${index}`, data: { colour: 'x'.repeat(index === 0 ? 100_000 : 1) } }))
    const { outcomes } = await world.push(mutations, { clientId, role: 'viewer' })
    assert.ok(outcomes.every(({ status }) => status === 'rejected'))
  }
  const [kept] = await world.database.read((reader) => reader.all<{ count: number; longest: number }>('SELECT count(*) AS count, max(length(mutation)) AS longest FROM holdfast_rejected'))
  assert.deepEqual([kept?.count, kept?.longest], [limits.REJECTED_ROWS_MAX, limits.VIEWER_REJECTED_CHARS_MAX])
})
