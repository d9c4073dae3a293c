import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { compileApp } from '../app/compile-app.ts'
import { defineApp } from '../app/define-app.ts'
import { termsOf } from '../search/search-terms.ts'
import { withoutPostgres } from '../testing/open-postgres-world.ts'
import { openTestSpace, type TestSpace } from '../testing/open-test-space.ts'
import type { JsonValue } from '../lib/json.ts'
import type { Reader } from './database.ts'
import { listAndCountMatching } from './list-matching.ts'
import { countMatches, searchRecords } from './search-records.ts'

const only = { skip: withoutPostgres }
const pageSchema = z.object({ text: z.string(), words: z.array(z.string()).default([]), state: z.string().default('kept'), kind: z.string().default('note'), at: z.int().default(0) })
const app = compileApp(
  defineApp({
    name: 'shop',
    collections: {
      pages: collection(pageSchema, { search: ['text'], listed: { by: 'state', sort: 'at' }, members: 'words', indexes: [['state', 'at', 'id']] }),
      words: collection(z.object({ name: z.string() }), { search: ['name'] }),
    },
  }),
)
const pages = app.collections.get('pages') ?? assert.fail()
const PAGES = 4_000
const WORDS = 300
const WORDS_OF_PAGE = 4

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Join Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly Plans?: readonly PlanNode[]
}

/** Rows that all parts of a plan have handled. */
function rowsHandled(node: PlanNode): number {
  const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Join Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
  return (node['Actual Rows'] + removed) * node['Actual Loops'] + (node.Plans ?? []).reduce((sum, part) => sum + rowsHandled(part), 0)
}

async function openPages(): Promise<TestSpace> {
  const world = await openTestSpace(app)
  const put = (collectionName: string, count: number, data: (index: number) => Record<string, JsonValue>) =>
    world.push(Array.from({ length: count }, (_, index) => ({ collection: collectionName, id: `${collectionName}${index}`, base: 0, data: data(index) })))
  await put('words', WORDS, (index) => ({ name: `expense ${index}` }))
  await put('pages', PAGES, (index) => ({
    text: `common ${index % 40 === 0 ? 'ordinary' : 'text'}`,
    words: Array.from({ length: WORDS_OF_PAGE }, (_, place) => `words${(index + place * 7) % WORDS}`),
    kind: index % 2 === 0 ? 'note' : 'article',
    at: index,
  }))
  return world
}

/** Runs a work and answers how many rows the heaviest of its statements has handled, before there are statistics and with them. */
async function heaviest(world: TestSpace, work: (reader: Reader) => Promise<unknown>): Promise<readonly number[]> {
  const most: number[] = []
  for (const statistics of [undefined, 'ANALYZE']) {
    if (statistics !== undefined) await world.database.write((tx) => tx.run(statistics))
    const handled: number[] = []
    await world.database.read((reader) =>
      work({
        ...reader,
        all: async (sql, values) => {
          const [row] = await reader.all<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${sql}`, values)
          handled.push(...(JSON.parse(row?.['QUERY PLAN'] ?? '[]') as { readonly Plan: PlanNode }[]).map(({ Plan }) => rowsHandled(Plan)))
          return reader.all(sql, values)
        },
      }),
    )
    most.push(Math.max(...handled))
  }
  return most
}

test('PG-25 A search reads its index once and looks up each entry by itself, before there are statistics and with them', only, async () => {
  await using world = await openPages()
  const search = { space: world.space, collections: ['pages'], terms: termsOf('common ordinary'), order: 'relevance', limit: 20 } as const
  const most = await heaviest(world, async (reader) => {
    assert.equal((await searchRecords(reader, search)).length, 20)
    assert.equal(await countMatches(reader, search), PAGES / 40)
  })
  // A hundred may match; each part of a plan handles them once.
  assert.ok(Math.max(...most) < PAGES / 2, most.join(', '))
})

test('PG-25 What stands in members, and what a list is narrowed to, is looked up once as well', only, async () => {
  await using world = await openPages()
  const terms = [
    { text: 'exp', membersIn: 'words' },
    { text: 'common', membersIn: 'words' },
  ]
  const lists = [
    { terms, order: 'listed' },
    { terms, order: 'relevance' },
    { terms, order: 'listed', equals: { kind: 'note' } },
    { terms, order: 'relevance', members: ['words1'] },
    { terms: [], order: 'listed', equals: { kind: 'note' }, members: ['words1', 'words8'] },
    { terms: [{ text: 'ordinary' }], order: 'listed', equals: { kind: 'note' } },
  ] as const
  for (const list of lists) {
    const most = await heaviest(world, (reader) => listAndCountMatching(reader, pages, { space: world.space, by: 'kept', limit: 20, ...list }))
    // Each part of a plan handles every link once; to go through all pages for each word would be a million.
    assert.ok(Math.max(...most) < PAGES * WORDS_OF_PAGE * 10, `${JSON.stringify(list)}: ${most.join(', ')} rows`)
  }
})
