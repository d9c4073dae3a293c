import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createUuidV7 } from './create-uuid-v7.ts'

test('SDK-27 Ids are UUIDv7, all different and in the order they were made, also when the clock steps back', () => {
  let now = 1_700_000_000_000
  const next = createUuidV7({ now: () => now, randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)) })
  const ids: string[] = []
  for (const step of [0, 1, -5_000, 10_000]) {
    now += step
    for (let count = 0; count < 6_000; count += 1) ids.push(next())
  }
  assert.ok(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)))
  assert.equal(new Set(ids).size, ids.length)
  assert.deepEqual(ids, ids.toSorted())
  assert.equal(Number.parseInt(ids[0]?.replaceAll('-', '').slice(0, 12) ?? '', 16), 1_700_000_000_000)
})
