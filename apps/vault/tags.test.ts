import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { idsOf, keep } from './library.fixture.ts'
import { openTestVault, type Body, type TestUser } from './open-test-vault.ts'

interface Tag {
  readonly id: string
  readonly name: string
  readonly usageCount: number
  readonly lastUsed: string | null
  readonly createdAt: string
  readonly color: string
}

async function tags(user: TestUser, query = ''): Promise<readonly Tag[]> {
  const { status, body } = await user.call('GET', `/tags${query}`)
  assert.equal(status, 200, JSON.stringify(body))
  return body['tags'] as unknown as readonly Tag[]
}

async function make(user: TestUser, name: string, status = 201): Promise<Tag> {
  const answer = await user.call('POST', '/tags', { name })
  assert.equal(answer.status, status, name)
  return answer.body as unknown as Tag
}

/** How many answers have each status. */
const counted = (answers: readonly { readonly status: number }[]) => Object.fromEntries([...Map.groupBy(answers, ({ status }) => status)].map(([status, all]) => [status, all.length]))
const names = (all: readonly Tag[]) => all.map(({ name }) => name)
const tagNames = (body: Body) => (body['tags'] as unknown as readonly Tag[]).map(({ name }) => name)

test('VLT-56 A tag is made once for each name, whatever its spelling; color is kept', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const { status, body } = await user.call('POST', '/tags', { name: ' #Read  later ', color: '#A0b1C2', usageCount: 9, id: 'mine' })
  assert.equal(status, 201)
  const { id, createdAt, ...rest } = body
  assert.match(String(id), /^[0-9a-f-]{36}$/)
  assert.match(String(createdAt), /^\d{4}-.*Z$/)
  assert.deepEqual(rest, { name: 'Read later', usageCount: 0, lastUsed: null, color: '#A0b1C2' })
  for (const name of ['read later', 'READ\tLATER', 'ＲＥＡＤ later', '#Read later']) {
    const again = await user.call('POST', '/tags', { name, color: 'red' })
    assert.deepEqual([again.status, again.body], [200, body], name)
  }
  assert.equal((await make(user, 'Réad later')).color, 'gray')
  for (const wrong of [
    {},
    { name: '' },
    { name: ' # ' },
    { name: 5 },
    { name: null },
    { name: ['a'] },
    { name: 'a'.repeat(51) },
    { name: '𠀀'.repeat(51) },
    { name: 'a\u0000' },
    { name: '\uD800' },
    { name: 'x', color: 'Red!' },
    { name: 'x', color: 5 },
    { name: 'x', color: '#12' },
  ]) {
    const refused = await user.call('POST', '/tags', wrong)
    assert.deepEqual([refused.status, refused.body.error.code], [400, 'VALIDATION_ERROR'], JSON.stringify(wrong))
  }
  assert.equal((await make(user, '𠀀'.repeat(50))).name, '𠀀'.repeat(50))
  assert.equal((await tags(user)).length, 3)
  assert.equal((await make(await world.signUp(), 'read later')).name, 'read later')
})

test('VLT-56 Parallel posts of one name make one tag', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => user.call('POST', '/tags', { name: index % 2 === 0 ? 'Same' : 'SAME' })))
  assert.deepEqual(counted(answers), { 200: 11, 201: 1 })
  assert.equal(new Set(answers.map(({ body }) => body['id'])).size, 1)
  await user.call('DELETE', `/tags/${String(answers[0]?.body['id'])}`)
  const back = await Promise.all(Array.from({ length: 6 }, () => user.call('POST', '/tags', { name: 'same' })))
  assert.deepEqual(counted(back), { 200: 5, 201: 1 })
  assert.equal((await tags(user)).length, 1)
})

test('VLT-57 A rename keeps the id and shows at once in items, library and search', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await keep(user, { one: { rawText: 'x', tags: ['Old', 'Other'] } })
  const [old] = await tags(user, '?q=old')
  const { status, body } = await user.call('PATCH', `/tags/${old?.id}`, { name: ' new ', color: 'blue' })
  assert.deepEqual([status, body['id'], body['name'], body['color'], body['usageCount']], [200, old?.id, 'new', 'blue', 1])
  assert.deepEqual(tagNames((await user.call('GET', '/items/one')).body), ['new', 'Other'])
  assert.deepEqual([idsOf((await user.call('GET', '/search?q=new')).body), idsOf((await user.call('GET', '/search?q=old')).body)], [['one'], []])
  assert.deepEqual([idsOf((await user.call('GET', '/library?tag=NEW')).body), idsOf((await user.call('GET', '/library?tag=old')).body)], [['one'], []])
  const [other] = await tags(user, '?q=other')
  const taken = await user.call('PATCH', `/tags/${old?.id}`, { name: 'OTHER' })
  assert.deepEqual([taken.status, taken.body.error.code, taken.body.error.details], [409, 'TAG_EXISTS', { tagName: 'Other', tagId: other?.id ?? null }])
  assert.equal((await user.call('PATCH', `/tags/${old?.id}`, { name: 'NEW' })).body['name'], 'NEW')
  assert.equal((await user.call('PATCH', `/tags/${old?.id}`, {})).body['name'], 'NEW')
  for (const wrong of [{ name: '' }, { name: null }, { color: 'BLUE' }]) assert.equal((await user.call('PATCH', `/tags/${old?.id}`, wrong)).status, 400)
  await user.call('DELETE', `/tags/${old?.id}`)
  const stranger = await world.signUp()
  for (const [person, id] of [
    [user, old?.id],
    [user, 'none'],
    [user, '%00'],
    [user, 'a b'],
    [stranger, other?.id],
  ] as const)
    assert.deepEqual((await person.call('PATCH', `/tags/${id}`, { name: 'x' })).body.error.code, 'NOT_FOUND', id)
})

test('VLT-58 A deleted tag leaves every item in the same commit; its name comes back under the same id, on no item', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await keep(user, { one: { tags: ['Gone', 'Stays'] }, two: { tags: ['gone'] }, three: { tags: ['gone'] } })
  await user.call('PATCH', '/items/three', { action: 'discard' })
  const [gone] = await tags(user, '?q=gone')
  assert.equal(gone?.usageCount, 2)
  const before = (await user.call('GET', '/api/v1/vault/pull')).body['cursor']
  assert.equal((await user.call('DELETE', `/tags/${gone?.id}`)).status, 204)
  assert.equal((await user.call('DELETE', `/tags/${gone?.id}`)).status, 204)
  const changes = (await user.call('GET', `/api/v1/vault/pull?cursor=${String(before)}`)).body['changes'] as readonly { readonly id: string }[]
  assert.deepEqual(changes.map(({ id }) => id).toSorted(), ['one', 'three', 'two', gone?.id].toSorted())
  assert.deepEqual(tagNames((await user.call('GET', '/items/one')).body), ['Stays'])
  assert.deepEqual(names(await tags(user)), ['Stays'])
  const back = await make(user, 'GONE')
  assert.deepEqual([back.id, back.name, back.usageCount, back.lastUsed], [gone?.id, 'GONE', 0, null])
  await user.call('POST', '/items/three/restore')
  for (const id of ['one', 'two', 'three']) assert.ok(!tagNames((await user.call('GET', `/items/${id}`)).body).includes('GONE'), id)
  for (const id of ['none', '%00', 'x'.repeat(200)]) assert.equal((await user.call('DELETE', `/tags/${id}`)).status, 404, id)
  assert.equal((await (await world.signUp()).call('DELETE', `/tags/${back.id}`)).status, 404)
})

test('VLT-58 Tags are listed with their uses, by name, use or time, narrowed and counted', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await make(user, 'Zebra')
  await make(user, 'apple')
  await keep(user, { one: { tags: ['Éclair', 'milk'] } })
  world.advance(1_000)
  await keep(user, { two: { tags: ['milk', 'Milk', 'bread'] }, gone: { tags: ['bread'] } })
  await user.call('PATCH', '/items/gone', { action: 'discard' })
  await user.call('POST', '/items', { rawText: 'pending' })
  const shown = (all: readonly Tag[]) => all.map(({ name, usageCount }) => `${name} ${usageCount}`)
  assert.deepEqual(shown(await tags(user)), ['apple 0', 'bread 1', 'milk 2', 'Zebra 0', 'Éclair 1'])
  assert.deepEqual(shown(await tags(user, '?sort=usage')), ['milk 2', 'bread 1', 'Éclair 1', 'apple 0', 'Zebra 0'])
  assert.deepEqual(names(await tags(user, '?sort=lastUsed')), ['bread', 'milk', 'Éclair', 'apple', 'Zebra'])
  assert.deepEqual(names(await tags(user, '?unused=true')), ['apple', 'Zebra'])
  assert.deepEqual(names(await tags(user, '?unused=false&q=e')), ['apple', 'bread', 'Zebra', 'Éclair'])
  assert.deepEqual(names(await tags(user, '?q=%23ECL')), ['Éclair'])
  assert.deepEqual(names(await tags(user, '?q=%25')), [])
  const { body } = await user.call('GET', '/tags?unused=true&limit=1')
  assert.deepEqual([body['total'], (body['pagination'] as { hasMore: boolean }).hasMore], [2, true])
  for (const wrong of ['limit=0', 'limit=101', 'limit=x', 'sort=color', 'unused=yes', 'cursor=x']) assert.equal((await user.call('GET', `/tags?${wrong}`)).status, 400, wrong)
  const { cursor } = body['pagination'] as unknown as { cursor: string }
  for (const other of [`/tags?cursor=${cursor}`, `/tags?unused=true&sort=usage&cursor=${cursor}`, `/library?cursor=${cursor}`])
    assert.equal((await user.call('GET', other)).body.error.code, 'INVALID_CURSOR', other)
})

test('VLT-53 Walking the tags in any order gives each once', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const made = Array.from({ length: 23 }, (_, index) => `tag ${index % 7} ${index}`)
  for (const name of made) await make(user, name)
  await keep(user, { a: { tags: made.slice(0, 9) } })
  world.advance(5)
  await keep(user, { b: { tags: made.slice(5, 15) }, c: { tags: made.slice(5, 8) } })
  for (const sort of ['name', 'usage', 'lastUsed']) {
    const whole = names(await tags(user, `?sort=${sort}&limit=100`))
    const walked: string[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await user.call('GET', `/tags?sort=${sort}&limit=4${cursor === '' ? '' : `&cursor=${cursor}`}`)
      walked.push(...names(body['tags'] as unknown as Tag[]))
      assert.equal(body['total'], 23)
      cursor = (body['pagination'] as { cursor: string | null }).cursor
    }
    assert.deepEqual(walked, whole, sort)
    assert.deepEqual(walked.toSorted(), made.toSorted(), sort)
  }
})

test('VLT-58 After anything that people do, the uses of a tag are the items that show it', async () => {
  await using world = await openTestVault()
  const step = fc.oneof(
    fc.record({ kind: fc.constant('tag' as const), item: fc.nat(2), names: fc.subarray(['a', 'b', 'c']) }),
    fc.record({ kind: fc.constantFrom('discard' as const, 'restore' as const, 'delete' as const), item: fc.nat(2) }),
    fc.record({ kind: fc.constant('drop' as const), tag: fc.nat(2) }),
    fc.record({ kind: fc.constant('merge' as const), tag: fc.nat(2) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
      const user = await world.signUp()
      await keep(user, { i0: { tags: ['a', 'b'] }, i1: { tags: ['b'] }, i2: {} })
      for (const done of steps) {
        if (done.kind === 'tag') await user.call('PATCH', `/items/i${done.item}`, { tags: done.names })
        else if (done.kind === 'discard') await user.call('PATCH', `/items/i${done.item}`, { action: 'discard' })
        else if (done.kind === 'restore') await user.call('POST', `/items/i${done.item}/restore`)
        else if (done.kind === 'delete') await user.call('DELETE', `/items/i${done.item}`)
        else if ('tag' in done) {
          const all = await tags(user)
          const [one, other] = [all[done.tag], all[(done.tag + 1) % Math.max(1, all.length)]]
          if (done.kind === 'drop') await user.call('DELETE', `/tags/${one?.id}`)
          else if (one?.id !== other?.id) await user.call('POST', '/tags/merge', { sourceTagIds: [one?.id], targetTagId: other?.id })
        }
      }
      const items = await Promise.all(['i0', 'i1', 'i2'].map((id) => user.call('GET', `/items/${id}`)))
      const shown = items.filter(({ status, body }) => status === 200 && body['status'] !== 'DISCARDED').flatMap(({ body }) => tagNames(body))
      for (const { name, usageCount } of await tags(user)) assert.equal(usageCount, shown.filter((one) => one === name).length, name)
      const library = await user.call('GET', '/library')
      for (const name of new Set(shown)) assert.equal(idsOf((await user.call('GET', `/library?tag=${name}`)).body).length, shown.filter((one) => one === name).length)
      assert.equal(library.status, 200)
    }),
    { numRuns: 15 },
  )
})

test('VLT-69 Merged tags are aliases: their items carry the target once, and their ids mean it', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await keep(user, { one: { tags: ['JS', 'Javascript'] }, two: { tags: ['js', 'ECMA'] }, three: { tags: ['other'] } })
  await user.call('PATCH', '/items/two', { action: 'discard' })
  const idOf = async (name: string) => (await tags(user, `?q=${name}`))[0]?.id ?? ''
  const [js, ecma, target, other] = [await idOf('js'), await idOf('ecma'), await idOf('javascript'), await idOf('other')]
  const { status, body } = await user.call('POST', '/tags/merge', { sourceTagIds: [js, ecma, js], targetTagId: target })
  assert.equal(status, 200, JSON.stringify(body))
  assert.equal(body['mergedCount'], 2)
  const merged = body['targetTag'] as unknown as Tag
  assert.deepEqual([merged.id, merged.name, merged.usageCount], [target, 'Javascript', 1])
  assert.deepEqual(names(await tags(user)), ['Javascript', 'other'])
  for (const id of ['one', 'two']) assert.deepEqual(tagNames((await user.call('GET', `/items/${id}`)).body), ['Javascript'], id)
  await user.call('PATCH', '/items/three', { addedTagIds: [js] })
  assert.deepEqual(tagNames((await user.call('GET', '/items/three')).body), ['other', 'Javascript'])
  assert.deepEqual(idsOf((await user.call('GET', `/library?tag=${js}`)).body).toSorted(), ['one', 'three'])
  assert.equal((await user.call('PATCH', `/tags/${js}`, { name: 'x' })).status, 404)
  const stranger = await make(await world.signUp(), 'js')
  for (const wrong of [
    { sourceTagIds: [other], targetTagId: other },
    { sourceTagIds: [other, target], targetTagId: other },
    { sourceTagIds: ['none'], targetTagId: other },
    { sourceTagIds: [other, 'none'], targetTagId: target },
    { sourceTagIds: [other], targetTagId: 'none' },
    { sourceTagIds: [other], targetTagId: stranger.id },
    { sourceTagIds: [js], targetTagId: other },
    { sourceTagIds: [other], targetTagId: js },
    { sourceTagIds: [], targetTagId: other },
    { sourceTagIds: Array.from({ length: 51 }, (_, index) => `t${index}`), targetTagId: other },
    { sourceTagIds: other, targetTagId: target },
    { sourceTagIds: [other] },
    {},
  ]) {
    const refused = await user.call('POST', '/tags/merge', wrong)
    assert.deepEqual([refused.status, refused.body.error.code], [400, 'VALIDATION_ERROR'], JSON.stringify(wrong))
  }
  assert.deepEqual(names(await tags(user)), ['Javascript', 'other'])
})

test('VLT-69 An alias that went with its tag comes back as a tag of its own when an item names it', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await keep(user, { one: { tags: ['a', 'b'] } })
  const [a, b] = await tags(user)
  await user.call('POST', '/tags/merge', { sourceTagIds: [a?.id], targetTagId: b?.id })
  await user.call('DELETE', `/tags/${b?.id}`)
  assert.deepEqual(names(await tags(user)), [])
  assert.deepEqual(tagNames((await user.call('PATCH', '/items/one', { tags: ['A'] })).body), ['A'])
  assert.deepEqual(
    (await tags(user)).map(({ id, name, usageCount }) => [id, name, usageCount]),
    [[a?.id, 'A', 1]],
  )
  assert.deepEqual(idsOf((await user.call('GET', '/library?tag=a')).body), ['one'])
})

test('VLT-69 Merging two tags into each other at once leaves one of them', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const [one, other] = [await make(user, 'one'), await make(user, 'other')]
  const answers = await Promise.all([
    user.call('POST', '/tags/merge', { sourceTagIds: [one.id], targetTagId: other.id }),
    user.call('POST', '/tags/merge', { sourceTagIds: [other.id], targetTagId: one.id }),
  ])
  assert.deepEqual(counted(answers), { 200: 1, 400: 1 })
  assert.equal((await tags(user)).length, 1)
})
