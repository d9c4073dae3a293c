import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGate } from './create-gate.ts'

test('AUTH-4 A gate lets the bounded number run at once, in order, and a failure frees its place', async () => {
  const gate = createGate({ runningMax: 2, waitingMax: 10, full: () => new Error('full') })
  const started: number[] = []
  const ends: (() => void)[] = []
  const work = (name: number) =>
    gate(async () => {
      started.push(name)
      await new Promise<void>((resolve) => ends.push(resolve))
      if (name === 1) throw new Error('one failed')
    })
  const works = [work(1), work(2), work(3), work(4)]
  assert.deepEqual(started, [1, 2])
  ends[0]?.()
  await assert.rejects(works[0] ?? Promise.resolve(), /one failed/)
  assert.deepEqual(started, [1, 2, 3])
  ends[1]?.()
  await works[1]
  assert.deepEqual(started, [1, 2, 3, 4])
  ends[2]?.()
  ends[3]?.()
  await Promise.all(works.slice(2))
})
