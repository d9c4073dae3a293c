import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { defineApp } from '../app/define-app.ts'
import { hostApp } from '../http/host-app.ts'
import { openTestServer } from '../testing/open-test-server.ts'
import { createCompactionLoop, type CompactionEvent } from './compaction-loop.ts'

const app = defineApp({ name: 'notes', collections: { notes: collection(z.object({ text: z.string() })) } })
const HOUR_MS = 3_600_000
const notes = hostApp({ app, tombstonesKeptMs: (environment) => Number(environment['HOLDFAST_NOTES_KEPT_HOURS'] ?? 1) * HOUR_MS })
const short = hostApp({ app: defineApp({ name: 'short', collections: app.collections }), historyKeptMs: () => HOUR_MS, purgeEveryMs: () => 60_000 })

test('PURGE-1 A round asks each app how long its tombstones are kept, and the loop ends when it is told to', async () => {
  await using world = await openTestServer({ apps: [notes], environment: { HOLDFAST_NOTES_KEPT_HOURS: '2' } })
  const { headers } = await world.register('ada@example.org')
  const push = async (mutation: Readonly<Record<string, unknown>>) => {
    const answer = await world.http.inject({ method: 'POST', url: '/api/v1/notes/push', headers, payload: { mutations: [{ collection: 'notes', id: 'n1', ...mutation }] } })
    return (answer.json() as { results: { status: string; version: number }[] }).results[0]
  }
  const made = await push({ op: 'put', base: 0, data: { text: 'one' } })
  assert.equal((await push({ op: 'delete', base: made?.version }))?.status, 'applied')
  const told: CompactionEvent[] = []
  const { promise: round, resolve } = Promise.withResolvers<void>()
  const record = (event: CompactionEvent) => {
    told.push(event)
    resolve()
  }
  const loop = createCompactionLoop(world.context, record, { intervalMs: 1, tombstonesKeptMs: HOUR_MS })
  world.advance(2 * HOUR_MS - 1_000)
  assert.deepEqual(await loop.runOnce(), [{ app: 'notes', tombstones: 0, entries: 0 }])
  world.advance(2_000)
  // The timer alone does not keep a process alive; the test does.
  const alive = setInterval(() => {}, 1_000)
  loop.start()
  await round
  await loop.close()
  clearInterval(alive)
  assert.deepEqual(told, [{ app: 'notes', tombstones: 1, entries: 0 }])
  assert.deepEqual(await loop.runOnce(), [{ app: 'notes', tombstones: 0, entries: 0 }])
})

test('PURGE-5 A round forgets the history of an app that says how long it is kept, as often as the app wishes', async () => {
  await using world = await openTestServer({ apps: [notes, short] })
  const { headers } = await world.register('ada@example.org')
  for (const name of ['notes', 'short']) await world.http.inject({ method: 'POST', url: `/api/v1/${name}/records/notes`, headers, payload: { data: { text: 'one' } } })
  const loop = createCompactionLoop(world.context, () => {})
  assert.equal(loop.intervalMs, 60_000)
  assert.equal(createCompactionLoop(world.context, () => {}, { intervalMs: 10, tombstonesKeptMs: HOUR_MS }).intervalMs, 10)
  world.advance(HOUR_MS + 1)
  assert.deepEqual(await loop.runOnce(), [
    { app: 'notes', tombstones: 0, entries: 0 },
    { app: 'short', tombstones: 0, entries: 1 },
  ])
})

test('PURGE-4 What fails for one app holds up no other', async () => {
  const broken = hostApp({
    app: defineApp({ name: 'broken', collections: app.collections }),
    tombstonesKeptMs: () => {
      throw new Error('No such setting.')
    },
  })
  await using world = await openTestServer({ apps: [broken, notes] })
  const told: CompactionEvent[] = []
  const loop = createCompactionLoop(world.context, (event) => told.push(event))
  assert.deepEqual(
    (await loop.runOnce()).map(({ app: name }) => name),
    ['notes'],
  )
  assert.deepEqual(
    told.map((event) => [event.app, 'error' in event]),
    [['broken', true]],
  )
})
