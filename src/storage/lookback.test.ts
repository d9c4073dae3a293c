import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diaryApp } from '../testing/diary-app.ts'
import { openTestSpace, type TestSpace } from '../testing/open-test-space.ts'
import type { Reader } from './database.ts'
import { Lookback, lookbackLimits } from './lookback.ts'
import { getRecord } from './read-records.ts'

const notes = diaryApp.collections.get('notes')
assert.ok(notes)
const collection = notes

/** Writes a note so many times and answers its versions, oldest first. */
async function writeOften(world: TestSpace, times: number): Promise<readonly number[]> {
  const versions: number[] = []
  for (let index = 0; index < times; index += 1) {
    const { record } = await world.pushOne({ collection: 'notes', id: 'a', base: versions.at(-1) ?? 0, data: { title: `title ${index}` } })
    versions.push(record?.version ?? 0)
  }
  return versions
}

/** Looks back with few entries left, and counts those that are read. */
async function lookBack<Answer>(
  world: TestSpace,
  limits: Partial<typeof lookbackLimits>,
  look: (titleAt: (version: number) => Promise<unknown>) => Promise<Answer>,
): Promise<{ answer: Answer; reads: number }> {
  return world.database.read(async (reader) => {
    let reads = 0
    const counting: Reader = {
      ...reader,
      all: (sql, values) => {
        reads += 1
        return reader.all(sql, values)
      },
    }
    const record = await getRecord(reader, collection, world.space, 'a')
    assert.ok(record)
    const lookback = new Lookback(counting, world.space, { ...lookbackLimits, ...limits })
    const titleAt = async (version: number) => {
      const fields = await lookback.fieldsAt(collection, record, version)
      return fields === undefined ? undefined : fields['title']
    }
    return { answer: await look(titleAt), reads }
  })
}

test('COM-12 What a record was is read back from the log, each entry once, whatever is asked and how often', async () => {
  await using world = await openTestSpace(diaryApp)
  const versions = await writeOften(world, 20)
  const asked = [...versions.keys(), 5, 19, 0, 7].map((index) => ({ index, version: versions[index] ?? 0 }))
  const { answer, reads } = await lookBack(world, {}, async (titleAt) => {
    const titles: unknown[] = []
    for (const { version } of asked) titles.push(await titleAt(version))
    return titles
  })
  assert.deepEqual(
    answer,
    asked.map(({ index }) => `title ${index}`),
  )
  assert.equal(reads, 19)
  const { answer: before } = await lookBack(world, {}, (titleAt) => titleAt((versions[0] ?? 0) - 1))
  assert.equal(before, null, 'before it was made it was blank')
})

test('COM-12 One commit reads a bounded part of the log, in entries and in characters; what lies behind is not known', async () => {
  await using world = await openTestSpace(diaryApp)
  const versions = await writeOften(world, 10)
  const look = async (titleAt: (version: number) => Promise<unknown>) => [await titleAt(versions[4] ?? 0), await titleAt(versions[5] ?? 0), await titleAt(versions[0] ?? 0)]
  assert.deepEqual((await lookBack(world, { entriesMax: 4 }, look)).answer, [undefined, 'title 5', undefined])
  assert.deepEqual((await lookBack(world, { entriesMax: 5 }, look)).answer, ['title 4', 'title 5', undefined])
  assert.deepEqual((await lookBack(world, { charsMax: 1 }, look)).answer, [undefined, undefined, undefined])
})

test('COM-12 A push of many edits on old bases of one record is joined or asked about, and reads the log once', async () => {
  await using world = await openTestSpace(diaryApp)
  const [first = 0] = await writeOften(world, 200)
  const edits = Array.from({ length: 199 }, (_, index) => ({ collection: 'notes', id: 'a', op: 'patch' as const, base: first + index, data: { body: `line ${index}` } }))
  const { outcomes } = await world.push(edits, { device: 'old' })
  assert.deepEqual([...new Set(outcomes.map(({ status }) => status))], ['merged', 'conflict'])
})
