import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { compileApp } from '../app/compile-app.ts'
import { defineApp } from '../app/define-app.ts'
import { decodeCursor, encodeCursor } from '../engine/cursor.ts'
import { Problem } from '../protocol/problem.ts'
import type { PullResponse } from '../protocol/pull.ts'
import { openTestSpace, TEST_START_MS, type TestSpace } from '../testing/open-test-space.ts'
import { migrate } from './migrate.ts'
import { pull } from './pull.ts'

const notes = collection(z.object({ text: z.string() }))
const older = compileApp(defineApp({ name: 'notes', collections: { notes } }))
const newer = compileApp(defineApp({ name: 'notes', collections: { notes, marks: collection(z.object({ colour: z.string() })) } }))

/** Pulls everything as a process that runs the older program does, while the newer one has migrated the database already. */
async function pullFromOlder({ database, space, epoch }: TestSpace, cursor?: string): Promise<PullResponse> {
  const text = await database.read((reader) => pull(reader, { app: older, space, epoch, cursor, limit: 100, collections: undefined }))
  return JSON.parse(text.toString()) as PullResponse
}

async function openBoth(): Promise<TestSpace> {
  const world = await openTestSpace(newer)
  await migrate(world.database, [newer], [], TEST_START_MS)
  return world
}

function take(seen: Set<string>, { changes, cursor }: PullResponse): string {
  for (const { id } of changes) seen.add(id)
  return cursor
}

const isSchema = (error: unknown) => error instanceof Problem && error.code === 'resync_required' && error.options.extra?.['reason'] === 'schema'

test('CUR-6 A reader of everything that an older process has led past a record of a new collection is told to read again', async () => {
  await using world = await openBoth()
  await world.pushOne({ collection: 'notes', id: 'n1', data: { text: 'one' } })
  const { cursor: before } = await pullFromOlder(world)
  await world.pushOne({ collection: 'marks', id: 'm1', data: { colour: 'red' } })
  await world.pushOne({ collection: 'notes', id: 'n2', data: { text: 'two' } })
  const { cursor: past, changes } = await pullFromOlder(world, before)
  assert.deepEqual(
    changes.map(({ id }) => id),
    ['n2'],
  )
  await assert.rejects(world.pull({ cursor: past }), isSchema)
  const rest = await world.pull({ cursor: before })
  assert.deepEqual(
    rest.changes.map(({ id }) => id),
    ['m1', 'n2'],
  )
  assert.deepEqual((await pullFromOlder(world, rest.cursor)).changes, [], 'an older process goes on with the cursor of a newer one')
})

test('CUR-6 A reader whom an older and a newer process answer in turn misses nothing and never begins anew', async () => {
  await using world = await openBoth()
  const seen = new Set<string>()
  let cursor = (await world.pull()).cursor
  for (let round = 1; round <= 6; round += 1) {
    await world.pushOne({ collection: 'marks', id: `m${round}`, data: { colour: 'red' } })
    await world.pushOne({ collection: 'notes', id: `n${round}`, data: { text: 'one' } })
    cursor = take(seen, await pullFromOlder(world, cursor))
    if (round % 2 === 1) continue
    cursor = take(seen, await world.pull({ cursor }))
    assert.equal(seen.size, round * 2)
    assert.deepEqual((await world.pull({ cursor })).changes, [])
  }
})

test('CUR-6 A collection that is new and has nothing older than the cursor costs no reader anything', async () => {
  await using world = await openBoth()
  await world.pushOne({ collection: 'notes', id: 'n1', data: { text: 'one' } })
  const { cursor } = await pullFromOlder(world)
  assert.deepEqual((await world.pull({ cursor })).changes, [])
  await world.pushOne({ collection: 'marks', id: 'm1', data: { colour: 'red' } })
  assert.deepEqual(
    (await world.pull({ cursor })).changes.map(({ id }) => id),
    ['m1'],
  )
  const decoded = decodeCursor(cursor)
  assert.ok(decoded !== undefined)
  const unnamed = encodeCursor({ ...decoded, collections: '*' })
  assert.equal((await world.pull({ cursor: unnamed })).changes.length, 1, 'a cursor from before names were in it is taken for one of them all')
})
