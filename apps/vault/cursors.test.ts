import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { keep } from './library.fixture.ts'
import { openTestVault, type Answer, type TestUser, type TestVault } from './open-test-vault.ts'
import type { Position } from './routes/page-cursor.ts'

/** A list with a page size of one: how it is asked for, and what its cursors belong to. */
interface List {
  readonly name: string
  readonly query: string
  /** Sent as JSON where the list takes a body. */
  readonly body?: Readonly<Record<string, unknown>>
  readonly listOf: (space: number) => readonly (string | number | boolean | null | readonly string[])[]
}

const lists: readonly List[] = [
  { name: 'pending', query: '/items/pending?limit=1', listOf: (space) => ['pending', space] },
  { name: 'library', query: '/library?limit=1', listOf: (space) => ['library', space, '', [], null] },
  { name: 'library by word', query: '/library?limit=1&q=text', listOf: (space) => ['library', space, 'text', [], null] },
  { name: 'library by tag', query: '/library?limit=1&tag=x', listOf: (space) => ['library', space, '', ['x'], null] },
  { name: 'search', query: '/search?limit=1&q=text', listOf: (space) => ['search', space, 'text', 'recent'] },
  { name: 'search by relevance', query: '/search?limit=1&q=text&sort=relevance', listOf: (space) => ['search', space, 'text', 'relevance'] },
  { name: 'search with a body', query: '/search', body: { q: 'text', limit: 1 }, listOf: (space) => ['search', space, 'text', 'recent'] },
  { name: 'tags', query: '/tags?limit=1', listOf: (space) => ['tags', space, '', false, 'name'] },
  { name: 'tags by use', query: '/tags?limit=1&sort=usage', listOf: (space) => ['tags', space, '', false, 'usage'] },
  { name: 'tags by last use', query: '/tags?limit=1&sort=lastUsed', listOf: (space) => ['tags', space, '', false, 'lastUsed'] },
]

function ask(user: TestUser, { query, body }: List, cursor?: string): Promise<Answer> {
  if (body !== undefined) return user.call('POST', query, { ...body, ...(cursor === undefined ? {} : { cursor }) })
  return user.call('GET', cursor === undefined ? query : `${query}&cursor=${encodeURIComponent(cursor)}`)
}

async function cursorOf(user: TestUser, list: List): Promise<string> {
  const { status, body } = await ask(user, list)
  const { cursor } = body['pagination'] as { readonly cursor: string | null }
  assert.ok(status === 200 && cursor !== null, list.name)
  return cursor
}

/** 400, with the cursor named. */
function refuses({ status, body }: Answer, place: string): void {
  assert.equal(status, 400, place)
  const { code, details } = body.error
  if (code === 'INVALID_CURSOR') return assert.equal(typeof details['cursor'], 'string', place)
  const errors = details['errors'] as unknown as readonly { readonly field: string }[]
  return assert.deepEqual([code, errors.map(({ field }) => field)], ['VALIDATION_ERROR', ['cursor']], place)
}

async function openFilled(world: TestVault): Promise<{ readonly user: TestUser; readonly space: number }> {
  const user = await world.signUp()
  await keep(user, { a: { tags: ['x'] }, b: { tags: ['x', 'y'] }, c: {} })
  for (const id of ['p', 'q']) await user.call('POST', '/items', { id, rawText: 'text' })
  return { user, space: (await world.scopeOf(user)).space }
}

test('VLT-53 Every list refuses the cursors of the others, and what is none', async () => {
  await using world = await openTestVault()
  const { user } = await openFilled(world)
  const other = await openFilled(world)
  const cursors = new Map<List, string>()
  for (const list of lists) cursors.set(list, await cursorOf(user, list))
  for (const list of lists) {
    const own = cursors.get(list) ?? ''
    assert.equal((await ask(user, list, own)).status, 200, list.name)
    const [position = '', check = ''] = own.split('.')
    const others = [...cursors].filter(([one, cursor]) => one !== list && cursor !== own).map(([, cursor]) => cursor)
    const cut = [position, `${position}.`, `.${check}`, `${position.slice(0, -1)}.${check}`, `${position}.${check.slice(0, -1)}`, own.slice(1)]
    const longer = [`${own}\0`, `\0${own}`, `${own} `, `${own}=`, `${position}=.${check}`, `${own}.${check}`, `${own}${own}`, 'A'.repeat(4_096), 'A'.repeat(15_000)]
    const junk = ['', ' ', '.', 'x', '%', '\0', '\u{1F389}', own.toUpperCase(), 'null', '9223372036854775808', 'NaN', '[]', '{}', Buffer.from('[1e300,"a"]').toString('base64url')]
    const wrong = [...others, await cursorOf(other.user, list), ...cut, ...longer, ...junk]
    for (const cursor of wrong) refuses(await ask(user, list, cursor), `${list.name}: ${JSON.stringify(cursor.slice(0, 80))}`)
    if (list.body === undefined) for (const raw of ['%00', '%FF', '%ED%A0%80', 'a&cursor=b']) refuses(await user.call('GET', `${list.query}&cursor=${raw}`), `${list.name}: ${raw}`)
    else for (const value of [5, true, {}, [], [own], '\uD800']) refuses(await user.call('POST', list.query, { ...list.body, cursor: value }), `${list.name}: ${JSON.stringify(value)}`)
  }
})

/** Whoever has read how a cursor is made can make one for any place. */
const places: readonly (readonly (string | number | null)[])[] = [
  [],
  [1],
  ['a'],
  [1, 'a', 2, 'b', 3],
  ...[1e300, -1e300, 2 ** 63, -(2 ** 63) - 2048, 2 ** 53, 2 ** 53 - 1, 2 ** 31, 1 - 2 ** 53, 1.5, -0.5, null, 'NaN', '', '9223372036854775808', '1; DROP TABLE vault_items', '\0'].flatMap(
    (value): (readonly (string | number | null)[])[] => [
      [value, 'a'],
      [value, 'a', 'a'],
      [value, 0, 'a'],
      [0, value, 'a'],
      [value, value, 'name', 'a'],
      [value, 0, 'name', 'a'],
      [0, value, 'name', 'a'],
      [0, value],
      ['name', value],
      [0, 0, value],
      [0, 0, 'name', value],
      [0, 0, value, 'a'],
    ],
  ),
  [0, 'x'.repeat(2_000)],
  [0, 'half \uD800'],
  ['half \uD800', 'a'],
  ['a\0', 'a'],
  ['name', 'a\0'],
  [0, 0, 'a\0'],
  [0, 0, 'name', 'a\0'],
  [0, 0, 'na\0me', 'a'],
]
const noPlaces = [
  'null',
  '5',
  '"a"',
  '{}',
  '{"0":1,"1":"a"}',
  '[[1],"a"]',
  '[{},"a"]',
  '[true,"a"]',
  '[0,["a"]]',
  '[0,0,{"a":1}]',
  '[0,0,"a",true]',
  '[1e999,"a"]',
  '[-1e999,0,"a"]',
  '[',
  'x',
  '[0,"a"',
  '\uFEFF[0,"a"]',
]

test('VLT-53 A cursor that somebody has made themselves, with a check that fits, is a place of the list or refused: no value in it upsets the database', async () => {
  await using world = await openTestVault()
  const { user, space } = await openFilled(world)
  for (const list of lists) {
    const name = list.listOf(space)
    const [own = ''] = (await cursorOf(user, list)).split('.')
    const decoded = JSON.parse(Buffer.from(own, 'base64url').toString('utf8')) as Position
    assert.equal(signed(name, JSON.stringify(decoded)), await cursorOf(user, list), `${list.name}: the test makes what the list makes`)
    for (const place of places) {
      const answer = await ask(user, list, signed(name, JSON.stringify(place)))
      const text = `${list.name}: ${JSON.stringify(place)}`
      if (place.length !== decoded.length || place.some((value, index) => !isLike(value, decoded[index]))) refuses(answer, text)
      else assert.equal(answer.status, 200, text)
    }
    for (const text of noPlaces) refuses(await ask(user, list, signed(name, text)), `${list.name}: ${text}`)
  }
})

/** A value that could stand where another one stands. */
function isLike(value: string | number | null, there: string | number | undefined): boolean {
  if (typeof there === 'number') return Number.isSafeInteger(value)
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
}

/** A cursor of any text, with the check that fits. */
function signed(list: ReturnType<List['listOf']>, text: string): string {
  return `${Buffer.from(text).toString('base64url')}.${hash('sha256', JSON.stringify(['vault', list, text]), 'base64url').slice(0, 16)}`
}
