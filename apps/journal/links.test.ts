import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SpaceReader, StoredRecord } from 'holdfast'
import { linkId } from './link-id.ts'
import { openTestJournal, note, type TestUser } from './open-test-journal.ts'
import { rules } from './rules.ts'

const link = (journalId: string, contentId: string, createdAt = 1_000) => ({ journalId, contentId, createdAt })
const statuses = ({ body }: { readonly body: { readonly results: readonly { readonly status: string; readonly reason: string | null }[] } }) =>
  body.results.map(({ status, reason }) => (reason === null ? status : `${status} ${reason}`))

test('JRN-31 a batch has a result per item in order, repeating it changes nothing, and linking again leaves one live link', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const associations = [link('j1', 'n1'), link('j1', 'n2'), link('j1', 'n1')]
  const first = await user.call('POST', '/sync/associations', { associations })
  assert.deepEqual([statuses(first), first.body.uploadedCount], [['applied', 'applied', 'unchanged'], 3])
  assert.deepEqual(
    first.body.results.map(({ contentId }) => contentId),
    ['n1', 'n2', 'n1'],
  )
  const again = await user.call('POST', '/sync/associations', { associations })
  assert.deepEqual([statuses(again), again.body.uploadedCount], [['unchanged', 'unchanged', 'unchanged'], 3])
  assert.deepEqual(
    again.body.results.map(({ serverVersion }) => serverVersion),
    [0, 1, 0].map((index) => first.body.results[index]?.serverVersion),
  )
  const removed = await user.call('POST', '/sync/associations/delete', { associations: [link('j1', 'n1')] })
  assert.deepEqual([statuses(removed), removed.body.deletedCount], [['applied'], 1])
  assert.deepEqual(statuses(await user.call('POST', '/sync/associations/delete', { associations: [link('j1', 'n1')] })), ['unchanged'])
  const feed = (await user.call('GET', '/sync/associations/changes')).body
  assert.deepEqual([feed.changes.map(({ contentId }) => contentId), feed.deletions.map(({ contentId }) => contentId)], [['n2'], ['n1']])
  assert.deepEqual(statuses(await user.call('POST', '/sync/associations', { associations: [link('j1', 'n1', 2_000)] })), ['applied'])
  const after = (await user.call('GET', '/sync/associations/changes')).body
  assert.deepEqual([after.changes.map(({ contentId }) => contentId), after.deletions], [['n2', 'n1'], []])
})

test('JRN-32 one invalid item refuses the whole batch with its index; too many are 413; nothing is written', async () => {
  await using world = await openTestJournal({ environment: { HOLDFAST_JOURNAL_MAX_BATCH: '3' } })
  const user = await world.signUp()
  const wrong: readonly (readonly [string, unknown])[] = [
    ['journalId', { contentId: 'n', createdAt: 1 }],
    ['contentId', { journalId: 'j', contentId: 'a b', createdAt: 1 }],
    ['createdAt', { journalId: 'j', contentId: 'n' }],
    ['createdAt', { journalId: 'j', contentId: 'n', createdAt: '1' }],
    ['deviceId', { journalId: 'j', contentId: 'n', createdAt: 1, deviceId: 5 }],
  ]
  for (const [field, item] of wrong) {
    const answer = await user.call('POST', '/sync/associations', { associations: [link('j1', 'n1'), item] })
    assert.deepEqual([answer.status, answer.body.details['field'], answer.body.details['index']], [400, `associations[1].${field}`, '1'])
  }
  assert.equal((await user.call('POST', '/sync/associations', { associations: [link('j1', 'n1'), 'x'] })).body.details['index'], '1')
  assert.equal((await user.call('POST', '/sync/associations/delete', { associations: [{ ...link('j1', 'n1'), deletedAt: 'x' }] })).body.details['field'], 'associations[0].deletedAt')
  for (const body of [{}, { associations: {} }]) assert.equal((await user.call('POST', '/sync/associations', body)).body.details['field'], 'associations')
  for (const path of ['/sync/associations', '/sync/associations/delete']) {
    const many = await user.call('POST', path, { associations: [1, 2, 3, 4].map((index) => link('j1', `n${index}`)) })
    assert.deepEqual([many.status, many.body.code, many.body.details['limit']], [413, 'PAYLOAD_TOO_LARGE', '3'])
  }
  assert.equal((await user.call('GET', '/sync/status')).body.data.lastTimestamp, 0)
})

test('JRN-33 a link may come before its ends, and to a deleted end it is skipped', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  assert.deepEqual(statuses(await user.call('POST', '/sync/associations', { associations: [link('later', 'later')] })), ['applied'])
  await user.call('POST', '/sync/content', note('n1'))
  await user.call('POST', '/sync/content/n1/delete')
  await user.call('POST', '/sync/journals', { id: 'j1', title: '', createdAt: 1, lastUpdated: 1 })
  await user.call('POST', '/sync/journals/j1/delete')
  const skipped = await user.call('POST', '/sync/associations', { associations: [link('j2', 'n1'), link('j1', 'n2'), link('j2', 'n2')] })
  assert.deepEqual([statuses(skipped), skipped.body.uploadedCount, skipped.body.results[0]?.serverVersion], [['skipped deleted', 'skipped deleted', 'applied'], 1, null])
})

test('JRN-33 a replay of the removed link is skipped, another add links again', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp('phone')
  await user.call('POST', '/sync/associations', { associations: [link('j1', 'n1')] })
  await user.call('POST', '/sync/associations/delete', { associations: [link('j1', 'n1')] })
  const replay = await user.call('POST', '/sync/associations', { associations: [link('j1', 'n1')] })
  assert.deepEqual([statuses(replay), replay.body.uploadedCount], [['skipped replay'], 0])
  const other = await user.call('POST', '/sync/associations', { associations: [{ ...link('j1', 'n1'), deviceId: 'tablet' }] })
  assert.deepEqual([statuses(other), other.body.uploadedCount], [['applied'], 1])
})

test('JRN-33 unlinking what was never seen leaves a tombstone, and an add from before it is skipped', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const unlinked = await user.call('POST', '/sync/associations/delete', {
    associations: [
      { journalId: 'j1', contentId: 'n1', deletedAt: 5_000 },
      { journalId: 'j1', contentId: 'n2' },
    ],
  })
  assert.deepEqual([statuses(unlinked), unlinked.body.deletedCount], [['applied', 'applied'], 2])
  const { body } = await user.call('GET', '/sync/associations/changes')
  assert.deepEqual(
    body.deletions,
    [1, 2].map((index) => ({ journalId: 'j1', contentId: `n${index}`, deletedAt: world.now(), serverVersion: unlinked.body.results[index - 1]?.serverVersion })),
  )
  const early = await user.call('POST', '/sync/associations', { associations: [link('j1', 'n1', 5_000), link('j1', 'n2', 5_000)] })
  assert.deepEqual(statuses(early), ['skipped stale', 'applied'])
  assert.deepEqual(statuses(await user.call('POST', '/sync/associations', { associations: [link('j1', 'n1', 5_001)] })), ['applied'])
})

/** How many links are live, and how many files. */
async function counts(user: TestUser): Promise<readonly number[]> {
  const { data } = (await user.call('GET', '/sync/status')).body
  return [data.associationCount, data.mediaCount]
}

test('JRN-34 deleting a note, through whatever route, takes its links and files along, and they come back with it', async () => {
  const deletions: readonly ((user: TestUser, base: number) => Promise<unknown>)[] = [
    (user) => user.call('POST', '/sync/content/n1/delete'),
    (user) => user.call('DELETE', '/contents/n1'),
    (user, base) => user.call('POST', '/api/v1/journal/push', { mutations: [{ collection: 'content', id: 'n1', op: 'delete', base }] }),
  ]
  for (const remove of deletions) {
    await using world = await openTestJournal()
    const user = await world.signUp()
    const { body } = await user.call('POST', '/sync/content', note('n1'))
    for (const id of ['j1', 'j2']) await user.call('POST', '/sync/journals', { id, title: id, createdAt: 1, lastUpdated: 1 })
    await user.call('POST', '/sync/associations', { associations: [link('j1', 'n1'), link('j2', 'n1'), link('j1', 'n2'), link('j3', 'n1')] })
    await user.call('POST', '/sync/associations/delete', { associations: [link('j3', 'n1')] })
    await world.addMedia(user.userId, { id: 'm1', contentId: 'n1' })
    await world.addMedia(user.userId, { id: 'm2', contentId: 'n1' })
    await user.call('POST', '/sync/media/m2/delete')
    assert.deepEqual(await counts(user), [3, 1])
    await remove(user, body.serverVersion ?? 0)
    assert.deepEqual(await counts(user), [1, 0])
    assert.equal((await user.call('GET', '/sync/status')).body.data.journalCount, 2)
    await user.call('POST', '/sync/content', note('n1', { restore: true }))
    assert.deepEqual(await counts(user), [3, 1], 'what the person removed stays removed')
    assert.deepEqual(
      (await user.call('GET', '/contents/n1')).body.media.map(({ mediaId }) => mediaId),
      ['m1'],
    )
  }
})

test('JRN-34 deleting a journal takes its links and never its notes; a link comes back when both ends are there', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  await user.call('POST', '/sync/content', note('n1'))
  await user.call('POST', '/sync/journals', { id: 'j1', title: 'j', createdAt: 1, lastUpdated: 1 })
  await user.call('POST', '/sync/associations', { associations: [link('j1', 'n1')] })
  await user.call('POST', '/sync/journals/j1/delete')
  assert.deepEqual(await counts(user), [0, 0])
  assert.equal((await user.call('GET', '/contents/n1')).status, 200)
  await user.call('POST', '/sync/content/n1/delete')
  await user.call('POST', '/sync/content/n1/restore')
  assert.deepEqual(await counts(user), [0, 0], 'the journal is still deleted')
  await user.call('POST', '/sync/journals/j1/restore')
  assert.deepEqual(await counts(user), [1, 0])
})

test('JRN-34 what a person unlinked after a deletion stays unlinked', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  await user.call('POST', '/sync/content', note('n1'))
  await user.call('POST', '/sync/associations', { associations: [link('j1', 'n1')] })
  await user.call('POST', '/sync/content/n1/delete')
  await user.call('POST', '/sync/associations/delete', { associations: [link('j1', 'n1')] })
  await user.call('POST', '/sync/content', note('n1', { restore: true }))
  assert.deepEqual(await counts(user), [0, 0])
})

test('JRN-31 a push makes the same link under the same id, and is rejected under another', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  await user.call('POST', '/sync/associations', { associations: [link('j1', 'n1')] })
  const data = { journalId: 'j1', contentId: 'n1', writtenAt: 2_000 }
  const push = (id: string) => user.call('POST', '/api/v1/journal/push', { mutations: [{ collection: 'associations', id, op: 'put', base: 0, data }] })
  assert.deepEqual([(await push('another')).body.results[0]?.status, (await push(linkId('j1', 'n1'))).body.results[0]?.status], ['rejected', 'unchanged'])
  assert.deepEqual(await counts(user), [1, 0])
})

test('JRN-34 a deletion takes along everything or does not happen: more than a commit can take is refused', async () => {
  const links = (count: number): readonly StoredRecord[] =>
    Array.from({ length: count }, (_, index) => ({
      id: `l${index}`,
      version: 1,
      createdAt: 1,
      updatedAt: 1,
      deletedAt: null,
      author: 'user:a',
      device: null,
      fields: { journalId: 'j', contentId: `c${index}` },
    }))
  const remove = (count: number) => {
    const all = links(count)
    const reader: SpaceReader = { get: async () => undefined, find: async (_collection, _filters, limit) => all.slice(0, limit) }
    const scope = { actor: { type: 'user', id: 'a', name: 'a' }, device: 'd', app: 'journal', space: 1, role: 'owner', requestId: 'r' } as const
    return rules['journals']?.({ operation: 'delete', id: 'j', stored: undefined, next: {}, sent: {}, context: undefined, scope, now: 1, reader })
  }
  const taken = await remove(300_000)
  assert.equal(taken?.kind === 'accept' && taken.also?.length, 300_000)
  const refused = await remove(400_001)
  assert.equal(refused?.kind === 'refuse' && refused.code, 'cascade.too_large')
})
