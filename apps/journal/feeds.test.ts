import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { openTestJournal, note, type TestUser } from './open-test-journal.ts'

test('JRN-26 limits are clamped, since is checked, and both arrays are ascending', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  for (let index = 0; index < 5; index += 1) await user.call('POST', '/sync/content', note(`n${index}`))
  for (const index of [1, 3]) await user.call('POST', `/sync/content/n${index}/delete`)
  const ids = async (query: string) => {
    const { body } = await user.call('GET', `/sync/content/changes?${query}`)
    return [body.changes.map(({ id }) => id), body.deletions.map(({ id }) => id), body.hasMore]
  }
  assert.deepEqual(await ids(''), [['n0', 'n2', 'n4'], ['n1', 'n3'], false])
  assert.deepEqual(await ids('limit=4'), [['n0', 'n2', 'n4'], ['n1'], true])
  for (const limit of ['0', '-3', '1']) assert.deepEqual(await ids(`limit=${limit}`), [['n0'], [], true], limit)
  for (const limit of ['abc', '', '100000', '5']) assert.deepEqual(await ids(`limit=${limit}`), [['n0', 'n2', 'n4'], ['n1', 'n3'], false], limit)
  for (const since of ['-1', '1.5', 'x', '', '99999999999999999', '1e3']) {
    const answer = await user.call('GET', `/sync/content/changes?since=${since}`)
    assert.deepEqual([answer.status, answer.body.code, answer.body.details['parameter']], [400, 'INVALID_PARAMETER', 'since'], since)
  }
})

test('JRN-26 a last page ends at the version of the whole space, and reading again from there finds nothing', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  await user.call('POST', '/sync/content', note('n1'))
  const journal = await user.call('POST', '/sync/journals', { id: 'j1', title: '', createdAt: 1, lastUpdated: 1 })
  const first = (await user.call('GET', '/sync/content/changes')).body
  assert.equal(first.lastTimestamp, journal.body.serverVersion)
  const again = (await user.call('GET', `/sync/content/changes?since=${first.lastTimestamp}`)).body
  assert.deepEqual([again.changes, again.deletions, again.hasMore, again.lastTimestamp], [[], [], false, first.lastTimestamp])
  const above = (await user.call('GET', `/sync/content/changes?since=${first.lastTimestamp + 50_000}`)).body
  assert.deepEqual([above.changes, above.lastTimestamp], [[], first.lastTimestamp])
})

test('JRN-27 drained with any limit, every row and tombstone is seen exactly once', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const associations = Array.from({ length: 1_000 }, (_, index) => ({ journalId: 'j1', contentId: `n${index}`, createdAt: 1 }))
  await user.call('POST', '/sync/associations', { associations })
  // The tombstone of an early row stands behind all others, and rows stand behind it.
  await user.call('POST', '/sync/associations/delete', { associations: associations.slice(3, 5) })
  await user.call('POST', '/sync/associations', { associations: [{ journalId: 'j2', contentId: 'last', createdAt: 1 }] })
  for (const limit of [1, 7, 333, 500]) {
    const seen = await drain(user, 'associations', { limit })
    assert.equal(seen.length, 1_001, String(limit))
    assert.equal(new Set(seen.map(({ contentId }) => contentId)).size, 1_001)
    assert.deepEqual(
      seen.map(({ serverVersion }) => serverVersion),
      seen.map(({ serverVersion }) => serverVersion).toSorted((one, other) => one - other),
    )
    assert.equal(seen.filter(({ deletedAt }) => deletedAt !== undefined).length, 2)
  }
})

test('JRN-28 a reader that keeps polling while many write sees every accepted write, and nothing below a cursor it has', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const writing = Promise.all(
    Array.from({ length: 10 }, async (_, writer) => {
      for (let index = 0; index < 20; index += 1) await user.call('POST', '/sync/content', note(`w${writer}-${index}`))
    }),
  )
  let done = false
  void writing.then(() => (done = true))
  const seen = new Map<string, number>()
  let since = 0
  for (let last = false; !last;) {
    last = done
    const { body } = await user.call('GET', `/sync/content/changes?since=${since}&limit=13`)
    for (const { id, serverVersion } of body.changes) {
      assert.ok(serverVersion > since, 'below the cursor')
      assert.ok(!seen.has(id), 'seen twice')
      seen.set(id, serverVersion)
    }
    if (body.hasMore) last = false
    since = body.lastTimestamp
    // In-process requests never leave the microtask queue by themselves: let the writers on.
    await setImmediate()
  }
  await writing
  assert.equal(seen.size, 200)
})

test('JRN-29 edited several times it arrives once, deleted between pages it arrives as a tombstone', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  for (const id of ['n1', 'n2', 'n3']) await user.call('POST', '/sync/content', note(id))
  const first = (await user.call('GET', '/sync/content/changes?limit=1')).body
  for (const content of ['a', 'b', 'c']) await user.call('POST', '/sync/content/n2', { content, lastUpdated: world.now() })
  await user.call('POST', '/sync/content/n3/delete')
  const rest = await drain(user, 'content', { limit: 1, since: first.lastTimestamp })
  assert.deepEqual(
    rest.map(({ id, content, deletedAt }) => [id, content, deletedAt !== undefined]),
    [
      ['n2', 'c', false],
      ['n3', undefined, true],
    ],
  )
})

test('JRN-30 a cursor below the horizon or of another epoch is 410; 0 works, and so does an old cursor on a feed that lost nothing', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const { body } = await user.call('POST', '/sync/content', note('n1'))
  await user.call('POST', '/sync/content', note('n2'))
  const deleted = await user.call('POST', '/sync/content/n1/delete')
  const horizon = deleted.body.serverVersion ?? 0
  await world.purge(user.userId, 'content', { id: 'n1', version: horizon })
  const gone = await user.call('GET', `/sync/content/changes?since=${body.serverVersion}`)
  assert.deepEqual([gone.status, gone.body.code, gone.body.details['reason'], gone.body.horizon], [410, 'RESYNC_REQUIRED', 'horizon', horizon])
  assert.equal(gone.body.epoch, (await user.call('GET', '/sync/status')).body.data.epoch)
  assert.equal((await user.call('GET', '/sync/status')).body.data.horizon, horizon)
  assert.equal((await user.call('GET', `/sync/content/changes?since=${horizon}`)).status, 200)
  assert.equal((await user.call('GET', '/sync/content/changes?since=0&epoch=other')).status, 200)
  assert.equal((await user.call('GET', `/sync/journals/changes?since=${body.serverVersion}`)).status, 200)
  const other = await user.call('GET', `/sync/journals/changes?since=${horizon}&epoch=other`)
  assert.deepEqual([other.status, other.body.details['reason'], other.body.horizon], [410, 'epoch', 0])
})

test('JRN-30 a cursor from the time that a restore has lost is 410, one from before the backup is not', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const { body } = await user.call('POST', '/sync/content', note('n1'))
  world.advance(60_000)
  await world.restored(user.userId)
  const fine = await user.call('GET', `/sync/content/changes?since=${body.serverVersion}`)
  assert.deepEqual([fine.status, fine.body.lastTimestamp], [200, world.now()])
  for (const since of [body.serverVersion + 1, world.now() - 1]) {
    const lost = await user.call('GET', `/sync/content/changes?since=${since}`)
    assert.deepEqual([lost.status, lost.body.details['reason']], [410, 'restored'])
  }
  assert.equal((await user.call('GET', `/sync/content/changes?since=${world.now()}`)).status, 200)
})

/** Everything that a client that follows `hasMore` sees, rows and tombstones by version. */
async function drain(user: TestUser, name: string, { limit, since = 0 }: { readonly limit: number; readonly since?: number }) {
  const seen = []
  for (let cursor = since; ;) {
    const { body } = await user.call('GET', `/sync/${name}/changes?since=${cursor}&limit=${limit}`)
    assert.ok(body.changes.length + body.deletions.length <= limit)
    seen.push(...[...body.changes, ...body.deletions].toSorted((one, other) => one.serverVersion - other.serverVersion))
    cursor = body.lastTimestamp
    if (!body.hasMore) return seen
  }
}

test('JRN-26 a page of large notes ends early, after at least one, and the rest comes with the next', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const ids = ['a', 'b', 'c', 'd', 'e']
  for (const id of ids) await user.call('POST', '/sync/content', note(id, { content: '€'.repeat(1_048_576) }))
  const seen: string[] = []
  let pages = 0
  for (let since = 0, more = true; more; pages += 1) {
    const { body } = await user.call('GET', `/sync/content/changes?since=${since}&limit=500`)
    assert.ok(body.changes.length >= 1 && body.changes.length <= 2, `${body.changes.length} on a page`)
    seen.push(...body.changes.map(({ id }) => id))
    since = body.lastTimestamp
    more = body.hasMore
  }
  assert.deepEqual([seen, pages], [ids, 3])
})
