import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paceProgress } from './pace-progress.ts'

/** Progress that is stored in a list; pauses end when the test says so. */
function openPaced() {
  const stored: number[] = []
  const pauses: (() => void)[] = []
  const stop = new AbortController()
  const progress = paceProgress(
    stop.signal,
    async ({ fraction }) => void stored.push(fraction),
    (over) => pauses.push(over),
  )
  return { stored, stop, progress, endPause: () => pauses.shift()?.() }
}

test('JOB-14 Progress that comes thick and fast is stored a few times a second, its last included', async () => {
  const { stored, progress, endPause } = openPaced()
  for (let step = 0; step <= 100; step += 1) await progress(step / 200)
  assert.deepEqual(stored, [0])
  endPause()
  assert.deepEqual(stored, [0, 0.5])
  endPause()
  await progress(7)
  assert.deepEqual(stored, [0, 0.5, 1])
})

test('JOB-14 A job that was stopped is not kept in the belief that its progress counts', async () => {
  const { stored, stop, progress, endPause } = openPaced()
  await progress(0.1)
  await progress(0.2)
  stop.abort()
  endPause()
  assert.deepEqual(stored, [0.1])
  await progress(0.3)
  assert.deepEqual(stored, [0.1, 0.3], 'asked at once, which is refused')
})
