import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { compileApp } from '../app/compile-app.ts'
import { defineApp } from '../app/define-app.ts'
import type { StoredRecord } from '../app/rule.ts'
import type { JsonValue } from '../lib/json.ts'
import { foldText } from '../search/fold-text.ts'
import { openTestSpace, type TestMutation, type TestSpace } from '../testing/open-test-space.ts'
import { listAndCountMatching, listMatching, type MatchingPage } from './list-matching.ts'
import type { MatchPlace } from './match-order.ts'
import { getRecords } from './read-records.ts'
import { countMatches, searchRecords, type Match, type Search } from './search-records.ts'

/**
 * Random writes of hostile texts, then random searches; each answer is compared with a look at every record that a reader sees. Of the
 * production code that look uses `foldText` alone.
 */
const app = compileApp(
  defineApp({
    name: 'shop',
    collections: {
      pages: collection(
        z.object({
          title: z.string().nullable().default(null),
          summary: z.string().default(''),
          labels: z.array(z.string()).default([]),
          text: z.string().default(''),
          more: z.record(z.string(), z.array(z.string())).default({}),
          words: z.array(z.string()).default([]),
          state: z.string().default('kept'),
          at: z.int().nullable().default(0),
          kind: z.string().default('note'),
        }),
        { search: ['title', 'summary', 'labels', 'text', 'more'], listed: { by: 'state', sort: 'at' }, members: 'words', indexes: [['state', 'at', 'id']] },
      ),
      words: collection(z.object({ names: z.array(z.string()), stars: z.int().default(0) }), { search: ['names'] }),
      copies: collection(z.object({ text: z.string() }), { search: ['text'] }),
    },
  }),
)
const searched: Readonly<Record<string, readonly string[]>> = { pages: ['title', 'summary', 'labels', 'text', 'more'], words: ['names'], copies: ['text'] }
const ids = ['a', 'A', 'a.b', 'b-1', 'b_1', 'c:1'] as const

/** Characters of a record that can be found. */
const FOUND_CHARS = 262_144

const pieces = [
  ...Array.from('aAbBeEsSiIxzß ẞſİıøØæÆÅéÉΣσςйЙИўガがカｶﾞ日本語東京한국각ᄒสวั๊אבגعربيक्षि👍🏽❤️𠀀𐐀𐐨ﬁﬆǅﷺ①Ⅷ½´¨ª'),
  ...Array.from('%_*"\'\\()-&|!<>:^~{}[]$?;,./#@=+`\t\n\u00A0\u3000\u2028\u0085'),
  'e\u0301',
  '\u0301',
  '\u0345',
  '\u3099',
  '\u0323',
  '\u200B',
  '\u200D',
  '\u00AD',
  '\uFEFF',
  '\u202E',
  '\u2066',
  '\u001F',
  '\u001E',
  '\u0001',
  '\uFFFD',
  '\uFFFF',
  '👨‍👩‍👧',
  'AND',
  ' OR ',
  'NOT ',
  'NEAR(',
  'title:',
  'the',
  'a b',
  'ab',
  '日 本',
  ':*',
  '<->',
  "''",
  '""',
  '\\\\',
  '%%',
  '{1}',
  '\\u0000',
] as const
const piece = fc.constantFrom(...pieces)
const shortText = fc.array(piece, { maxLength: 8 }).map((some) => some.join(''))
/** Texts about as long as can be found of a record, so that what is at its end is found or is not. */
const longText = fc.tuple(fc.constantFrom('x', 'ab ', '日', '👍', 'é.', 'Aß '), fc.integer({ min: -6, max: 3 }), shortText).map(([filler, over, end]) => {
  return `${filler.repeat(Math.ceil(FOUND_CHARS / filler.length)).slice(0, FOUND_CHARS + over)}${end}`.toWellFormed()
})
const refusedText = shortText.chain((text) => fc.constantFrom(`${text}\0`, `\uD800${text}`))
const hostile = fc.oneof({ weight: 100, arbitrary: shortText }, { weight: 12, arbitrary: fc.array(piece, { maxLength: 60 }).map((some) => some.join('')) }, { weight: 2, arbitrary: refusedText })
const anyText = fc.oneof({ weight: 400, arbitrary: hostile }, { weight: 1, arbitrary: longText })

const pageData = fc.record(
  {
    title: fc.option(anyText),
    summary: hostile,
    labels: fc.array(hostile, { maxLength: 3 }),
    text: anyText,
    more: fc.dictionary(fc.constantFrom('k', 'l', '__proto_', '日'), fc.array(hostile, { maxLength: 2 }), { maxKeys: 2 }),
    words: fc.uniqueArray(fc.constantFrom(...ids), { maxLength: 3 }),
    state: fc.constantFrom('kept', 'kept', 'kept', 'gone'),
    at: fc.constantFrom(null, -1, 0, 1, 1, 2, Number.MAX_SAFE_INTEGER),
    kind: fc.constantFrom('note', 'link'),
  },
  { requiredKeys: [] },
)
const change = fc.oneof(
  { weight: 6, arbitrary: fc.record({ collection: fc.constant('pages'), data: pageData }) },
  { weight: 2, arbitrary: fc.record({ collection: fc.constant('words'), data: fc.record({ names: fc.array(hostile, { maxLength: 3 }), stars: fc.nat({ max: 3 }) }) }) },
  { weight: 2, arbitrary: fc.record({ collection: fc.constant('copies'), data: fc.record({ text: anyText }) }) },
)
const edit = fc.record({
  change,
  id: fc.constantFrom(...ids),
  op: fc.constantFrom('put' as const, 'put' as const, 'put' as const, 'patch' as const, 'delete' as const),
  base: fc.constantFrom('current' as const, 'current' as const, 'current' as const, 'old' as const),
})
const push = fc.record({ edits: fc.array(edit, { minLength: 1, maxLength: 12 }), atomic: fc.constantFrom(false, false, true), keepConflicts: fc.boolean() })
type Push = typeof push extends fc.Arbitrary<infer T> ? T : never
const pushes = fc.array(push, { minLength: 1, maxLength: 4 })

/** What is looked for: a piece of a stored text, changed in ways that do not count, or any text. */
const wanted = fc.record({
  text: fc.option(fc.oneof(shortText, piece)),
  from: fc.nat(),
  start: fc.double({ min: 0, max: 1, noNaN: true }),
  chars: fc.constantFrom(1, 1, 2, 2, 3, 3, 4, 5, 8, 40),
  form: fc.constantFrom('same', 'upper', 'lower', 'NFD', 'NFKC'),
  asPhrase: fc.boolean(),
  also: fc.boolean(),
  members: fc.constantFrom('no', 'too', 'only'),
})
type Wanted = typeof wanted extends fc.Arbitrary<infer T> ? T : never
const query = fc.record({
  wanted: fc.array(wanted, { minLength: 1, maxLength: 4 }),
  collections: fc.subarray(['pages', 'words', 'copies'], { minLength: 1 }),
  by: fc.constantFrom('kept', 'kept', 'gone', 'none'),
  kind: fc.constantFrom(undefined, undefined, 'note'),
  having: fc.subarray([...ids], { maxLength: 1 }),
  withoutTerms: fc.constantFrom(false, false, false, true),
  limits: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
})
type Query = typeof query extends fc.Arbitrary<infer T> ? T : never

interface Term {
  readonly text: string
  readonly alsoIn?: string
  readonly membersIn?: string
  readonly membersOnly?: boolean
}

/** A live record, with the folded texts of each searched field. */
interface Seen {
  readonly collection: string
  readonly record: StoredRecord
  readonly texts: readonly (readonly string[])[]
}

function textsOf(collectionName: string, { fields }: StoredRecord): string[][] {
  let room = FOUND_CHARS
  const folded = (value: JsonValue | undefined): string[] => {
    if (Array.isArray(value)) return value.flatMap(folded)
    if (typeof value === 'object' && value !== null) return Object.values(value).flatMap((part) => folded(part as JsonValue))
    if (typeof value !== 'string') return []
    const found = value.slice(0, Math.max(0, room))
    room -= value.length
    return [foldText(found)]
  }
  return (searched[collectionName] ?? []).map((name) => folded(fields[name]))
}

const occurs = (texts: readonly string[] | undefined, term: string) => (texts ?? []).some((text) => text.includes(term))
const begins = (texts: readonly string[] | undefined, term: string) => (texts ?? []).some((text) => text.startsWith(term) || text.includes(` ${term}`))

/** Tombstones too. */
async function readStored(world: TestSpace, space: number): Promise<Omit<Seen, 'texts'>[]> {
  return world.database.read(async (reader) => {
    const stored: Omit<Seen, 'texts'>[] = []
    for (const one of app.collections.values()) for (const record of await getRecords(reader, one, space, ids)) stored.push({ collection: one.name, record })
    return stored
  })
}

async function write(world: TestSpace, space: number, { edits, atomic, keepConflicts }: Push): Promise<void> {
  const versions = new Map((await readStored(world, space)).map(({ collection: name, record }) => [`${name} ${record.id}`, record.version]))
  const mutations = edits.map(({ change: { collection: name, data }, id, op, base }): TestMutation => {
    const current = versions.get(`${name} ${id}`) ?? 0
    const sent = op === 'delete' ? {} : { data: JSON.parse(JSON.stringify(data)) as Record<string, JsonValue> }
    return { collection: name, id, op, base: base === 'current' ? current : Math.max(0, current - 1), ...sent }
  })
  await world.push(mutations, { space, atomic, keepConflicts })
}

function scanSearch(seen: readonly Seen[], terms: readonly Term[], collections: readonly string[], order: Search['order']): Match[] {
  const scoreOf = ({ texts: [first, ...rest] }: Seen, { text }: Term): number => {
    if (begins(first, text)) return 8
    if (occurs(first, text)) return 4
    if (begins(rest.flat(), text)) return 2
    return occurs(rest.flat(), text) ? 1 : 0
  }
  return seen
    .filter((one) => collections.includes(one.collection))
    .map((one) => ({ collection: one.collection, id: one.record.id, version: one.record.version, scores: terms.map((term) => scoreOf(one, term)) }))
    .filter(({ scores }) => scores.length > 0 && !scores.includes(0))
    .map(({ scores, ...match }) => ({ ...match, score: order === 'recent' ? 0 : scores.reduce((sum, score) => sum + score, 0) }))
    .toSorted((one, other) => other.score - one.score || other.version - one.version)
}

function scanList(seen: readonly Seen[], page: Omit<MatchingPage, 'limit' | 'space'>): MatchPlace[] {
  const { terms = [], members = [], equals = {} } = page
  const scoreOf = ({ record, texts }: Seen, { text, alsoIn, membersIn, membersOnly = false }: Term): number => {
    const [first, second, ...rest] = membersOnly ? [] : texts
    const its = (record.fields['words'] ?? []) as readonly string[]
    if (begins(first, text)) return 9
    if (occurs(first, text)) return 8
    if (seen.some((one) => one.collection === membersIn && its.includes(one.record.id) && occurs(one.texts.flat(), text))) return 6
    if (occurs(second, text)) return 4
    if (occurs(rest.flat(), text)) return 2
    return !membersOnly && seen.some((one) => one.collection === alsoIn && one.record.id === record.id && occurs(one.texts.flat(), text)) ? 1 : 0
  }
  const fits = ({ collection: name, record: { fields } }: Seen) =>
    name === 'pages' &&
    fields['state'] === page.by &&
    fields['at'] !== null &&
    Object.entries(equals).every(([field, value]) => fields[field] === value) &&
    members.every((member) => (fields['words'] as readonly string[]).includes(member))
  return seen
    .filter(fits)
    .map((one) => ({ id: one.record.id, value: one.record.fields['at'] as number, scores: terms.map((term) => scoreOf(one, term)) }))
    .filter(({ scores }) => !scores.includes(0))
    .map(({ scores, ...place }) => ({ ...place, score: page.order === 'listed' ? 0 : scores.reduce((sum, score) => sum + score, 0) }))
    .toSorted((one, other) => other.score - one.score || other.value - one.value || (one.id < other.id ? 1 : -1))
}

function termsOfQuery(all: readonly string[], { wanted: some }: Query): Term[] {
  return some.flatMap((one) => {
    const folded = foldText(textOf(all, one))
    const rest = {
      ...(one.also ? { alsoIn: 'copies' } : {}),
      ...(one.members === 'no' ? {} : { membersIn: 'words', membersOnly: one.members === 'only' }),
    }
    return (one.asPhrase ? [folded] : folded.split(' ')).filter((text) => text !== '').map((text) => ({ text, ...rest }))
  })
}

function textOf(all: readonly string[], { text, from, start, chars, form }: Wanted): string {
  const stored = all[from % Math.max(1, all.length)]
  // Of a long text its end is what matters.
  const characters = Array.from((stored ?? '').slice(-100))
  const at = Math.floor(start * characters.length)
  const chosen = text ?? characters.slice(at, at + chars).join('')
  if (form === 'upper') return chosen.toUpperCase()
  if (form === 'lower') return chosen.toLowerCase()
  return form === 'same' ? chosen : chosen.normalize(form)
}

/** All pages, of sizes that change from page to page. */
async function walk<T extends object>(limits: readonly number[], read: (page: { readonly after: T | undefined; readonly limit: number }) => Promise<readonly T[]>): Promise<T[]> {
  const walked: T[] = []
  for (let page = 0; page < 100; page += 1) {
    const limit = limits[page % limits.length] ?? 1
    const found = await read({ after: walked.at(-1), limit })
    assert.ok(found.length <= limit)
    // Rows of SQLite have no prototype.
    walked.push(...found.map((one) => ({ ...one })))
    if (found.length < limit) return walked
  }
  return assert.fail('The pages do not end.')
}

async function checkSearch(world: TestSpace, space: number, seen: readonly Seen[], asked: Query): Promise<void> {
  const terms = termsOfQuery(
    seen.flatMap(({ texts, record }) => [...texts.flat(), ...Object.values(record.fields).filter((value) => typeof value === 'string')]),
    asked,
  )
  const { collections, limits } = asked
  for (const order of ['relevance', 'recent'] as const) {
    const expected = scanSearch(seen, terms, collections, order)
    const found = await walk<Match>(limits, (page) => world.database.read((reader) => searchRecords(reader, { space, collections, terms, order, ...page })))
    assert.deepEqual(found, expected, `${order} ${JSON.stringify(terms)}`)
    assert.equal(await world.database.read((reader) => countMatches(reader, { space, collections, terms })), expected.length)
  }
  const pages = app.collections.get('pages') ?? assert.fail()
  for (const order of ['listed', 'relevance'] as const) {
    const list = { space, by: asked.by, order, members: asked.having, terms: asked.withoutTerms ? [] : terms, ...(asked.kind === undefined ? {} : { equals: { kind: asked.kind } }) }
    // Without texts nothing has a score, and the order is that of the list.
    const expected = scanList(seen, list)
    const found = await walk<MatchPlace>(limits, (page) => world.database.read((reader) => listMatching(reader, pages, { ...list, ...page })))
    assert.deepEqual(found, expected, `${order} ${JSON.stringify(terms)}`)
    const { places, total } = await world.database.read((reader) => listAndCountMatching(reader, pages, { ...list, limit: 2 }))
    assert.deepEqual([places.map((one) => ({ ...one })), total], [expected.slice(0, 2), expected.length])
  }
}

test('SRCH-1 SRCH-3 SRCH-5 SRCH-6 LIST-2 LIST-3 LIST-4 LIST-5 After any writes a search gives what a look at every record gives, in that order, page by page', { timeout: 3_600_000 }, async () => {
  let [world, rounds] = [await openTestSpace(app), 0]
  try {
    await fc.assert(
      fc.asyncProperty(pushes, fc.array(query, { minLength: 3, maxLength: 6 }), async (all, queries) => {
        if ((rounds += 1) % 500 === 0) {
          await world[Symbol.asyncDispose]()
          world = await openTestSpace(app)
        }
        const space = await world.addSpace(`s${rounds}`)
        for (const one of all) await write(world, space, one)
        const live = (await readStored(world, space)).filter(({ record }) => record.deletedAt === null)
        const seen = live.map((one) => ({ ...one, texts: textsOf(one.collection, one.record) }))
        for (const asked of queries) await checkSearch(world, space, seen, asked)
      }),
      { numRuns: Number(process.env['HOLDFAST_TEST_RUNS'] ?? 25) },
    )
  } finally {
    await world[Symbol.asyncDispose]()
  }
})
