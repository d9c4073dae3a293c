import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { compileApp } from '../app/compile-app.ts'
import { defineApp } from '../app/define-app.ts'
import { openTestSpace } from '../testing/open-test-space.ts'
import type { SqlValue, Transactor } from './database.ts'
import { GRAMS_CHARS_AT_ONCE } from './search-dialect.ts'
import { evolveSearch } from './search-index.ts'

const appOf = (search: readonly 'text'[]) => compileApp(defineApp({ name: 'shop', collections: { pages: collection(z.object({ text: z.string() }), { search }) } }))

test('SRCH-9 An index of long texts is made anew in pieces: the grams of a batch of them are more than one statement could be given', async () => {
  const old = appOf([])
  await using world = await openTestSpace(old)
  const pages = Array.from({ length: 5 }, (_, index) => ({ collection: 'pages', id: `page-${index}`, base: 0, data: { text: textWithoutRepeats(index, 40_000) } }))
  assert.ok((await world.push(pages)).outcomes.every(({ status }) => status === 'applied'))
  const lengths: number[] = []
  const note = (values: readonly SqlValue[] = []) => lengths.push(...values.map((value) => (typeof value === 'string' ? value.length : 0)))
  await world.database.write((tx) => evolveSearch(noting(tx, note), appOf(['text'])))
  assert.ok(lengths.filter((length) => length > 1_000_000).length >= 2, 'there is more than one piece')
  assert.ok(Math.max(...lengths) <= GRAMS_CHARS_AT_ONCE + pages.length * 3)
  const [counts] = await world.database.read((reader) =>
    reader.all<{ entries: number; grams: number }>('SELECT (SELECT count(*) FROM holdfast_search) AS entries, (SELECT count(*) FROM holdfast_search_grams) AS grams'),
  )
  assert.deepEqual({ ...counts }, { entries: pages.length, grams: pages.length })
})

/** Ideographs of which hardly three in a row occur twice. */
function textWithoutRepeats(seed: number, length: number): string {
  let state = seed + 1
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return String.fromCharCode(0x4e00 + ((state >>> 12) % 6_000))
  }
  return Array.from({ length }, next).join('')
}

function noting(tx: Transactor, note: (values?: readonly SqlValue[]) => void): Transactor {
  return {
    ...tx,
    run: (sql, values) => {
      note(values)
      return tx.run(sql, values)
    },
    send: (sql, values) => {
      note(values)
      return tx.send(sql, values)
    },
  }
}
