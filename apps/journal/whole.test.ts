import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { linkId } from './link-id.ts'
import { openTestJournal, note, type TestUser } from './open-test-journal.ts'

async function fill(user: TestUser): Promise<void> {
  for (const id of ['n1', 'n2', 'n3']) await user.call('POST', '/sync/content', note(id))
  for (const id of ['j1', 'j2']) await user.call('POST', '/sync/journals', { id, title: id, createdAt: 1, lastUpdated: 1 })
  await user.call('POST', '/sync/drafts', { id: 'd1', createdAt: 1, lastUpdated: 1 })
  await user.call('POST', '/sync/associations', { associations: ['n1', 'n2', 'n3'].map((contentId) => ({ journalId: 'j1', contentId, createdAt: 1 })) })
  await user.call('POST', '/sync/content/n3/delete')
}

test('JRN-44 status counts live rows only and ends where a drained feed ends', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  await fill(user)
  await world.addMedia(user.userId, { id: 'm1', contentId: 'n1' })
  await world.addMedia(user.userId, { id: 'm2', contentId: 'unknown' })
  const { body } = await user.call('GET', '/sync/status')
  const { lastTimestamp, epoch, ...counts } = body.data
  assert.deepEqual(counts, { contentCount: 2, journalCount: 2, associationCount: 2, mediaCount: 2, draftCount: 1, mediaBytes: 10, orphanMediaCount: 1, openConflicts: 0, horizon: 0 })
  for (const name of ['content', 'journals', 'associations', 'media', 'drafts']) {
    const feed = (await user.call('GET', `/sync/${name}/changes`)).body
    assert.deepEqual([feed.lastTimestamp, feed.epoch], [lastTimestamp, epoch], name)
  }
  assert.deepEqual([body.message, typeof body.timestamp], [null, 'string'])
})

test('JRN-45 records, tombstones, versions, cursors and epoch survive a restart, and later versions are larger', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  await fill(user)
  const paths = ['/sync/status', '/sync/verify', '/sync/trash', ...['content', 'journals', 'associations', 'drafts'].map((name) => `/sync/${name}/changes`)]
  const read = async () => Promise.all(paths.map(async (path) => ({ ...(await user.call('GET', path)).body, timestamp: '' })))
  const before = await read()
  await world.restart()
  assert.deepEqual(await read(), before)
  const { lastTimestamp } = (await user.call('GET', '/sync/status')).body.data
  const later = await user.call('POST', '/sync/content', note('n4'))
  assert.ok((later.body.serverVersion ?? 0) > lastTimestamp)
  assert.deepEqual(
    (await user.call('GET', `/sync/content/changes?since=${lastTimestamp}`)).body.changes.map(({ id }) => id),
    ['n4'],
  )
})

test('JRN-46 dialect writes appear in pull with the same versions and ring the doorbell', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const created = await user.call('POST', '/sync/content', note('n1'))
  const { body } = await user.call('GET', '/api/v1/journal/pull')
  assert.deepEqual(
    body.changes.map(({ collection, id, version, data }) => [collection, id, version, data?.content, data?.writtenAt]),
    [['content', 'n1', created.body.serverVersion, 'text', 1_000]],
  )
  const poke = await world.nextPoke(() => user.call('POST', '/sync/content/n1', { content: 'x', lastUpdated: 9_000 }))
  assert.equal(poke.to, (await user.call('GET', '/contents/n1')).body.serverVersion)
  await user.call('POST', '/sync/content/n1/delete')
  const after = (await user.call('GET', `/api/v1/journal/pull?cursor=${body.cursor}`)).body
  assert.deepEqual(
    after.changes.map(({ id, deleted }) => [id, deleted]),
    [['n1', true]],
  )
})

test('JRN-46 pushes appear in the dialect feeds and wake the same doorbell', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp('laptop')
  const data = { type: 'TEXT', content: 'pushed', writtenAt: 7, lastUpdated: 8 }
  const poke = await world.nextPoke(() => user.call('POST', '/api/v1/journal/push', { mutations: [{ collection: 'content', id: 'n1', op: 'put', base: 0, data }] }))
  const [item] = (await user.call('GET', '/sync/content/changes')).body.changes
  assert.deepEqual([item?.content, item?.createdAt, item?.lastUpdated, item?.deviceId, item?.serverVersion], ['pushed', 7, 8, 'laptop', poke.to])
  const edited = await user.call('POST', '/sync/content/n1', { content: 'by the dialect', lastUpdated: 9, clientLastKnownServerVersion: item?.serverVersion })
  assert.equal(edited.status, 200)
})

test('JRN-46 a push cannot move createdAt or make a file', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const { body } = await user.call('POST', '/sync/content', note('n1'))
  const results = (
    await user.call('POST', '/api/v1/journal/push', {
      mutations: [
        { collection: 'content', id: 'n1', op: 'patch', base: body.serverVersion, data: { writtenAt: 5, content: 'y' } },
        { collection: 'media', id: 'm1', op: 'put', base: 0, data: { contentId: 'n1', fileName: 'a', mimeType: 'a/b', sizeBytes: 1, sha256: 'a'.repeat(64) } },
      ],
    })
  ).body.results
  assert.deepEqual(
    results.map(({ status }) => status),
    ['applied', 'rejected'],
  )
  const item = (await user.call('GET', '/contents/n1')).body
  assert.deepEqual([item.createdAt, item.content], [1_000, 'y'])
})

test('JRN-47 a stale push merges what does not overlap and conflicts where it does', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp('phone')
  const laptop = await user.onDevice('laptop')
  const text = ['one', 'two', 'three', 'four', 'five'].join('\n')
  const { body } = await user.call('POST', '/sync/content', note('n1', { content: text, tags: ['a'] }))
  await user.call('POST', '/sync/content/n1', { content: text.replace('one', 'ONE'), tags: ['a', 'b'], lastUpdated: 2_000 })
  const push = async (data: object) =>
    (await laptop.call('POST', '/api/v1/journal/push', { mutations: [{ collection: 'content', id: 'n1', op: 'patch', base: body.serverVersion, data }] })).body.results[0]
  const caption = await push({ caption: 'mine', lastUpdated: 3_000 })
  assert.deepEqual([caption?.status, caption?.record?.data?.caption, caption?.record?.data?.content], ['merged', 'mine', text.replace('one', 'ONE')])
  const lines = await push({ content: text.replace('five', 'FIVE'), tags: ['c'], lastUpdated: 1_500 })
  const merged = lines?.record?.data
  assert.deepEqual([lines?.status, merged?.content, merged?.tags, merged?.lastUpdated], ['merged', text.replace('one', 'ONE').replace('five', 'FIVE'), ['b', 'c'], 3_000])
  const overlap = await push({ content: text.replace('one', 'uno') })
  assert.deepEqual([overlap?.status, overlap?.record?.data?.content], ['conflict', merged?.content])
  assert.equal((await user.call('GET', '/sync/status')).body.data.openConflicts, 1)
})

test('JRN-48 aliases read and write the same data with their own statuses', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  for (const { path, name, fields, change } of [
    { path: 'contents', name: 'content', fields: { type: 'TEXT', content: 'x' }, change: { content: 'y' } },
    { path: 'journals', name: 'journals', fields: { title: 'x' }, change: { title: 'y' } },
    { path: 'drafts', name: 'drafts', fields: { content: 'x' }, change: { content: 'y' } },
  ]) {
    const whole = { ...fields, createdAt: 1, lastUpdated: 2 }
    const made = await user.call('PUT', `/${path}/r1`, whole)
    assert.deepEqual([made.status, made.headers['location'], made.body.id, made.body.applied], [201, `/journal/${path}/r1`, 'r1', true])
    assert.equal((await user.call('PUT', `/${path}/r1`, whole)).status, 200)
    assert.equal((await user.call('PUT', `/${path}/r1`, { ...whole, id: 'r2' })).body.details['field'], 'id')
    assert.equal((await user.call('PATCH', `/${path}/r1`, { ...change, lastUpdated: 3 })).status, 200)
    assert.equal((await user.call('PATCH', `/${path}/nobody`, { ...change, lastUpdated: 3 })).status, 404)
    const feed = (await user.call('GET', `/sync/${name}/changes?limit=1`)).body
    assert.deepEqual((await user.call('GET', `/${path}?since=0&limit=1`)).body, feed)
    assert.deepEqual((await user.call('GET', `/${path}/r1`)).body, (feed.changes ?? feed.drafts)[0])
    assert.equal((await user.call('DELETE', `/${path}/r1?clientLastKnownServerVersion=1`)).status, 409)
    assert.equal((await user.call('DELETE', `/${path}/r1?clientLastKnownServerVersion=x`)).body.details['parameter'], 'clientLastKnownServerVersion')
    const deleted = await user.call('DELETE', `/${path}/r1`)
    assert.deepEqual([deleted.status, deleted.body], [204, null])
    for (const id of ['r1', 'nobody']) assert.deepEqual([(await user.call('GET', `/${path}/${id}`)).status, (await user.call('DELETE', `/${path}/${id}`)).status], [404, 204])
    const back = await user.call('PUT', `/${path}/r1`, { ...whole, restore: true })
    assert.equal(back.status, 201)
  }
  assert.deepEqual((await user.call('GET', '/drafts/changes')).body, (await user.call('GET', '/sync/drafts/changes')).body)
  assert.deepEqual((await user.call('GET', '/ops/sync/status')).body.data, (await user.call('GET', '/sync/status')).body.data)
})

test('JRN-48 link aliases', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  assert.equal((await user.call('PUT', '/associations/j1/n1', { createdAt: 1 })).status, 204)
  assert.equal((await user.call('PUT', '/associations/j1/n1', {})).body.details['field'], 'createdAt')
  const posted = await user.call('POST', '/associations', { associations: [{ journalId: 'j1', contentId: 'n2', createdAt: 1 }] })
  assert.deepEqual([posted.status, posted.body.uploadedCount], [200, 1])
  assert.deepEqual((await user.call('GET', '/associations')).body, (await user.call('GET', '/sync/associations/changes')).body)
  assert.equal((await user.call('DELETE', '/associations/j1/n1')).status, 204)
  assert.equal((await user.call('DELETE', '/associations', { associations: [{ journalId: 'j1', contentId: 'n2' }] })).status, 204)
  const { body } = await user.call('GET', '/associations')
  assert.deepEqual([body.changes, body.deletions.map(({ contentId }) => contentId)], [[], ['n1', 'n2']])
})

test('JRN-48 metadata of a file, its deletion and the quota', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  await user.call('POST', '/sync/content', note('n1'))
  for (const id of ['m1', 'm2']) await world.addMedia(user.userId, { id, contentId: 'n1' })
  const item = (await user.call('GET', '/media/m1')).body
  assert.deepEqual([item.mediaId, item.contentId, item.downloadUrl, item.state, item.isDeleted], ['m1', 'n1', '/journal/sync/media/m1', 'stored', false])
  assert.deepEqual((await user.call('GET', '/sync/media/changes')).body.changes[0], item)
  const quota = (await user.call('GET', '/quota')).body
  assert.deepEqual([quota.totalBytes, quota.usedBytes, quota.categories[0]], [Number.MAX_SAFE_INTEGER, 5, { category: 'image', bytes: 5, count: 2 }])
  assert.equal((await user.call('DELETE', '/media/m1')).status, 204)
  const again = (await user.call('POST', '/sync/media/m1/delete')).body
  assert.deepEqual([again.id, again.deletedAt], ['m1', world.now()])
  assert.equal((await user.call('GET', '/media/m1')).status, 404)
  assert.deepEqual((await user.call('GET', '/sync/media/changes')).body.deletions, [{ mediaId: 'm1', contentId: 'n1', deletedAt: again.deletedAt, serverVersion: again.serverVersion }])
})

test('JRN-49 history lists every state newest first, in pages, and nothing is rewritten', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const first = await user.call('POST', '/sync/content', note('n1', { content: 'a', lastUpdated: 5_000 }))
  await user.call('POST', '/sync/content', note('n1', { content: 'lost 1', lastUpdated: 10 }))
  await user.call('POST', '/sync/content', note('n1', { content: 'lost 2', lastUpdated: 20 }))
  await user.call('POST', '/sync/content/n1', { content: 'b', lastUpdated: 6_000 })
  await user.call('POST', '/sync/content/n1/delete')
  await user.call('POST', '/sync/content', note('n1', { content: 'c', restore: true }))
  const { body } = await user.call('GET', '/sync/content/n1/history')
  const shown = body.versions.map(({ op, applied, record }) => [op, applied, record?.content ?? null])
  assert.deepEqual(shown, [
    ['restore', true, 'c'],
    ['delete', true, null],
    ['update', true, 'b'],
    ['create', false, 'lost 2'],
    ['create', false, 'lost 1'],
    ['create', true, 'a'],
  ])
  assert.equal(body.versions.at(-1)?.serverVersion, first.body.serverVersion)
  for (const limit of [1, 2, 3]) {
    const paged = []
    for (let before = ''; ;) {
      const page = (await user.call('GET', `/sync/content/n1/history?limit=${limit}${before}`)).body
      paged.push(...page.versions)
      if (!page.hasMore) break
      before = `&before=${page.versions.at(-1)?.historyId}`
    }
    assert.deepEqual(paged, body.versions, `in pages of ${limit}`)
  }
  assert.equal((await user.call('GET', '/sync/content/unknown/history')).status, 404)
  assert.equal((await user.call('GET', '/sync/content/n1/history?before=unknown')).body.details['parameter'], 'before')
})

test('JRN-49 the history of a long text comes in pages of few states, with losers in their places', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const long = (text: string) => `${text} ${'x'.repeat(1_000_000)}`
  await user.call('POST', '/sync/content', note('n1', { content: long('0'), lastUpdated: 10 }))
  for (let index = 1; index < 9; index += 1) {
    await user.call('POST', '/sync/content/n1', { content: long(`${index}`), lastUpdated: 10 + index })
    await user.call('POST', '/sync/content/n1', { content: long(`lost ${index}`), lastUpdated: 5 })
  }
  const drain = async (limit: number) => {
    const [texts, lengths]: [(string | undefined)[], number[]] = [[], []]
    for (let before: string | undefined = '', more = true; more;) {
      const { body } = await user.call('GET', `/sync/content/n1/history?limit=${limit}${before}`)
      texts.push(...body.versions.map(({ record }) => record?.content?.split(' x')[0]))
      lengths.push(body.versions.length)
      before = `&before=${body.versions.at(-1)?.historyId}`
      more = body.hasMore
    }
    return { texts, lengths }
  }
  const expected = ['8', '7', '6', '5', '4', '3', '2', '1'].flatMap((index) => [`lost ${index}`, index])
  const byFive = await drain(5)
  assert.deepEqual(byFive.texts, [...expected, '0'])
  const { texts, lengths } = await drain(200)
  assert.deepEqual(texts, [...expected, '0'])
  assert.ok(lengths.length > 1 && Math.max(...lengths) <= 12, lengths.join())
})

test('JRN-49 restore makes the chosen state a new version, of a live record and of a deleted one', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  await user.call('POST', '/sync/content', note('n1', { content: 'a', caption: 'first', lastUpdated: 5_000 }))
  await user.call('POST', '/sync/content', note('n1', { content: 'lost', lastUpdated: 10 }))
  const edited = await user.call('POST', '/sync/content/n1', { content: 'b', caption: null, lastUpdated: 6_000 })
  const { versions } = (await user.call('GET', '/sync/content/n1/history')).body
  const idOf = (content: string) => versions.find(({ record }) => record?.content === content)?.historyId
  const restored = await user.call('POST', '/sync/content/n1/restore', { historyId: idOf('a') })
  assert.deepEqual([restored.status, restored.body.applied, (restored.body.serverVersion ?? 0) > (edited.body.serverVersion ?? 0)], [200, true, true])
  const item = (await user.call('GET', '/contents/n1')).body
  assert.deepEqual([item.content, item.caption, item.createdAt, item.lastUpdated], ['a', 'first', 1_000, world.now()])
  await user.call('POST', '/sync/content/n1/restore', { historyId: idOf('lost'), lastUpdated: 77 })
  assert.deepEqual((({ content, lastUpdated }) => [content, lastUpdated])((await user.call('GET', '/contents/n1')).body), ['lost', 77])
  const nothing = await user.call('POST', '/sync/content/n1/restore')
  assert.equal(nothing.body.serverVersion, (await user.call('GET', '/contents/n1')).body.serverVersion, 'it is that already')
  await user.call('POST', '/sync/content/n1/delete')
  assert.equal((await user.call('POST', '/sync/content/n1/restore')).status, 200)
  assert.equal((await user.call('GET', '/contents/n1')).body.content, 'lost')
  assert.equal((await user.call('GET', '/sync/content/n1/history')).body.versions.length, 7)
  for (const body of [{ historyId: '12345' }, { historyId: 'nothing' }]) assert.equal((await user.call('POST', '/sync/content/n1/restore', body)).status, 404)
  assert.equal((await user.call('POST', '/sync/content/unknown/restore')).status, 404)
  assert.equal((await user.call('POST', '/sync/content/n1/restore', { historyId: 5 })).body.details['field'], 'historyId')
})

test('JRN-49 trash lists what can still be restored, newest first, with the date of its end', async () => {
  await using world = await openTestJournal({ environment: { HOLDFAST_JOURNAL_TOMBSTONE_RETENTION: '7d' } })
  const user = await world.signUp()
  await user.call('POST', '/sync/content', note('n1', { content: `${'x'.repeat(159)}😀 and more` }))
  await user.call('POST', '/sync/journals', { id: 'j1', title: 'Trip', createdAt: 1, lastUpdated: 1 })
  await user.call('POST', '/sync/drafts', { id: 'd1', content: 'half', createdAt: 1, lastUpdated: 1 })
  for (const path of ['content/n1', 'journals/j1', 'drafts/d1']) {
    world.advance(1_000)
    await user.call('POST', `/sync/${path}/delete`)
  }
  const { body } = await user.call('GET', '/sync/trash')
  assert.deepEqual(
    body.items.map(({ entityType, id, preview }) => [entityType, id, preview]),
    [
      ['drafts', 'd1', 'half'],
      ['journals', 'j1', 'Trip'],
      ['content', 'n1', 'x'.repeat(159)],
    ],
  )
  for (const item of body.items) assert.equal(item.purgeAfter, item.deletedAt + 7 * 86_400_000)
  const page = (await user.call('GET', '/sync/trash?limit=2')).body
  assert.deepEqual([page.items.length, page.hasMore], [2, true])
  const rest = (await user.call('GET', `/sync/trash?limit=2&before=${page.items.at(-1)?.serverVersion}`)).body
  assert.deepEqual([rest.items.map(({ id }) => id), rest.hasMore], [['n1'], false])
  await user.call('POST', '/sync/content/n1/restore')
  assert.deepEqual(
    (await user.call('GET', '/sync/trash')).body.items.map(({ id }) => id),
    ['d1', 'j1'],
  )
})

test('JRN-50 a checksum covers every live record in code-unit order of id', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const versions = new Map<string, number>()
  for (const id of ['b', 'B', 'a-1', 'a.1', 'a_1', 'a:1', '10', '9', 'gone']) versions.set(id, (await user.call('POST', '/sync/content', note(id))).body.serverVersion ?? 0)
  await user.call('POST', '/sync/content/gone/delete')
  versions.delete('gone')
  const linked = await user.call('POST', '/sync/associations', { associations: [{ journalId: 'j1', contentId: 'b', createdAt: 1 }] })
  const ordered = [...versions].toSorted(([one], [other]) => (one < other ? -1 : 1))
  const { body } = await user.call('GET', '/sync/verify')
  assert.deepEqual(body.collections['content'], { count: 8, checksum: hash('sha256', ordered.map(([id, version]) => `${id}:${version}\n`).join(''), 'hex') })
  assert.deepEqual(body.collections['associations'], { count: 1, checksum: hash('sha256', `${linkId('j1', 'b')}:${linked.body.results[0]?.serverVersion}\n`, 'hex') })
  assert.deepEqual(Object.keys(body.collections).toSorted(), ['associations', 'content', 'drafts', 'journals', 'media'])
  assert.equal(body.lastTimestamp, (await user.call('GET', '/sync/status')).body.data.lastTimestamp)
  const listed = []
  for (let after = ''; ;) {
    const page = (await user.call('GET', `/sync/verify/content?limit=3${after}`)).body
    listed.push(...page.records)
    if (!page.hasMore) break
    after = `&after=${page.records.at(-1)?.id}`
  }
  assert.deepEqual(
    listed,
    ordered.map(([id, serverVersion]) => ({ id, serverVersion })),
  )
})

test('JRN-51 drafts keep all blocks, and text from a client that knows no blocks replaces only the text', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const image = { type: 'IMAGE', mediaId: 'm1', caption: 'c' }
  const audio = { type: 'AUDIO', mediaUri: 'file:///a', durationMs: 5 }
  const blocks = [image, { type: 'TEXT', text: 'one' }, audio, { type: 'TEXT', text: 'two' }]
  await user.call('POST', '/sync/drafts', { id: 'd1', blocks, journalIds: ['j1'], createdAt: 1, lastUpdated: 1, content: 'ignored', blockTypes: ['TEXT'] })
  const draft = async () => (({ content, blocks: stored, blockTypes, journalIds }) => ({ content, blocks: stored, blockTypes, journalIds }))((await user.call('GET', '/drafts/d1')).body)
  assert.deepEqual(await draft(), { content: 'one\ntwo', blocks, blockTypes: ['IMAGE', 'TEXT', 'AUDIO', 'TEXT'], journalIds: ['j1'] })
  await user.call('POST', '/sync/drafts/d1', { content: 'all new', lastUpdated: 2 })
  assert.deepEqual(await draft(), { content: 'all new', blocks: [image, { type: 'TEXT', text: 'all new' }, audio], blockTypes: ['IMAGE', 'TEXT', 'AUDIO'], journalIds: ['j1'] })
  await user.call('POST', '/sync/drafts', { id: 'd2', content: 'old client', createdAt: 1, lastUpdated: 1 })
  assert.deepEqual((await user.call('GET', '/drafts/d2')).body.blocks, [{ type: 'TEXT', text: 'old client' }])
  const { results } = (
    await user.call('POST', '/api/v1/journal/push', {
      mutations: [{ collection: 'drafts', id: 'd2', op: 'patch', base: (await user.call('GET', '/drafts/d2')).body.serverVersion, data: { blocks: [audio] } }],
    })
  ).body
  assert.deepEqual([results[0]?.status, (await user.call('GET', '/drafts/d2')).body.content], ['applied', ''])
})

test('JRN-51 a lost text of a draft comes back with the media blocks of the winner', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const image = { type: 'IMAGE', mediaId: 'm1' }
  await user.call('POST', '/sync/drafts', { id: 'd1', blocks: [image, { type: 'TEXT', text: 'won' }], createdAt: 1, lastUpdated: 50 })
  await user.call('POST', '/sync/drafts/d1', { content: 'lost', lastUpdated: 2 })
  const { versions } = (await user.call('GET', '/sync/drafts/d1/history')).body
  const lost = versions.find(({ applied }) => !applied)
  await user.call('POST', '/sync/drafts/d1/restore', { historyId: lost?.historyId })
  assert.deepEqual((await user.call('GET', '/drafts/d1')).body.blocks, [image, { type: 'TEXT', text: 'lost' }])
})
