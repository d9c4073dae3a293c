import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { compileApp } from '../app/compile-app.ts'
import { defineApp } from '../app/define-app.ts'
import { foldText } from '../search/fold-text.ts'
import { openTestSpace, type TestSpace } from '../testing/open-test-space.ts'
import { listAndCountMatching, listMatching, type Matching, type MatchingPage } from './list-matching.ts'
import type { MatchingTerm } from './match-entries.ts'
import type { MatchPlace } from './match-order.ts'
import { migrate } from './migrate.ts'

const pageSchema = z.object({
  title: z.string().nullable().default(null),
  summary: z.string().default(''),
  text: z.string().default(''),
  words: z.array(z.string()).default([]),
  state: z.string().default('kept'),
  at: z.int().nullable().default(0),
  kind: z.string().default('note'),
})
const app = compileApp(
  defineApp({
    name: 'shop',
    collections: {
      pages: collection(pageSchema, { search: ['title', 'summary', 'text'], listed: { by: 'state', sort: 'at' }, members: 'words', indexes: [['state', 'at', 'id']] }),
      words: collection(z.object({ name: z.string() }), { search: ['name'] }),
      copies: collection(z.object({ text: z.string() }), { search: ['text'] }),
    },
  }),
)
const pages = app.collections.get('pages') ?? assert.fail()

type Page = Partial<z.input<typeof pageSchema>>

async function put(world: TestSpace, records: Readonly<Record<string, Page>>, space = world.space): Promise<void> {
  const { outcomes } = await world.push(
    Object.entries(records).map(([id, data]) => ({ collection: 'pages', id, base: 0, data: JSON.parse(JSON.stringify(data)) as Record<string, never> })),
    { space },
  )
  assert.ok(outcomes.every(({ status }) => status === 'applied'))
}

function find(world: TestSpace, page: Partial<MatchingPage>): Promise<MatchPlace[]> {
  return world.database.read((reader) => listMatching(reader, pages, { space: world.space, by: 'kept', order: 'listed', limit: 100, ...page }))
}

function count(world: TestSpace, matching: Partial<Matching>): Promise<number> {
  const page = { space: world.space, by: 'kept', order: 'listed', limit: 1, ...matching } as const
  return world.database.read(async (reader) => {
    const { places, total } = await listAndCountMatching(reader, pages, page)
    // A page behind the last one counts as well.
    const behind = { ...page, after: { id: '', value: -1_000, score: -1 } }
    assert.deepEqual(await listAndCountMatching(reader, pages, behind), { places: [], total })
    assert.equal(places.length, Math.min(1, total))
    return total
  })
}

const ids = (found: readonly MatchPlace[]) => found.map(({ id }) => id)
const termsOf = (...texts: string[]): MatchingTerm[] => texts.map((text) => ({ text: foldText(text), alsoIn: 'copies', membersIn: 'words' }))

test('LIST-2 Records of one state are listed by their number and id, the largest first, narrowed by members and fields', async () => {
  await using world = await openTestSpace(app)
  await put(world, {
    a: { at: 1, words: ['x', 'y'] },
    b: { at: 2, words: ['x'], kind: 'link' },
    c: { at: 2, words: ['y', 'x'], kind: 'link' },
    other: { at: 3, state: 'gone', words: ['x'] },
    unlisted: { at: null, words: ['x'] },
    negative: { at: -1 },
  })
  assert.deepEqual(ids(await find(world, {})), ['c', 'b', 'a', 'negative'])
  assert.deepEqual(ids(await find(world, { members: ['x'] })), ['c', 'b', 'a'])
  assert.deepEqual(ids(await find(world, { members: ['x', 'y'] })), ['c', 'a'])
  assert.deepEqual(ids(await find(world, { equals: { kind: 'link' }, members: ['y'] })), ['c'])
  assert.deepEqual(ids(await find(world, { by: 'gone' })), ['other'])
  assert.deepEqual(ids(await find(world, { members: ["'"] })), [])
  assert.deepEqual(await Promise.all([count(world, {}), count(world, { members: ['x'] }), count(world, { by: 'none' })]), [4, 3, 0])
  const far = await world.addSpace('far')
  await put(world, { a: { at: 9, words: ['x'], title: 'far' } }, far)
  assert.deepEqual(ids(await find(world, { space: far, terms: termsOf('far') })), ['a'])
  assert.deepEqual(ids(await find(world, { terms: termsOf('far') })), [])
})

test('LIST-3 A term may stand in the record, in the one of the same id elsewhere, or in a member; all terms must', async () => {
  await using world = await openTestSpace(app)
  await put(world, {
    own: { title: 'Red house', words: ['w1'] },
    copied: { title: 'House', words: ['w2'] },
    member: { title: 'House', words: ['w1', 'w2'] },
    gone: { title: 'Red house', words: ['w1'], state: 'gone' },
  })
  await world.push([
    { collection: 'copies', id: 'copied', base: 0, data: { text: 'a RED copy' } },
    { collection: 'copies', id: 'nobody', base: 0, data: { text: 'red' } },
    { collection: 'words', id: 'w1', base: 0, data: { name: 'Redwood' } },
    { collection: 'words', id: 'w2', base: 0, data: { name: 'blue' } },
  ])
  assert.deepEqual(ids(await find(world, { terms: termsOf('red', 'house') })), ['own', 'member', 'copied'])
  assert.deepEqual(ids(await find(world, { terms: termsOf('red', 'blue') })), ['member', 'copied'])
  assert.deepEqual(ids(await find(world, { terms: [{ text: 'red', membersIn: 'words', membersOnly: true }] })), ['own', 'member'])
  assert.deepEqual(ids(await find(world, { terms: [{ text: 'red' }] })), ['own'])
  assert.deepEqual(ids(await find(world, { terms: termsOf('red'), members: ['w2'], equals: { kind: 'note' } })), ['member', 'copied'])
  assert.deepEqual(ids(await find(world, { terms: termsOf('red'), equals: { kind: 'link' } })), [])
  assert.equal(await count(world, { terms: termsOf('red') }), 3)
})

test('LIST-4 The best place of a term counts: the first field, a member, the second field, another, what belongs to the record', async () => {
  await using world = await openTestSpace(app)
  const text = 'x'.repeat(50)
  await put(world, {
    copy: { at: 6, title: text },
    text: { at: 5, summary: text, text: 'a pear' },
    summary: { at: 4, title: text, summary: 'a pear', text: 'pear' },
    member: { at: 3, words: ['w'], text: 'pear' },
    inside: { at: 2, title: 'xpear', words: ['w'] },
    title: { at: 1, title: 'a pear', summary: 'pear' },
    emptySummary: { at: 0, title: null, summary: '', text: 'pear' },
  })
  await world.push([
    { collection: 'copies', id: 'copy', base: 0, data: { text: 'pear' } },
    { collection: 'words', id: 'w', base: 0, data: { name: 'pears' } },
  ])
  const best = await find(world, { terms: termsOf('pear'), order: 'relevance' })
  assert.deepEqual(
    best.map(({ id, score }) => [id, score]),
    [
      ['title', 9],
      ['inside', 8],
      ['member', 6],
      ['summary', 4],
      ['text', 2],
      ['emptySummary', 2],
      ['copy', 1],
    ],
  )
  assert.deepEqual(ids(await find(world, { terms: termsOf('pear') })), ['copy', 'text', 'summary', 'member', 'inside', 'title', 'emptySummary'])
})

test('LIST-5 Pages give every record once in each order, and the same as a list that is searched by hand', async () => {
  await using world = await openTestSpace(app)
  const character = fc.constantFrom(...Array.from('aAbé日本한%_\'"*\\ 𠀀ß'))
  const text = fc.string({ unit: character, maxLength: 6 })
  const page = fc.record({ title: fc.option(text), summary: text, text, words: fc.subarray(['w0', 'w1', 'w2']), state: fc.constantFrom('kept', 'kept', 'gone'), at: fc.constantFrom(1, 2, 3) })
  let round = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(page, { maxLength: 10 }),
      fc.array(text, { minLength: 3, maxLength: 3 }),
      fc.array(text, { minLength: 1, maxLength: 2 }),
      fc.integer({ min: 1, max: 4 }),
      async (all, names, asked, limit) => {
        const space = await world.addSpace(`s${(round += 1)}`)
        await put(world, Object.fromEntries(all.map((one, index) => [`p${index}`, one])), space)
        await world.push(
          names.map((name, index) => ({ collection: 'words', id: `w${index}`, base: 0, data: { name } })),
          { space },
        )
        const terms = termsOf(...asked.flatMap((one) => foldText(one).split(' ')).filter((one) => one !== ''))
        const has = ({ title, summary, text: body, words }: (typeof all)[number], term: string) =>
          [title ?? '', summary, body, ...words.map((word) => names[Number(word.slice(1))] ?? '')].some((field) => foldText(field).includes(term))
        const expected = all
          .flatMap((one, index) => (one.state === 'kept' && terms.every((term) => has(one, term.text)) ? [{ id: `p${index}`, at: one.at }] : []))
          .toSorted((one, other) => other.at - one.at || (one.id < other.id ? 1 : -1))
          .map(({ id }) => id)
        for (const order of ['listed', 'relevance'] as const) {
          const walked: MatchPlace[] = []
          for (let after: MatchPlace | undefined; ; after = walked.at(-1)) {
            const found = await find(world, { space, terms, order, limit, after })
            walked.push(...found)
            if (found.length < limit) break
          }
          if (order === 'listed') assert.deepEqual(ids(walked), expected)
          else assert.deepEqual(ids(walked).toSorted(), expected.toSorted())
        }
        assert.equal(await count(world, { space, terms }), expected.length)
      },
    ),
    { numRuns: 40 },
  )
})

test('LIST-6 An index of an earlier form is made anew at start', async () => {
  await using world = await openTestSpace(app)
  await put(world, { one: { title: 'Kept', at: 1 } })
  const earlier: string[][] = [['DROP INDEX holdfast_search_listed', 'ALTER TABLE holdfast_search DROP COLUMN listed_by']]
  // In PostgreSQL the number of an entry was its key.
  if (world.database.dialect.name === 'postgres') {
    earlier.push(['ALTER TABLE holdfast_search DROP CONSTRAINT holdfast_search_pkey, ADD PRIMARY KEY (entry)'])
    // Grams stood beside the text, first as numbers of 32 bits.
    for (const column of ['grams INTEGER[]', 'gram_numbers BIGINT[]']) earlier.push(['DROP TABLE holdfast_search_grams', `ALTER TABLE holdfast_search ADD COLUMN ${column} NOT NULL DEFAULT '{}'`])
  }
  for (const statements of earlier) {
    await world.database.write(async (tx) => {
      for (const statement of statements) await tx.run(statement)
    })
    await migrate(world.database, [app], [], 1)
    assert.deepEqual(ids(await find(world, { terms: termsOf('kept') })), ['one'])
    const key = await world.database.read((reader) => reader.dialect.keyOf(reader, 'holdfast_search'))
    assert.deepEqual(key, world.database.dialect.name === 'sqlite' ? ['entry'] : ['space', 'collection', 'record'])
  }
})
