import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diaryApp } from '../testing/diary-app.ts'
import { openTestSpace, type TestSpace } from '../testing/open-test-space.ts'
import { recordHistory, type HistoryPage } from './record-history.ts'

async function historyOf(world: TestSpace, id: string, page: HistoryPage) {
  const notes = diaryApp.collections.get('notes')
  assert.ok(notes)
  return world.database.read(async (reader) => (await recordHistory(reader, notes, world.space, id, page)).rows)
}

test('LOG-3 A record shows its states, newest first, by pages, through deletion and return', async () => {
  await using world = await openTestSpace(diaryApp)
  const start = world.chance.now()
  let base = 0
  const write = async (op: 'put' | 'patch' | 'delete', data: Readonly<Record<string, string | boolean>> | undefined, device: string) => {
    world.advance(10)
    const outcome = await world.pushOne({ collection: 'notes', id: 'a', op, base, ...(data === undefined ? {} : { data: { ...data } }) }, { device })
    assert.equal(outcome.status, 'applied')
    base = outcome.record?.version ?? 0
  }
  await write('put', { title: 'one' }, 'phone')
  await world.pushOne({ collection: 'notes', id: 'another', data: { title: 'in between' } })
  await write('patch', { title: 'two', favorite: true }, 'laptop')
  await write('delete', undefined, 'phone')
  await write('put', { title: 'three' }, 'tablet')
  const all = await historyOf(world, 'a', { limit: 10 })
  assert.deepEqual(
    all.map(({ operation, at, device, actorId, record }) => [operation, at - start, device, actorId, record.fields['title'], record.fields['favorite'], record.deletedAt === null]),
    [
      ['restore', 40, 'tablet', 'ada', 'three', true, true],
      ['delete', 30, 'phone', 'ada', 'two', true, false],
      ['update', 20, 'laptop', 'ada', 'two', true, true],
      ['create', 10, 'phone', 'ada', 'one', false, true],
    ],
  )
  assert.deepEqual(all[0]?.version, base)
  const first = await historyOf(world, 'a', { limit: 3 })
  const second = await historyOf(world, 'a', { limit: 3, before: first.at(-1)?.version ?? 0 })
  assert.deepEqual([...first, ...second], all)
  assert.deepEqual(await historyOf(world, 'never', { limit: 3 }), [])
})

test('LOG-3 Where the log begins later than the record, its history begins there too', async () => {
  await using world = await openTestSpace(diaryApp)
  let base = 0
  for (const title of ['one', 'two', 'three']) base = (await world.pushOne({ collection: 'notes', id: 'a', base, data: { title } })).record?.version ?? 0
  const [, , oldest] = await historyOf(world, 'a', { limit: 9 })
  await world.database.write((tx) => tx.run('DELETE FROM holdfast_changes WHERE space = ? AND version <= ?', [world.space, oldest?.version ?? 0]))
  const left = await historyOf(world, 'a', { limit: 9 })
  assert.deepEqual(
    left.map(({ record }) => record.fields['title']),
    ['three', 'two'],
  )
})
