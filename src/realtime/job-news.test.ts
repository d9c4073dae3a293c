import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNewsPacer, JOB_NEWS_MAX, WaitingNews, type JobNews } from './job-news.ts'

test('EVT-7 The first news are told at once and what follows within the pause together, each job once', () => {
  const told: JobNews[] = []
  const pauses: (() => void)[] = []
  const tell = createNewsPacer(
    (news) => told.push(...news),
    (over) => pauses.push(over),
  )
  tell({ space: 1, ids: ['a'] })
  assert.deepEqual(told.splice(0), [{ space: 1, ids: ['a'] }])
  for (let index = 0; index < 100; index += 1) tell({ space: 1, ids: ['a', 'b'] })
  assert.deepEqual(told, [])
  pauses.shift()?.()
  assert.deepEqual(told.splice(0), [{ space: 1, ids: ['a', 'b'] }])
  pauses.shift()?.()
  assert.equal(pauses.length, 0, 'nothing is awaited while nothing happens')
  tell({ space: 2, ids: ['c'] })
  assert.deepEqual(told, [{ space: 2, ids: ['c'] }])
})

test('EVT-7 Of many jobs it is only told that there are many', () => {
  const waiting = new WaitingNews()
  for (let index = 0; index <= JOB_NEWS_MAX; index += 1) waiting.add({ space: 1, ids: [`${index}`] })
  waiting.add({ space: 1, ids: ['another'] })
  waiting.add({ space: 2, ids: [] })
  assert.deepEqual(waiting.take(), [{ space: 1, ids: undefined }])
  assert.equal(waiting.isEmpty, true)
})
