import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection, ref } from '../app/collection.ts'
import { compileApp } from '../app/compile-app.ts'
import { defineApp } from '../app/define-app.ts'
import type { Rule } from '../app/rule.ts'
import type { Outcome } from '../engine/mutation.ts'
import { diaryApp } from '../testing/diary-app.ts'
import { openTestSpace, type TestMutation, type TestSpace } from '../testing/open-test-space.ts'
import { listRejected } from './rejected-store.ts'
import { readSpaceState } from './space-state.ts'

const note = (id: string, op: 'put' | 'patch' | 'delete', base: number, data?: TestMutation['data']): TestMutation => ({ collection: 'notes', id, op, base, ...(data === undefined ? {} : { data }) })
const told = (outcome: Outcome | undefined) => (outcome?.status === 'rejected' ? `rejected ${outcome.error.code}` : outcome?.status)
const versionOf = (outcome: Outcome | undefined) => outcome?.record?.version ?? 0
const stateOf = (world: TestSpace) => world.database.read((reader) => readSpaceState(reader, world.space))

async function recordsOf(world: TestSpace) {
  return (await world.pull()).changes.map(({ collection: name, id, deleted, data }) => `${name}/${id} ${deleted ? 'deleted' : JSON.stringify(data?.['title'] ?? data)}`)
}

/** A note in three versions: made, its title changed by another device, then deleted or not. */
async function makeNote(world: TestSpace, id: string, deleted: boolean) {
  const made = versionOf(await world.pushOne(note(id, 'put', 0, { title: 'base' })))
  let stored = versionOf(await world.pushOne(note(id, 'patch', made, { title: 'theirs' }), { device: 'other' }))
  if (deleted) stored = versionOf(await world.pushOne(note(id, 'delete', stored), { device: 'other' }))
  return { made, stored }
}

/** Base and mutation, what it becomes against a live note, and against a deleted one. */
const table: readonly (readonly [base: 'none' | 'stale' | 'fresh' | 'ahead', op: 'put' | 'patch' | 'delete', data: TestMutation['data'], live: string, deleted: string])[] = [
  ['none', 'put', { title: 'mine' }, 'conflict', 'conflict'],
  ['none', 'put', { title: 'theirs' }, 'unchanged', 'conflict'],
  ['stale', 'put', { title: 'mine' }, 'conflict', 'conflict'],
  ['stale', 'put', { title: 'base', score: 1 }, 'merged', 'conflict'],
  ['stale', 'patch', { score: 1 }, 'merged', 'conflict'],
  ['stale', 'patch', { title: 'mine' }, 'conflict', 'conflict'],
  ['stale', 'patch', { title: 'theirs' }, 'unchanged', 'conflict'],
  ['stale', 'delete', undefined, 'conflict', 'unchanged'],
  ['fresh', 'put', { title: 'mine' }, 'applied', 'applied'],
  ['fresh', 'put', { title: 'theirs' }, 'unchanged', 'applied'],
  ['fresh', 'patch', { title: 'mine' }, 'applied', 'applied'],
  ['fresh', 'patch', {}, 'unchanged', 'applied'],
  ['fresh', 'patch', { title: null }, 'rejected record.invalid', 'rejected record.invalid'],
  ['fresh', 'delete', undefined, 'applied', 'unchanged'],
  ['ahead', 'put', { title: 'mine' }, 'rejected base.ahead', 'rejected base.ahead'],
  ['ahead', 'patch', { title: 'mine' }, 'rejected base.ahead', 'rejected base.ahead'],
  ['ahead', 'delete', undefined, 'rejected base.ahead', 'unchanged'],
]

test('COM-9 Each outcome of the table: only applied and merged make a version, and all answer the record as it is', async () => {
  await using world = await openTestSpace(diaryApp)
  for (const [row, [base, op, data, ...expected]] of table.entries()) {
    for (const [index, status] of expected.entries()) {
      const id = `note-${row}-${index}`
      const { made, stored } = await makeNote(world, id, index === 1)
      const bases = { none: 0, stale: made, fresh: stored, ahead: stored + 1_000 }
      const before = await stateOf(world)
      const outcome = await world.pushOne(note(id, op, bases[base], data))
      const what = `${base} ${op} ${JSON.stringify(data)} against ${index === 1 ? 'a deleted' : 'a live'} note`
      assert.equal(told(outcome), status, what)
      const after = await stateOf(world)
      const wrote = status === 'applied' || status === 'merged'
      assert.deepEqual([after.version > before.version, after.seq - before.seq], [wrote, wrote ? 1 : 0], what)
      if (!status.includes('invalid')) assert.equal(outcome.record?.version, wrote ? after.version : stored, what)
    }
  }
})

test('COM-9 Of a record that never was a put is applied, a patch rejected, a delete unchanged', async () => {
  await using world = await openTestSpace(diaryApp)
  const { outcomes } = await world.push([
    note('a', 'patch', 0, { title: 'x' }),
    note('a', 'delete', 0),
    note('b', 'put', 5, { title: 'x' }),
    note('c', 'put', 0, {}),
    note('d', 'put', 0, { title: 'x' }),
  ])
  assert.deepEqual(outcomes.map(told), ['rejected record.not_found', 'unchanged', 'rejected base.ahead', 'rejected record.invalid', 'applied'])
  assert.deepEqual(await recordsOf(world), ['notes/d "x"'])
})

test('COM-10 A mutation that cannot be read, or may not be written, is rejected by itself and kept for people to see', async () => {
  await using world = await openTestSpace(diaryApp)
  const wrong: readonly (readonly [TestMutation, string])[] = [
    [{ collection: 'nowhere', id: 'a', data: {} }, 'collection.unknown'],
    [{ collection: 'constructor', id: 'a', data: {} }, 'collection.unknown'],
    [{ collection: 'notes', id: 'not an id', data: { title: 'x' } }, 'mutation.malformed'],
    [{ collection: 'notes', id: 'a\u0000', data: { title: 'x' } }, 'mutation.malformed'],
    [{ collection: 'notes', id: 'b', data: { title: 'a\u0000b' } }, 'record.invalid'],
    [{ collection: 'notes', id: 'c', data: { title: '\ud800' } }, 'record.invalid'],
    [{ collection: 'notes', id: 'd', data: { title: 'x', place: { name: '\udc00', at: [] } } }, 'record.invalid'],
    [{ collection: 'notes', id: 'e', data: { title: 'x', tags: ['\u0000'] } }, 'record.invalid'],
    [{ collection: 'notes', id: 'f', data: { title: 'x', unknown: 1 } }, 'record.invalid'],
    [{ collection: 'notes', id: 'g', data: { title: 'x', visits: 1.5 } }, 'record.invalid'],
    [{ collection: 'notes', id: 'h', data: { title: 'x', visits: 2 ** 53 } }, 'record.invalid'],
    [{ collection: 'notes', id: 'i', op: 'delete', data: {} }, 'mutation.malformed'],
    [{ collection: 'notes', id: 'j', op: 'put' }, 'mutation.malformed'],
    [{ collection: 'notes', id: 'k', data: { title: 'x', checkedAt: 5 } }, 'field.read_only'],
    [{ collection: 'profile', id: 'you', data: { name: 'x' } }, 'record.invalid'],
    [{ collection: 'sealed', id: 'l', data: { value: 'x' } }, 'access.forbidden'],
    [{ collection: 'spans', id: 'm', data: { from: 2, to: 1 } }, 'record.invalid'],
    [{ collection: 'pages', id: 'n', data: { number: 1, note: 'nobody' } }, 'reference.not_found'],
  ]
  const { outcomes } = await world.push([...wrong.map(([mutation]) => mutation), note('fine', 'put', 0, { title: 'x' })])
  assert.deepEqual(outcomes.map(told), [...wrong.map(([, code]) => `rejected ${code}`), 'applied'])
  assert.deepEqual(await recordsOf(world), ['notes/fine "x"'])
  const kept = await world.database.read(async (reader) => (await listRejected(reader, { space: world.space, author: 'user:ada', after: undefined, limit: 100 })).rows)
  assert.deepEqual(
    kept.map(({ code }) => code),
    wrong.map(([, code]) => code),
  )
  for (const { mutation, record } of kept) assert.ok(JSON.parse(mutation) !== null && !`${mutation}${record}`.includes('\u0000'))
})

test('COM-10 A record may refer to one of the same push that comes before it, and to itself', async () => {
  await using world = await openTestSpace(diaryApp)
  const page = (id: string, to: string): TestMutation => ({ collection: 'pages', id, data: { number: 1, note: to } })
  const { outcomes } = await world.push([
    page('early', 'n'),
    note('n', 'put', 0, { title: 'x' }),
    page('late', 'n'),
    { ...page('one', 'gone'), group: 'g' },
    { ...note('gone', 'put', 0, { title: 'x' }), group: 'g' },
    page('two', 'gone'),
  ])
  assert.deepEqual(outcomes.map(told), ['rejected reference.not_found', 'applied', 'applied', 'rejected reference.not_found', 'rejected group.aborted', 'rejected reference.not_found'])
})

test('COM-10 The one record of a singleton is written by its owner', async () => {
  await using world = await openTestSpace(diaryApp)
  const me: TestMutation = { collection: 'profile', id: 'me', data: { name: 'Ada' } }
  assert.equal(told(await world.pushOne(me, { role: 'editor' })), 'rejected access.forbidden')
  assert.equal(told(await world.pushOne(me)), 'applied')
  assert.equal(told(await world.pushOne(note('a', 'put', 0, { title: 'x' }), { role: 'viewer' })), 'rejected access.forbidden')
})

test('COM-11 Fields with a policy of their own are joined by it: a set, the greater, the lesser, the sum, the lines', async () => {
  await using world = await openTestSpace(diaryApp)
  const data = { title: 't', tags: ['a', 'b'], best: 5, first: 5, visits: 10, body: 'one\ntwo\nthree' }
  const base = versionOf(await world.pushOne(note('a', 'put', 0, data)))
  await world.pushOne(note('a', 'patch', base, { tags: ['b', 'c'], best: 9, first: 4, visits: 12, body: 'ONE\ntwo\nthree' }), { device: 'other' })
  const outcome = await world.pushOne(note('a', 'patch', base, { tags: ['a', 'b', 'd'], best: 7, first: 2, visits: 13, body: 'one\ntwo\nTHREE' }))
  assert.equal(told(outcome), 'merged')
  const { tags, best, first, visits, body } = outcome.record?.fields ?? {}
  assert.deepEqual({ tags, best, first, visits, body }, { tags: ['b', 'c', 'd'], best: 9, first: 2, visits: 15, body: 'ONE\ntwo\nTHREE' })
})

test('COM-11 A collection with a function joins whole records, and a join that would not be valid is a conflict', async () => {
  await using world = await openTestSpace(diaryApp)
  const join = (base: number, words: readonly string[], device: string) => world.pushOne({ collection: 'joins', id: 'j', op: 'put', base, data: { words: [...words] } }, { device })
  const base = versionOf(await join(0, ['a'], 'one'))
  await join(base, ['a', 'b'], 'one')
  const joined = await join(base, ['a', 'c'], 'two')
  assert.deepEqual([told(joined), joined.record?.fields['words']], ['merged', ['a', 'b', 'c']])
  assert.equal(told(await join(base, ['d', 'e', 'f'], 'three')), 'conflict')
  // Each edit alone is a span; what both make together ends before it begins.
  const span = (from: number, data: TestMutation['data'], device: string) => world.pushOne({ collection: 'spans', id: 's', op: from === 0 ? 'put' : 'patch', base: from, data: data ?? {} }, { device })
  const made = versionOf(await span(0, { from: 1, to: 10 }, 'one'))
  await span(made, { to: 4 }, 'one')
  assert.equal(told(await span(made, { from: 8 }, 'two')), 'conflict')
  assert.deepEqual(
    (await world.pull({ collections: ['spans'] })).changes.map(({ data }) => data),
    [{ from: 1, to: 4 }],
  )
})

const archive = compileApp(
  defineApp({
    name: 'archive',
    collections: {
      boxes: collection(z.object({ label: z.string() })),
      folders: collection(z.object({ box: ref('boxes'), label: z.string() }), { indexes: [['box']] }),
      papers: collection(z.object({ folder: ref('folders'), locked: z.boolean().default(false) }), { indexes: [['folder']] }),
    },
  }),
)

/** Deleting a box deletes its folders, and those their papers, unless one of these is locked. */
const cascade =
  (child: string, field: string): Rule =>
  async ({ operation, id, reader }) => {
    if (operation !== 'delete') return { kind: 'accept' }
    const children = await reader.find(child, [{ field, equals: id }], 100)
    return { kind: 'accept', also: children.filter(({ deletedAt }) => deletedAt === null).map((record) => ({ collection: child, id: record.id, op: 'delete' as const })) }
  }
const rules: Record<string, Rule> = {
  boxes: cascade('folders', 'box'),
  folders: cascade('papers', 'folder'),
  papers: ({ operation, stored }) => (operation === 'delete' && stored?.fields['locked'] === true ? { kind: 'refuse', code: 'archive.locked', message: 'Locked.' } : { kind: 'accept' }),
}

test('COM-8 A cascade reaches what was written in the same push, and one refusal anywhere in it takes all of it back', async () => {
  await using world = await openTestSpace(archive, { rules })
  const made = async (name: string, locked: boolean) =>
    world.push([
      { collection: 'boxes', id: name, data: { label: name } },
      { collection: 'folders', id: `${name}-f`, data: { box: name, label: 'f' } },
      { collection: 'papers', id: `${name}-1`, data: { folder: `${name}-f` } },
      { collection: 'papers', id: `${name}-2`, data: { folder: `${name}-f`, locked } },
    ])
  const [free, locked] = [await made('free', false), await made('locked', true)]
  const { outcomes } = await world.push([
    { collection: 'papers', id: 'free-3', data: { folder: 'free-f' } },
    { collection: 'boxes', id: 'free', op: 'delete', base: versionOf(free.outcomes[0]) },
    { collection: 'boxes', id: 'locked', op: 'delete', base: versionOf(locked.outcomes[0]) },
  ])
  assert.deepEqual(outcomes.map(told), ['applied', 'applied', 'rejected archive.locked'])
  const { changes } = await world.pull()
  assert.deepEqual(
    changes.map(({ id }) => id),
    ['locked', 'locked-f', 'locked-1', 'locked-2'],
  )
})

const labels = compileApp(
  defineApp({
    name: 'labels',
    collections: { words: collection(z.object({ name: z.string() })), pages: collection(z.object({ words: z.array(z.string()).default([]) }), { indexes: [['createdAt', 'id']] }) },
  }),
)

/** A deleted word leaves every page. */
const wordRules: Record<string, Rule> = {
  words: async ({ operation, id, reader }) => {
    if (operation !== 'delete') return { kind: 'accept' }
    const pages = await reader.find('pages', [{ field: 'words', includes: id }], 100)
    const without = (words: unknown) => (Array.isArray(words) ? words.filter((word) => word !== id) : [])
    return { kind: 'accept', also: pages.map(({ id: page, fields }) => ({ collection: 'pages', id: page, op: 'patch' as const, data: { words: without(fields['words']) } })) }
  },
}

test('COM-8 A rule finds records by a member of a list, exactly and with what the same push wrote', async () => {
  await using world = await openTestSpace(labels, { rules: wordRules })
  await world.push([
    { collection: 'words', id: 'a_b', data: { name: 'x' } },
    { collection: 'pages', id: 'stored', data: { words: ['a_b', 'c'] } },
    { collection: 'pages', id: 'other', data: { words: ['A_B', 'aXb', 'a_b2'] } },
  ])
  const { changes } = await world.pull()
  const { outcomes } = await world.push([
    { collection: 'pages', id: 'fresh', data: { words: ['d', 'a_b'] } },
    { collection: 'words', id: 'a_b', op: 'delete', base: changes.find(({ id }) => id === 'a_b')?.version ?? 0 },
  ])
  assert.deepEqual(outcomes.map(told), ['applied', 'applied'])
  const pages = (await world.pull()).changes.flatMap(({ id, data }) => (data !== null && 'words' in data ? [[id, data['words']] as const] : [])).toSorted(([one], [other]) => (one < other ? -1 : 1))
  assert.deepEqual(pages, [
    ['fresh', ['d']],
    ['other', ['A_B', 'aXb', 'a_b2']],
    ['stored', ['c']],
  ])
})

const shelf = compileApp(defineApp({ name: 'shelf', collections: { books: collection(z.object({ year: z.int().nullable().default(null), note: z.string().default('') }), { indexes: [['year']] }) } }))

test('COM-8 A rule that wants live records only is given no others, as the same push has left them', async () => {
  const found: string[][] = []
  const bookRules: Record<string, Rule> = {
    books: async ({ operation, reader }) => {
      if (operation === 'create') found.push((await Promise.all([false, true].map((isDeleted) => reader.find('books', [{ isDeleted }], 100)))).map((books) => books.map(({ id }) => id).join(' ')))
      return { kind: 'accept' }
    },
  }
  await using world = await openTestSpace(shelf, { rules: bookRules })
  const put = (id: string) => ({ collection: 'books', id, data: {} })
  const { outcomes } = await world.push([put('a'), put('b')])
  await world.push([{ collection: 'books', id: 'a', op: 'delete', base: versionOf(outcomes[0]) }, put('c')])
  await world.push([put('d')])
  assert.deepEqual(found, [
    ['', ''],
    ['a', ''],
    ['b', 'a'],
    ['b c', 'a'],
  ])
})

test('COM-8 A rule finds records whose number is below another, with what the same push wrote', async () => {
  const bookRules: Record<string, Rule> = {
    books: async ({ reader, next }) => {
      const older = typeof next['year'] === 'number' ? await reader.find('books', [{ field: 'year', below: next['year'] }], 100) : []
      return { kind: 'accept', fields: { note: older.map(({ id }) => id).join(' ') } }
    },
  }
  await using world = await openTestSpace(shelf, { rules: bookRules })
  const put = (id: string, year: number | null) => ({ collection: 'books', id, data: { year } })
  await world.push([put('a', 1900), put('b', null), put('c', 1950)])
  await world.push([put('d', 1949), put('e', 1950), put('f', 1951)])
  const notes = (await world.pull()).changes.flatMap(({ id, data }) => (data !== null && 'note' in data ? [[id, data['note']] as const] : [])).toSorted(([one], [other]) => (one < other ? -1 : 1))
  assert.deepEqual(notes, [
    ['a', ''],
    ['b', ''],
    ['c', 'a'],
    ['d', 'a'],
    ['e', 'a d'],
    ['f', 'a c d e'],
  ])
})
