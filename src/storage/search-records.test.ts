import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { compileApp } from '../app/compile-app.ts'
import { defineApp } from '../app/define-app.ts'
import { foldText } from '../search/fold-text.ts'
import { phraseOf, termsOf } from '../search/search-terms.ts'
import { openTestSpace, type TestSpace } from '../testing/open-test-space.ts'
import { migrate } from './migrate.ts'
import { countMatches, searchRecords, type Match, type Search } from './search-records.ts'

const notesOf = (search: readonly ('title' | 'text' | 'tags')[]) =>
  collection(z.object({ title: z.string(), text: z.string().default(''), tags: z.array(z.string()).default([]), stars: z.int().default(0) }), { search })
const appOf = (search: readonly ('title' | 'text' | 'tags')[]) =>
  compileApp(defineApp({ name: 'shop', collections: { notes: notesOf(search), others: collection(z.object({ title: z.string() }), { search: ['title'] }) } }))
const app = appOf(['title', 'text', 'tags'])

function openNotes(): Promise<TestSpace> {
  return openTestSpace(app)
}

async function put(world: TestSpace, id: string, data: Record<string, string | number | string[]>, options = {}): Promise<void> {
  const outcome = await world.pushOne({ collection: 'notes', id, base: 0, data: { title: '', ...data } }, options)
  assert.equal(outcome.status, 'applied')
}

function find(world: TestSpace, search: Partial<Search>): Promise<Match[]> {
  return world.database.read((reader) => searchRecords(reader, { space: world.space, collections: ['notes'], terms: [], order: 'relevance', limit: 100, ...search }))
}

async function ids(world: TestSpace, query: string): Promise<string[]> {
  return (await find(world, { terms: termsOf(query) })).map(({ id }) => id).toSorted()
}

test('SRCH-1 A search sees a record as its readers do: with its create, change, delete and restore', async () => {
  await using world = await openNotes()
  await put(world, 'one', { title: 'Hollow tree' })
  assert.deepEqual(await ids(world, 'hollow'), ['one'])
  const patch = (data: Record<string, string | number>) => world.pushOne({ collection: 'notes', id: 'one', op: 'patch', base: 0, data }, { keepConflicts: false })
  const stored = await find(world, { terms: termsOf('hollow') })
  await world.push([{ collection: 'notes', id: 'one', op: 'patch', base: stored[0]?.version ?? 0, data: { title: 'Green tree' } }])
  assert.deepEqual(await ids(world, 'hollow'), [])
  assert.deepEqual(await ids(world, 'green tree'), ['one'])
  const [green] = await find(world, { terms: termsOf('green') })
  await patch({ stars: 5 })
  const [starred] = await find(world, { terms: termsOf('green') })
  assert.ok((starred?.version ?? 0) > (green?.version ?? 0), 'the version moves though the text does not')
  await world.push([{ collection: 'notes', id: 'one', op: 'delete', base: starred?.version ?? 0 }])
  assert.deepEqual(await ids(world, 'tree'), [])
  await world.push([{ collection: 'notes', id: 'one', op: 'put', base: 0, data: { title: 'Back again' } }], { keepConflicts: false })
  const { outcomes } = await world.push(
    [
      { collection: 'notes', id: 'bad', base: 0, data: { title: 'tree' } },
      { collection: 'notes', id: 'worse', base: 0, data: {} },
    ],
    { atomic: true },
  )
  assert.equal(outcomes[1]?.status, 'rejected')
  assert.deepEqual(await ids(world, 'tree'), [], 'what was not stored is not found')
})

test('SRCH-1 Writes of one record that share a commit leave the last of them in the index', async () => {
  await using world = await openNotes()
  await put(world, 'one', { title: 'zero' })
  await put(world, 'gone', { title: 'before' })
  // Each is made on the version that the one before it leaves.
  const [gone] = await find(world, { terms: termsOf('before') })
  const next = (gone?.version ?? 0) + 1
  const outcomes = await Promise.all(
    [
      { id: 'one', op: 'patch', base: next - 2, data: { title: 'first' } } as const,
      { id: 'one', op: 'delete', base: next } as const,
      { id: 'one', op: 'put', base: next + 1, data: { title: 'second' } } as const,
      { id: 'one', op: 'patch', base: next + 2, data: { title: 'third' } } as const,
      { id: 'gone', op: 'patch', base: next - 1, data: { title: 'during' } } as const,
      { id: 'gone', op: 'delete', base: next + 4 } as const,
    ].map((mutation) => world.pushOne({ collection: 'notes', ...mutation })),
  )
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    outcomes.map(() => 'applied'),
  )
  const found = await Promise.all(['zero', 'first', 'second', 'third', 'before', 'during'].map(async (query) => (await ids(world, query)).length))
  assert.deepEqual(found, [0, 0, 0, 1, 0, 0])
  const [counts] = await world.database.read((reader) =>
    reader.all<{ entries: number; grams: number }>('SELECT (SELECT count(*) FROM holdfast_search) AS entries, (SELECT count(*) FROM holdfast_search_grams) AS grams'),
  )
  assert.deepEqual({ ...counts }, { entries: 1, grams: 1 })
})

test('SRCH-3 Every term must occur, in any field, also inside a word; one and two characters are found, in any script', async () => {
  await using world = await openNotes()
  await put(world, 'en', { title: 'The quick brown fox', text: 'jumps over', tags: ['Animals', 'a b'] })
  await put(world, 'zh', { title: '日本語の勉強', text: '东京都' })
  await put(world, 'ko', { title: '안녕하세요', text: 'x' })
  await put(world, 'th', { title: 'สวัสดีชาวโลก' })
  await put(world, 'emoji', { title: '👍🏽 ok' })
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['FOX jump', ['en']],
    ['uick', ['en']],
    ['fox zebra', []],
    ['q', ['en']],
    ['ow', ['en']],
    ['日', ['zh']],
    ['本語', ['zh']],
    ['京都', ['zh']],
    ['の勉強', ['zh']],
    ['京 語', ['zh']],
    ['녕하', ['ko']],
    ['วัส', ['th']],
    ['👍', ['emoji']],
    ['k', ['emoji', 'en']],
    ['animal', ['en']],
    ['mals\u001Fa', ['en']],
  ]
  for (const [query, expected] of cases) assert.deepEqual(await ids(world, query), expected, query)
  assert.deepEqual(
    (await find(world, { terms: phraseOf('quick  BROWN') })).map(({ id }) => id),
    ['en'],
  )
  assert.deepEqual(await find(world, { terms: phraseOf('quick fox') }), [])
  assert.deepEqual(await find(world, { terms: phraseOf('animals a') }), [], 'no term spans two texts')
})

test('SRCH-4 Nothing in a query is an operator', async () => {
  await using world = await openNotes()
  const texts = [
    '100% sure',
    'snake_case',
    'a*b',
    'say "hi"',
    "it's",
    '(x)',
    'a-b',
    'AND',
    'NEAR(x y)',
    'title:x',
    '^start',
    'x + y',
    '{a b}',
    'c:\\dir',
    '$1',
    '?',
    "'; DROP TABLE notes; --",
    'a OR b',
    'NOT a',
    '<b>&amp;</b>',
  ]
  for (const [index, title] of texts.entries()) await put(world, `n${String(index).padStart(2, '0')}`, { title })
  for (const title of texts) {
    const expected = texts.flatMap((other, index) => (foldText(other).includes(foldText(title)) ? [`n${String(index).padStart(2, '0')}`] : []))
    assert.deepEqual((await find(world, { terms: phraseOf(title) })).map(({ id }) => id).toSorted(), expected, title)
  }
  assert.deepEqual(await ids(world, '%'), ['n00'])
  assert.deepEqual(await ids(world, '_'), ['n01'])
  assert.deepEqual(await ids(world, '*'), ['n02'])
  assert.deepEqual(await ids(world, 'sno*'), [])
})

test('SRCH-5 The beginning of a word in the first field counts most, then the first field, then the beginning of another word; equals are newest first', async () => {
  await using world = await openNotes()
  await put(world, 'inside', { text: 'xpear' })
  await put(world, 'word', { text: 'a pear' })
  await put(world, 'title-inside', { title: 'xpear' })
  await put(world, 'title-word', { title: 'a pear' })
  await put(world, 'tag', { tags: ['x', 'pear'] })
  const found = await find(world, { terms: termsOf('pear') })
  assert.deepEqual(
    found.map(({ id, score }) => [id, score]),
    [
      ['title-word', 8],
      ['title-inside', 4],
      ['tag', 2],
      ['word', 2],
      ['inside', 1],
    ],
  )
  assert.deepEqual(
    (await find(world, { terms: termsOf('pear'), order: 'recent' })).map(({ id }) => id),
    ['tag', 'title-word', 'title-inside', 'word', 'inside'],
  )
})

test('SRCH-6 Pages by cursor give every match once, in one order, with an exact total', async () => {
  await using world = await openNotes()
  for (let index = 0; index < 25; index += 1) await put(world, `n${index}`, { title: index % 3 === 0 ? 'apple' : 'other', text: 'one apple' })
  for (const order of ['relevance', 'recent'] as const) {
    const all = await find(world, { terms: termsOf('apple'), order })
    const paged: Match[] = []
    for (let after: Match | undefined; ; after = paged.at(-1)) {
      const page = await find(world, { terms: termsOf('apple'), order, after, limit: 4 })
      paged.push(...page)
      if (page.length < 4) break
    }
    assert.equal(all.length, 25)
    assert.deepEqual(paged, all)
  }
  assert.equal(await world.database.read((reader) => countMatches(reader, { space: world.space, collections: ['notes'], terms: termsOf('apple') })), 25)
})

test('SRCH-7 A search stays in its space and in the collections it names', async () => {
  await using world = await openNotes()
  const bob = await world.addSpace('bob')
  await put(world, 'mine', { title: 'secret plan' })
  await put(world, 'his', { title: 'secret plan' }, { space: bob })
  await world.push([{ collection: 'others', id: 'other', base: 0, data: { title: 'secret plan' } }])
  assert.deepEqual(await ids(world, 'secret'), ['mine'])
  assert.deepEqual(
    (await find(world, { terms: termsOf('secret'), collections: ['notes', 'others'] })).map(({ id }) => id),
    ['other', 'mine'],
  )
  assert.deepEqual(
    (await find(world, { terms: termsOf('secret'), space: bob })).map(({ id }) => id),
    ['his'],
  )
  assert.deepEqual(await find(world, { terms: [] }), [])
})

test('SRCH-9 When a declaration searches other fields, the index is made anew at start', async () => {
  await using world = await openNotes()
  await put(world, 'one', { title: 'title', text: 'body' })
  await put(world, 'two', { title: 'gone', text: 'body' })
  await world.push([{ collection: 'notes', id: 'two', op: 'delete', base: (await find(world, { terms: termsOf('gone') }))[0]?.version ?? 0 }])
  await migrate(world.database, [appOf(['title'])], [], 1)
  assert.deepEqual([await ids(world, 'title'), await ids(world, 'body')], [['one'], []])
  await migrate(world.database, [appOf([])], [], 1)
  assert.deepEqual(await ids(world, 'title'), [])
  await migrate(world.database, [appOf(['text', 'title'])], [], 1)
  assert.deepEqual(
    (await find(world, { terms: termsOf('title body') })).map(({ id, score }) => [id, score]),
    [['one', 10]],
  )
  assert.throws(() => compileApp(defineApp({ name: 'shop', collections: { notes: collection(z.object({ stars: z.int() }), { search: ['stars'] }) } })), /shop\.notes\.stars/)
})

test('SRCH-3 Both databases find exactly the records whose folded text holds every term', async () => {
  await using world = await openNotes()
  const character = fc.constantFrom(...Array.from('aAbBcé日本語カな한 -"*%_\'𠀀👍ßσς'))
  const text = fc.string({ unit: character, maxLength: 12 })
  let round = 0
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 8 }), fc.array(fc.string({ unit: character, maxLength: 4 }), { minLength: 1, maxLength: 3 }), async (titles, words) => {
      const space = await world.addSpace(`s${(round += 1)}`)
      await world.push(
        titles.map((title, index) => ({ collection: 'notes', id: `n${index}`, base: 0, data: { title: `${title}|`, text: title } })),
        { space },
      )
      const terms = termsOf(words.join(' '))
      const expected = titles.flatMap((title, index) =>
        terms.length > 0 && terms.every((term) => foldText(`${title}|`).includes(term.text) || foldText(title).includes(term.text)) ? [`n${index}`] : [],
      )
      assert.deepEqual((await find(world, { terms, space })).map(({ id }) => id).toSorted(), expected)
    }),
    { numRuns: 60 },
  )
})
