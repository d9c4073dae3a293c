import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { foldText } from 'holdfast/server'
import { idsOf, keep, walk } from './library.fixture.ts'
import { openTestVault, type TestUser } from './open-test-vault.ts'

async function search(user: TestUser, q: string, more = ''): Promise<string> {
  const { status, body } = await user.call('GET', `/search?q=${encodeURIComponent(q)}${more}`)
  assert.equal(status, 200, `${q} ${JSON.stringify(body)}`)
  if (more === '') assert.equal(body['total'], idsOf(body).length, q)
  return idsOf(body).join(' ')
}

test('VLT-54 Every term must occur in title, summary, text, the name of a tag or the article', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await keep(user, {
    text: { rawText: 'About red boats', title: 'Boats' },
    summary: { rawText: 'x', title: 'x', summary: 'Red things that swim' },
    title: { rawText: 'y', title: 'RED' },
    tag: { rawText: 'boats', tags: ['Reddish'] },
  })
  await user.call('POST', '/items', { rawText: 'red and pending' })
  await world.server.context.commit(await world.scopeOf(user), {
    mutations: [
      { collection: 'articles', id: 'text', op: 'put', base: 0, trusted: true, ...articleOf('text', 'A word about submarines') },
      { collection: 'articles', id: 'nobody', op: 'put', base: 0, trusted: true, ...articleOf('nobody', 'red') },
    ],
    keepRejected: false,
    keepConflicts: false,
  })
  assert.equal(await search(user, 'red'), 'title text tag summary')
  assert.equal(await search(user, 'red boats'), 'text tag')
  assert.equal(await search(user, 'SUBMARINE'), 'text')
  assert.equal(await search(user, 'submarine boats'), 'text')
  assert.equal(await search(user, 'submarine tag'), '')
  assert.equal(await search(user, '#red'), 'tag')
  assert.equal(await search(user, '#red boats'), '')
  assert.equal(await search(user, 'boats #red'), 'tag')
  const { body } = await user.call('GET', '/search?q=submarine')
  const [found] = body['items'] as readonly Record<string, unknown>[]
  assert.deepEqual([body['mode'], body['total'], body['pagination']], ['combined', 1, { cursor: null, hasMore: false }])
  assert.deepEqual([found?.['snippet'], 'rawText' in (found ?? {}), 'status' in (found ?? {}), found?.['title']], ['About red boats', false, false, 'Boats'])
  assert.equal((await user.call('GET', '/search?q=%23red')).body['mode'], 'tag_only')
  assert.equal(await search(await world.signUp(), 'red'), '')
})

function articleOf(itemId: string, text: string) {
  const complete = { itemId, status: 'done', code: null, title: null, byline: null, siteName: null, language: null, wordCount: 1, text, fetchedUrl: null, fetchedAt: null }
  return { sent: complete, complete }
}

test('VLT-54 Only the library is searched, as it is now', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await keep(user, { one: { rawText: 'hollow tree', tags: ['Oak'] } })
  assert.equal(await search(user, 'hollow oak'), 'one')
  await user.call('PATCH', '/items/one', { rawText: 'green tree', title: 'Tree', tags: ['Elm'] })
  assert.deepEqual([await search(user, 'hollow'), await search(user, 'oak'), await search(user, 'green elm')], ['', '', 'one'])
  await user.call('PATCH', '/items/one', { action: 'discard' })
  assert.deepEqual([await search(user, 'green'), await search(user, '#elm')], ['', ''])
  await user.call('POST', '/items/one/restore')
  assert.equal(await search(user, 'green'), 'one')
  await user.call('DELETE', '/items/one')
  assert.equal(await search(user, 'green'), '')
})

test('VLT-54 By relevance the title counts before tags, tags before the summary, the summary before the text', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await keep(user, {
    text: { rawText: 'a pear', title: 'x', summary: 'x' },
    summary: { rawText: 'x', title: 'x', summary: 'a pear' },
    tag: { rawText: 'x', title: 'x', tags: ['pears'] },
    title: { rawText: 'x', title: 'a pear' },
  })
  assert.equal(await search(user, 'pear', '&sort=relevance'), 'title tag summary text')
  assert.deepEqual(await walk(user, '/search?q=pear&sort=relevance&limit=1'), ['title', 'tag', 'summary', 'text'])
  world.advance(1)
  await keep(user, { later: { rawText: 'a pear', title: 'x' } })
  assert.equal(await search(user, 'pear', '&sort=recent'), 'later title text tag summary')
})

test('VLT-54 A search without anything to look for is refused, by GET and POST alike', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  for (const path of ['/search', '/search?q=', '/search?q=%20%E3%80%80', '/search?q=%23', '/search?q=a&sort=best', '/search?q=a&limit=0', '/search?q=a&q=b', '/search?q=%00']) {
    const { status, body } = await user.call('GET', path)
    assert.equal(status, 400, path)
    assert.ok(['VALIDATION_ERROR', 'INVALID_REQUEST'].includes(body.error.code), path)
  }
  for (const sent of [
    {},
    { q: '' },
    { q: null },
    { q: 5 },
    { query: ' # ' },
    { q: 'a', limit: 0 },
    { q: 'a', limit: 101 },
    { q: 'a', limit: 1.5 },
    { q: 'a', limit: 'x' },
    { q: 'a', limit: true },
    { q: 'a', sort: 1 },
    { q: '\uD800' },
  ]) {
    const { status, body } = await user.call('POST', '/search', sent)
    assert.deepEqual([status, body.error.code], [400, 'VALIDATION_ERROR'], JSON.stringify(sent))
  }
  for (const sent of ['[]', '"a"', '{', '']) assert.equal((await user.call('POST', '/search', sent)).status, 400, sent)
  await keep(user, { a: { rawText: 'apple' }, b: { rawText: 'apple' } })
  const first = await user.call('POST', '/search', { query: 'APPLE', limit: 1 })
  const { cursor } = first.body['pagination'] as { cursor: string }
  assert.deepEqual([idsOf(first.body), first.body['total']], [['b'], 2])
  assert.deepEqual(idsOf((await user.call('POST', '/search', { q: 'apple', limit: 1, cursor })).body), ['a'])
  assert.deepEqual((await user.call('POST', '/search', { q: 'apples', cursor })).body.error.code, 'INVALID_CURSOR')
  assert.deepEqual((await user.call('GET', `/library?cursor=${cursor}`)).body.error.code, 'INVALID_CURSOR')
})

test('VLT-55 Matching is by substring in any script; nothing is an operator; a term never spans two tags', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await keep(user, {
    latin: { rawText: 'Crème BRÛLÉE, Straße, Łódź', tags: ['Ice', 'Cream'] },
    cjk: { rawText: '東京都の勉強 안녕하세요' },
    greek: { rawText: 'ΟΔΥΣΣΕΥΣ й ПРИВЕТ' },
    signs: { rawText: '100% a_b a*b "q" \'s\' (x) a-b AND NEAR(y) $1 ? \\ ; --' },
    thai: { rawText: 'สวัสดีชาวโลก 👍🏽' },
  })
  for (const [query, expected] of [
    ['creme brulee', 'latin'],
    ['STRASSE', 'latin'],
    ['lodz', 'latin'],
    ['rûl', 'latin'],
    ['東', 'cjk'],
    ['京都', 'cjk'],
    ['の勉', 'cjk'],
    ['녕하', 'cjk'],
    ['οδυσσευς', 'greek'],
    ['привет', 'greek'],
    ['и', 'greek'],
    ['й', 'greek'],
    ['%', 'signs'],
    ['_', 'signs'],
    ['a*b', 'signs'],
    ['"q"', 'signs'],
    ["'s'", 'signs'],
    ['(x)', 'signs'],
    ['a-b', 'signs'],
    ['AND', 'signs'],
    ['NEAR(y)', 'signs'],
    ['\\', 'signs'],
    ['--', 'signs'],
    ['$1 ?', 'signs'],
    ['วัส', 'thai'],
    ['👍', 'thai'],
    ['q', 'signs'],
    ['ab', ''],
    ['a%b', ''],
    ['rea*', ''],
    ['cecr', ''],
    ['ice cream', 'latin'],
    ['#ice #cream', 'latin'],
    ['#icecream', ''],
  ] as const)
    assert.equal(await search(user, query), expected, query)
})

test('VLT-55 Whatever is stored is found by any piece of it, and nothing else is', async () => {
  await using world = await openTestVault()
  const character = fc.constantFrom(...Array.from('aAé日本ΣсЙ%_\'"*-(𠀀👍ßﬁ'))
  const text = fc.string({ unit: character, minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ rawText: text, title: text, tag: text }), { minLength: 1, maxLength: 4 }), text, async (items, q) => {
      const user = await world.signUp()
      await keep(user, Object.fromEntries(items.map(({ rawText, title, tag }, index) => [`i${index}`, { rawText, title, tags: [tag] }])))
      const term = foldText(q)
      const has = (value: string) => foldText(value).includes(term)
      const expected = items.flatMap(({ rawText, title, tag }, index) => (has(rawText) || has(title) || has(tag) ? [`i${index}`] : [])).toReversed()
      if (term !== '') assert.equal(await search(user, q), expected.join(' '), q)
    }),
    { numRuns: 25 },
  )
})
