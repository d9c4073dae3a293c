import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idsOf, keep, walk } from './library.fixture.ts'
import { openTestVault } from './open-test-vault.ts'

test('VLT-52 The library is what was confirmed, the newest first, ties by id; other states are not in it', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await keep(user, { b: {}, a: {}, c: {} })
  world.advance(1_000)
  await keep(user, { late: {} })
  await user.call('POST', '/items', { id: 'pending', rawText: 'pending' })
  await keep(user, { gone: {} })
  await user.call('PATCH', '/items/gone', { action: 'discard' })
  const { body } = await user.call('GET', '/library')
  assert.deepEqual(idsOf(body), ['late', 'c', 'b', 'a'])
  assert.deepEqual(body['pagination'], { cursor: null, hasMore: false })
  const [shown] = body['items'] as readonly Record<string, unknown>[]
  const { body: whole } = await user.call('GET', '/items/late')
  const { attachments: _attachments, article: _article, ...listed } = whole
  assert.deepEqual(shown, listed)
  assert.deepEqual(idsOf((await (await world.signUp()).call('GET', '/library')).body), [])
})

test('VLT-52 Filters hold together: words, tags by name or id, kind', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await keep(user, { one: { rawText: 'red house', tags: ['Home', 'Later'] }, two: { rawText: 'red boat', tags: ['later'] }, three: { rawText: 'house' } })
  const library = async (query: string) => {
    const { status, body } = await user.call('GET', `/library?${query}`)
    assert.equal(status, 200, query)
    return idsOf(body).toSorted().join(' ')
  }
  const { body } = await user.call('GET', '/items/one')
  const [home] = body['tags'] as readonly { readonly id: string }[]
  assert.equal(await library('tag=LATER'), 'one two')
  assert.equal(await library(`tag=later&tag=${home?.id}`), 'one')
  assert.equal(await library('tag=later&tag=home&q=boat'), '')
  assert.equal(await library('tag=none'), '')
  assert.equal(await library('tag=later&tag=none'), '')
  assert.equal(await library('tag=&q=%20'), 'one three two')
  assert.equal(await library('q=house'), 'one three')
  assert.equal(await library('q=RED&tag=%23later'), 'one two')
  assert.equal(await library('q=%23home'), 'one')
  assert.equal(await library('sourceType=NOTE'), 'one three two')
  assert.equal(await library('sourceType=ARTICLE'), '')
  assert.equal(await library('sourceType=NOTE&q=red&tag=home'), 'one')
  assert.equal(await library("tag=' OR 1=1 --&q=red"), '')
})

test('VLT-53 Walking the library by cursor gives what was there at the start once, also with equal times and what comes in between', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const ids = Array.from({ length: 25 }, (_, index) => `item${index}`)
  await keep(user, Object.fromEntries(ids.slice(0, 12).map((id) => [id, { tags: ['x'] }])))
  world.advance(1)
  await keep(user, Object.fromEntries(ids.slice(12).map((id) => [id, { tags: ['x'] }])))
  for (const query of ['', '&tag=x', '&q=text', '&q=text&tag=x&sourceType=NOTE']) {
    let round = 0
    const walked = await walk(user, `/library?limit=4${query}`, async () => {
      world.advance(1)
      await keep(user, { [`new${query}${(round += 1)}`.replaceAll(/[^a-z0-9]/gi, '-')]: { tags: ['x'] } })
    })
    assert.deepEqual(walked.filter((id) => ids.includes(id)).toSorted(), ids.toSorted(), query)
    assert.equal(new Set(walked).size, walked.length, query)
  }
})

test('VLT-53 A cursor that was altered, or is of another list or space, is refused; so is a limit that is none', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await keep(user, { a: {}, b: {}, c: {} })
  const { body } = await user.call('GET', '/library?limit=1')
  const { cursor } = body['pagination'] as { cursor: string }
  const other = await world.signUp()
  await keep(other, { a: {}, b: {} })
  for (const [person, path] of [
    [other, `/library?cursor=${cursor}`],
    [user, `/library?q=text&cursor=${cursor}`],
    [user, `/library?tag=x&cursor=${cursor}`],
    [user, `/library?cursor=${cursor}x`],
    [user, `/library?cursor=${cursor.slice(1)}`],
    [user, `/library?cursor=${cursor.toUpperCase()}`],
    [user, '/library?cursor='],
    [user, '/library?cursor=%00'],
    [user, '/library?cursor=x&cursor=y'],
    [user, `/items/pending?cursor=${cursor}`],
  ] as const) {
    const answer = await person.call('GET', path)
    assert.deepEqual([answer.status, answer.body.error.code], [400, 'INVALID_CURSOR'], path)
    assert.equal(typeof (answer.body.error.details as { cursor: unknown }).cursor, 'string', path)
  }
  for (const junk of ['x', '', 'a\0', 5, {}, [cursor]]) {
    const answer = await user.call('POST', '/search', { q: 'text', cursor: junk })
    assert.deepEqual([answer.status, answer.body.error.code], [400, 'INVALID_CURSOR'], JSON.stringify(junk))
  }
  for (const limit of ['0', '101', 'x', '1.5', '-1', '', '1e1', '٣']) {
    const answer = await user.call('GET', `/library?limit=${encodeURIComponent(limit)}`)
    assert.deepEqual([answer.status, answer.body.error.code], [400, 'VALIDATION_ERROR'], limit)
  }
  assert.equal((await user.call('GET', '/library?limit=100')).status, 200)
  for (const query of ['sourceType=X', `q=${'a%20'.repeat(1)}${Array.from({ length: 40 }, (_, index) => `w${index + 10}`).join('%20')}`, `${'tag=x&'.repeat(21)}`]) {
    assert.equal((await user.call('GET', `/library?${query}`)).status, 400, query)
  }
})
