import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { compileApp } from '../app/compile-app.ts'
import { defineApp } from '../app/define-app.ts'
import { termsOf } from '../search/search-terms.ts'
import { withoutPostgres } from '../testing/open-postgres-world.ts'
import { openTestSpace } from '../testing/open-test-space.ts'
import type { Reader } from './database.ts'
import { countMatches, searchRecords } from './search-records.ts'

const only = { skip: withoutPostgres }
const app = compileApp(defineApp({ name: 'shop', collections: { notes: collection(z.object({ text: z.string() }), { search: ['text'] }) } }))
const RECORDS = 3_000

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

test('PG-25 A search reads its index once and looks up each entry by itself, before there are statistics and with them', only, async () => {
  await using world = await openTestSpace(app)
  for (let start = 0; start < RECORDS; start += 500) {
    await world.push(
      Array.from({ length: 500 }, (_, index) => ({ collection: 'notes', id: `n${start + index}`, base: 0, data: { text: `common ${(start + index) % 30 === 0 ? 'ordinary' : 'text'}` } })),
    )
  }
  const search = { space: world.space, collections: ['notes'], terms: termsOf('common ordinary'), order: 'relevance', limit: 20 } as const
  for (const statistics of [undefined, 'ANALYZE']) {
    if (statistics !== undefined) await world.database.write((tx) => tx.run(statistics))
    const handled: number[] = []
    await world.database.read(async (reader) => {
      const explained: Reader = {
        ...reader,
        all: async (sql, values) => {
          const [row] = await reader.all<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${sql}`, values)
          handled.push(...(JSON.parse(row?.['QUERY PLAN'] ?? '[]') as { readonly Plan: PlanNode }[]).map(({ Plan }) => rowsHandled(Plan)))
          return reader.all(sql, values)
        },
      }
      assert.equal((await searchRecords(explained, search)).length, 20)
      assert.equal(await countMatches(explained, search), RECORDS / 30)
    })
    // A hundred may match; each part of a plan handles them once.
    assert.ok(handled.length > 0 && Math.max(...handled) < RECORDS / 2, `${statistics ?? 'no statistics'}: ${handled.join(', ')} rows`)
  }
})
