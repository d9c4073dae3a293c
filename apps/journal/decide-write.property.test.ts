import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Fields, StoredRecord } from 'holdfast'
import type { Mutation } from 'holdfast/server'
import { contractOf } from './decide-write.ts'

interface Edit {
  readonly lastUpdated: number
  readonly deviceId: string
  readonly content: string
}

const edits = fc.uniqueArray(fc.record({ lastUpdated: fc.integer({ min: 1, max: 20 }), deviceId: fc.constantFrom('a', 'b', 'c', 'd'), content: fc.string({ maxLength: 4 }) }), {
  minLength: 1,
  maxLength: 6,
  selector: ({ lastUpdated, deviceId }) => `${lastUpdated}/${deviceId}`,
})

/** All edits in one order of arrival, each without a constraint. */
function arrive(order: readonly Edit[], receivedAt: number): Fields | undefined {
  let stored: StoredRecord | undefined
  for (const [index, edit] of order.entries()) {
    const decision = contractOf({ kind: 'create', known: undefined, restore: false })({ stored, mutation: mutationOf(edit), now: receivedAt })
    if (decision === 'write') stored = storedOf({ ...edit }, { version: index + 1, updatedAt: receivedAt })
  }
  return stored?.fields
}

function mutationOf(edit: Edit): Mutation {
  return { collection: 'content', id: 'n', op: 'put', base: 'any', sent: { ...edit } }
}

function storedOf(fields: Fields, { version, updatedAt }: { readonly version: number; readonly updatedAt: number }): StoredRecord {
  return { id: 'n', version, createdAt: 0, updatedAt, deletedAt: null, author: 'user:u', device: 'd', fields }
}

test('JRN-10 without a constraint the same edit wins whatever the order of arrival', () => {
  fc.assert(
    fc.property(edits, fc.infiniteStream(fc.nat()), (all, picks) => {
      const shuffled = all
        .map((edit) => ({ edit, key: picks.next().value }))
        .toSorted((one, other) => Number(one.key) - Number(other.key))
        .map(({ edit }) => edit)
      const [one, other] = [arrive(all, 1_000), arrive(shuffled, 1_000)]
      // Two edits of equal text are the same state; only the text has to agree then.
      assert.equal(one?.['content'], other?.['content'])
    }),
    { numRuns: 2_000 },
  )
})

test('JRN-10 two devices that wrote the same at one time count as the larger of them', () => {
  const [a, b, c] = [
    { lastUpdated: 20, deviceId: 'a', content: 'one' },
    { lastUpdated: 20, deviceId: 'b', content: 'other' },
    { lastUpdated: 20, deviceId: 'c', content: 'one' },
  ]
  const orders = [
    [a, b, c],
    [a, c, b],
    [b, a, c],
    [b, c, a],
    [c, a, b],
    [c, b, a],
  ]
  for (const order of orders) assert.deepEqual(arrive(order, 1_000), c)
})

test('JRN-10 equal times are decided by the larger device in code-unit order, and equal devices by arrival', () => {
  const stored = storedOf({ lastUpdated: 5, deviceId: 'b', content: 'old' }, { version: 1, updatedAt: 10 })
  const decide = (deviceId: string) => contractOf({ kind: 'update', known: undefined, restore: false })({ stored, mutation: mutationOf({ lastUpdated: 5, deviceId, content: 'new' }), now: 10 })
  assert.deepEqual(['B', 'a', 'b', 'c'].map(decide), ['keep', 'keep', 'write', 'write'])
})

test('JRN-11 a time in the future counts as the time of receipt on either side', () => {
  const stored = storedOf({ lastUpdated: 9_999_999, deviceId: 'b', content: 'old' }, { version: 1, updatedAt: 100 })
  const decide = (lastUpdated: number, now: number) =>
    contractOf({ kind: 'update', known: undefined, restore: false })({ stored, mutation: mutationOf({ lastUpdated, deviceId: 'a', content: 'new' }), now })
  assert.equal(decide(101, 200), 'write')
  assert.equal(decide(99, 200), 'keep')
  assert.equal(decide(10_000_000, 100), 'keep', 'both count as 100, and the device decides')
  assert.equal(decide(10_000_000, 101), 'write')
  const deleted = { ...stored, deletedAt: 100 }
  const create = (now: number) =>
    contractOf({ kind: 'create', known: undefined, restore: false })({ stored: deleted, mutation: mutationOf({ lastUpdated: 10_000_000, deviceId: 'a', content: 'new' }), now })
  assert.deepEqual([create(100), create(101)], ['deleted', 'write'], 'what is received with the deletion is not later than it')
})
