import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fields } from '../app/conflict-policy.ts'
import type { Outcome } from '../engine/mutation.ts'
import { diaryApp } from '../testing/diary-app.ts'
import { openTestSpace, type PushOptions, type TestMutation } from '../testing/open-test-space.ts'
import { listRejected } from './rejected-store.ts'

const told = (outcome: Outcome | undefined) => (outcome?.status === 'rejected' ? `rejected ${outcome.error.code}` : outcome?.status)

test('COM-15 What was refused is settled by a later write of the same client that says all of it, and by no other', async () => {
  await using world = await openTestSpace(diaryApp)
  const refused = async () => (await world.database.read((reader) => listRejected(reader, { space: world.space, author: undefined, after: undefined, limit: 100 }))).rows.length
  let version = 0
  const write = async (op: 'put' | 'patch' | 'delete', data?: Fields, options: PushOptions = {}) => {
    const outcome = await world.pushOne({ collection: 'notes', id: 'a', op, base: version, ...(data === undefined ? {} : { data }) }, options)
    version = outcome.record?.version ?? version
    return told(outcome)
  }
  const patches = async (...all: readonly Fields[]) => {
    const { outcomes } = await world.push(all.map((data): TestMutation => ({ collection: 'notes', id: 'a', op: 'patch', base: version, data })))
    version = outcomes.at(-1)?.record?.version ?? version
  }
  await write('put', { title: 'a', favorite: true })
  const wrong = { title: 'x'.repeat(201), visits: 3 }
  const settling: readonly (readonly [op: 'put' | 'patch' | 'delete', data: Fields | undefined])[] = [
    ['patch', { title: 'b', visits: 4 }],
    ['put', { title: 'c', visits: 5 }],
    ['delete', undefined],
  ]
  for (const [op, data] of settling) {
    assert.equal(await write('patch', wrong), 'rejected record.invalid')
    for (const other of [{ body: 'x' }, { title: 'd' }, { visits: 5 }, { tags: [op] }]) {
      await write('patch', other)
      assert.equal(await refused(), 1, JSON.stringify(other))
    }
    await write(op, data, { device: 'laptop' })
    assert.equal(await refused(), 1, 'by another client')
    await write('put', { title: 'e' }, { device: 'laptop' })
    await write(op, data)
    assert.equal(await refused(), 0, op)
    await write('put', { title: 'a' })
  }
  assert.equal(await write('delete', { title: 'x' }), 'rejected mutation.malformed')
  await write('patch', { tags: ['kept'] })
  assert.equal(await refused(), 0, 'of a deletion there is nothing to keep')
  // Two of one push that say it together, and one that leaves what the record holds already.
  await write('patch', wrong)
  await patches({ title: 'f' }, { visits: 1 })
  assert.equal(await refused(), 0)
  await write('put', { title: 'g', best: 7 })
  await write('patch', { title: 'x'.repeat(201), best: 7 })
  await write('patch', { title: 'h' })
  assert.equal(await refused(), 0)
  // Within one push as well.
  await patches(wrong, { body: 'y' })
  assert.equal(await refused(), 1)
  await patches(wrong, { title: 'i', visits: 9 })
  assert.equal(await refused(), 0)
})
