import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeMessage, encodeMessage } from './doorbell-message.ts'

test('PG-10 However much there is to tell, every notification stays within what PostgreSQL takes and nothing is left out', () => {
  const max = Number.MAX_SAFE_INTEGER
  const pokes = Array.from({ length: 1_003 }, (_, index) => ({ space: max - index, from: max - 1, to: max }))
  const stopped = Array.from({ length: 777 }, (_, index) => `01890000-0000-7000-8000-${String(index).padStart(12, '0')}`)
  const jobNews = Array.from({ length: 333 }, (_, index) => ({ space: max - index, ids: index % 3 === 0 ? undefined : stopped.slice(0, index % 50) }))
  const payloads = encodeMessage({ pokes, revoked: true, jobs: { stopped }, jobNews })
  assert.ok(payloads.every((payload) => Buffer.byteLength(payload) < 8_000))
  const messages = payloads.map((payload) => decodeMessage(payload))
  assert.deepEqual(
    messages.flatMap((message) => message?.pokes ?? []),
    pokes,
  )
  assert.deepEqual(
    messages.flatMap((message) => message?.jobs?.stopped ?? []),
    stopped,
  )
  assert.deepEqual(
    messages.flatMap((message) => message?.jobNews ?? []),
    jobNews,
  )
  assert.equal(messages.filter((message) => message?.revoked === true).length, 1)
})
