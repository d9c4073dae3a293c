import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LocalChange } from '../ports.ts'
import { TestClock } from '../testing/test-clock.ts'
import { liveQuery } from './live-query.ts'

function openWatch(readMs: number) {
  const clock = new TestClock(1_000_000)
  let written = 0
  let reads = 0
  const seen: number[] = []
  const listeners = new Set<(change: LocalChange) => void>()
  const stop = liveQuery(
    {
      pace: { elapsed: () => clock.now(), after: (delayMs, run) => clock.after(delayMs, run) },
      read: async () => {
        reads += 1
        await Promise.resolve()
        clock.advance(readMs)
        return written
      },
      touches: () => true,
      same: (before, after) => before === after,
      listen: (hear) => {
        listeners.add(hear)
        return () => listeners.delete(hear)
      },
    },
    (value) => seen.push(value),
  )
  return {
    clock,
    seen,
    stop,
    reads: () => reads,
    write: async () => {
      written += 1
      for (const hear of listeners) hear({ records: 'all' })
      await settled()
    },
  }
}

/** Lets what is ready to run do so. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

test('SDK-45 What takes long to read is read a tenth of the time at most, and the newest is shown', async () => {
  const watch = openWatch(10)
  await settled()
  assert.deepEqual(watch.seen, [0])
  for (let count = 0; count < 1_000; count += 1) {
    await watch.write()
    watch.clock.advance(1)
  }
  assert.ok(watch.reads() < 15, `${watch.reads()} reads`)
  watch.clock.advance(1_000)
  await settled()
  assert.equal(watch.seen.at(-1), 1_000)
  // After a rest what is written is shown at once.
  watch.clock.advance(1_000)
  await watch.write()
  assert.equal(watch.seen.at(-1), 1_001)
  await watch.write()
  watch.stop()
  assert.deepEqual(watch.clock.waits, [])
})

test('SDK-45 What is quickly read is read once a frame while one change follows another', async () => {
  const watch = openWatch(0.1)
  await settled()
  for (let count = 0; count < 1_000; count += 1) {
    await watch.write()
    watch.clock.advance(1)
  }
  assert.ok(watch.reads() > 50 && watch.reads() < 70, `${watch.reads()} reads`)
  watch.clock.advance(16)
  await settled()
  assert.equal(watch.seen.at(-1), 1_000)
  watch.stop()
})
