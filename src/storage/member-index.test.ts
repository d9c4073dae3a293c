import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { collection, type CollectionOptions } from '../app/collection.ts'
import { compileApp } from '../app/compile-app.ts'
import { defineApp } from '../app/define-app.ts'
import { openTestSpace, type TestSpace } from '../testing/open-test-space.ts'
import { migrate } from './migrate.ts'

const pageSchema = z.object({ words: z.array(z.string()).default([]), state: z.string().default('open'), at: z.int().default(0) })
const appOf = (options: CollectionOptions) => compileApp(defineApp({ name: 'shop', collections: { pages: collection(pageSchema, options as object) } }))
const app = appOf({ listed: { by: 'state', sort: 'at' }, members: 'words' })

/** What the index says of a space: `member state count`, and `member record` from the links. */
async function indexed(world: TestSpace, space = world.space): Promise<{ counts: string[]; links: string[] }> {
  return world.database.read(async (reader) => {
    const counts = await reader.all<{ line: string }>("SELECT member || ' ' || state || ' ' || records AS line FROM holdfast_list_counts WHERE space = ? ORDER BY member, state", [space])
    const links = await reader.all<{ line: string }>("SELECT member || ' ' || record AS line FROM holdfast_list_members WHERE space = ? ORDER BY member, record", [space])
    return { counts: counts.map(({ line }) => line), links: links.map(({ line }) => line) }
  })
}

test('LIST-1 Members and their counts change in the transaction of the write', async () => {
  await using world = await openTestSpace(app)
  const { outcomes } = await world.push([
    { collection: 'pages', id: 'one', base: 0, data: { words: ['a', 'b', 'a'] } },
    { collection: 'pages', id: 'two', base: 0, data: { words: ['b'], state: 'done' } },
  ])
  assert.deepEqual(await indexed(world), { counts: ['a open 1', 'b done 1', 'b open 1'], links: ['a one', 'b one', 'b two'] })
  const versionOf = (index: number) => outcomes[index]?.record?.version ?? 0
  const changed = await world.push([
    { collection: 'pages', id: 'one', op: 'patch', base: versionOf(0), data: { state: 'done', words: ['b', 'c'] } },
    { collection: 'pages', id: 'two', op: 'delete', base: versionOf(1) },
  ])
  assert.deepEqual(await indexed(world), { counts: ['b done 1', 'c done 1'], links: ['b one', 'c one'] })
  await world.push([{ collection: 'pages', id: 'two', op: 'put', base: changed.outcomes[1]?.record?.version ?? 0, data: { words: ['c'], state: 'open' } }])
  assert.deepEqual((await indexed(world)).counts, ['b done 1', 'c done 1', 'c open 1'])
  const refused = await world.push(
    [
      { collection: 'pages', id: 'new', base: 0, data: { words: ['z'] } },
      { collection: 'pages', id: 'bad', base: 0, data: { words: 1 } },
    ],
    { atomic: true },
  )
  assert.equal(refused.outcomes[1]?.status, 'rejected')
  assert.deepEqual((await indexed(world)).links, ['b one', 'c one', 'c two'])
})

test('LIST-1 After any pushes the index is what the records say, and so is one that is made anew', async () => {
  await using world = await openTestSpace(app)
  const words = fc.array(fc.constantFrom('a', 'b', 'c', "'"), { maxLength: 4 })
  const write = fc.record({ id: fc.constantFrom('p', 'q', 'r'), words, state: fc.constantFrom('open', 'done'), op: fc.constantFrom('put', 'put', 'delete') })
  let round = 0
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(write, { minLength: 1, maxLength: 4 }), { maxLength: 4 }), async (pushes) => {
      const space = await world.addSpace(`s${(round += 1)}`)
      for (const push of pushes) {
        await world.push(
          push.map(({ id, words: list, state, op }) => ({ collection: 'pages', id, op, base: 0, ...(op === 'put' ? { data: { words: list, state } } : {}) }) as const),
          { space, keepConflicts: false },
        )
      }
      const { changes } = JSON.parse(JSON.stringify(await world.pull({ space }))) as { changes: { id: string; deleted: boolean; data: { words: string[]; state: string } | null }[] }
      const live = changes.flatMap(({ id, data }) => (data === null ? [] : [{ id, words: [...new Set(data.words)], state: data.state }]))
      const links = live.flatMap(({ id, words: list }) => list.map((word) => `${word} ${id}`)).toSorted()
      const groups = Map.groupBy(
        live.flatMap(({ words: list, state }) => list.map((word) => `${word} ${state}`)),
        (key) => key,
      )
      const expected = { counts: [...groups].map(([key, all]) => `${key} ${all.length}`).toSorted(), links }
      assert.deepEqual(await indexed(world, space), expected)
    }),
    { numRuns: 40 },
  )
  const all = await Promise.all(Array.from({ length: round }, (_, index) => indexed(world, world.space + index + 1)))
  await migrate(world.database, [appOf({})], [], 1)
  assert.deepEqual((await indexed(world, world.space + 1)).links, [])
  await migrate(world.database, [app], [], 1)
  for (const [index, before] of all.entries()) assert.deepEqual(await indexed(world, world.space + index + 1), before)
})

test('LIST-1 A declaration lists by a text in the order of a whole number, with members that are a list', () => {
  for (const options of [
    { listed: { by: 'at', sort: 'at' } },
    { listed: { by: 'state', sort: 'state' } },
    { members: 'words' },
    { listed: { by: 'state', sort: 'at' }, members: 'state' },
    { listed: { by: 'none', sort: 'at' } },
  ]) {
    assert.throws(() => appOf(options), /shop\.pages/)
  }
})
