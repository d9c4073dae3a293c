import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestJournal, note, type Answer } from './open-test-journal.ts'

test('JRN-7 the feed from 0 lists a created note once, with its version and the values sent', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const sent = {
    id: 'n1',
    type: 'VIDEO',
    content: 'A day',
    mediaUri: 'file:///x.mp4',
    durationMs: 90_000,
    createdAt: -9_000_000_000_000,
    lastUpdated: 1_600_000_000_000,
    caption: 'c',
    placeName: 'Paris',
    latitude: 48.85,
    longitude: -2.35,
    tags: ['b', 'a'],
    favorite: true,
    entryDate: '1666-09-02',
    timeZone: 'Europe/London',
    deviceId: 'phone',
  }
  const created = await user.call('POST', '/sync/content', sent)
  assert.deepEqual([created.status, created.body.id, created.body.uploadedAt], [200, 'n1', world.now()])
  assert.ok(created.body.serverVersion > 0)
  const { body } = await user.call('GET', '/sync/content/changes')
  assert.deepEqual(body.changes, [{ ...sent, serverVersion: created.body.serverVersion, receivedAt: world.now(), isDeleted: false, media: [] }])
})

test('JRN-8 versions are unique across collections, grow in commit order and stay close to the clock', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const versions: number[] = []
  const keep = ({ body }: Answer) => versions.push(body.serverVersion ?? body.results[0]?.serverVersion ?? 0)
  for (let round = 0; round < 3; round += 1) {
    keep(await user.call('POST', '/sync/content', note(`n${round}`)))
    keep(await user.call('POST', '/sync/journals', { id: `j${round}`, title: '', createdAt: 1, lastUpdated: 1 }))
    keep(await user.call('POST', '/sync/drafts', { id: `d${round}`, createdAt: 1, lastUpdated: 1 }))
    keep(await user.call('POST', '/sync/associations', { associations: [{ journalId: `j${round}`, contentId: `n${round}`, createdAt: 1 }] }))
    world.advance(1_000)
  }
  assert.deepEqual(
    versions,
    [...new Set(versions)].toSorted((one, other) => one - other),
  )
  assert.ok(Math.abs((versions.at(-1) ?? 0) - world.now()) <= 1_004)
  world.advance(-60_000)
  const behind = await user.call('POST', '/sync/content', note('late'))
  assert.ok(behind.body.serverVersion > (versions.at(-1) ?? 0), 'a clock that steps back moves no version back')
})

test('JRN-9 the same create again, one by one or at the same time, has one version and a reader past it receives nothing', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const answers = await Promise.all(Array.from({ length: 12 }, () => user.call('POST', '/sync/content', note('n1'))))
  const again = await user.call('POST', '/sync/content', note('n1'))
  const versions = new Set([...answers, again].map(({ status, body }) => `${status} ${body.serverVersion} ${body.applied}`))
  assert.deepEqual([...versions], [`200 ${again.body.serverVersion} true`])
  const { body } = await user.call('GET', `/sync/content/changes?since=${again.body.serverVersion}`)
  assert.deepEqual([body.changes, body.deletions, body.lastTimestamp], [[], [], again.body.serverVersion])
})

test('JRN-10 the loser keeps its text in the history with applied: false, whatever the order of arrival', async () => {
  for (const order of [
    ['early', 'late'],
    ['late', 'early'],
  ] as const) {
    await using world = await openTestJournal()
    const user = await world.signUp()
    const times = { early: 5_000, late: 6_000 }
    for (const text of order) {
      const answer = await user.call('POST', '/sync/content', note('n1', { content: text, lastUpdated: times[text] }))
      assert.equal(answer.status, 200)
      if (text === 'early' && order[0] === 'late') assert.deepEqual([answer.body.applied, answer.body.current?.content], [false, 'late'])
    }
    assert.equal((await user.call('GET', '/contents/n1')).body.content, 'late')
    const { versions } = (await user.call('GET', '/sync/content/n1/history')).body
    const early = versions.find(({ record }) => record?.content === 'early')
    assert.equal(early?.applied, order[0] === 'early')
    assert.equal(early?.serverVersion === null, order[0] === 'late')
  }
})

test('JRN-10 a loser that is sent again, because its answer was lost, is in the history once', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  await user.call('POST', '/sync/content', note('n1', { lastUpdated: 5_000 }))
  for (const content of ['old', 'old', 'older', 'old']) assert.equal((await user.call('POST', '/sync/content/n1', { content, lastUpdated: 1_000 })).body.applied, false)
  const lost = (await user.call('GET', '/sync/content/n1/history')).body.versions.filter(({ applied }) => !applied)
  assert.deepEqual(
    lost.map(({ record }) => record?.content),
    ['older', 'old'],
  )
})

test('JRN-11 a time in the future is stored and returned as sent, and loses against a later receipt', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const future = world.now() + 86_400_000
  await user.call('POST', '/sync/content', note('n1', { content: 'from tomorrow', lastUpdated: future }))
  assert.equal((await user.call('GET', '/contents/n1')).body.lastUpdated, future)
  world.advance(5_000)
  const later = await user.call('POST', '/sync/content/n1', { content: 'from now', lastUpdated: world.now() })
  assert.equal(later.body.applied, true)
  assert.equal((await user.call('GET', '/contents/n1')).body.content, 'from now')
})

test('JRN-12 both spellings of the constraint behave the same, and contradicting ones are 400', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  let version: number = (await user.call('POST', '/sync/content', note('n1'))).body.serverVersion
  const known = (serverVersion: number) => ({ versionConstraint: { type: 'known', serverVersion } })
  for (const [index, spelling] of ['short', 'long', 'both'].entries()) {
    const base = { ...(spelling === 'long' ? {} : { clientLastKnownServerVersion: version }), ...(spelling === 'short' ? {} : known(version)) }
    const answer = await user.call('POST', '/sync/content/n1', { content: `edit ${index}`, lastUpdated: 2_000 + index, ...base })
    assert.equal(answer.status, 200)
    assert.ok(answer.body.serverVersion > version)
    const stale = await user.call('POST', '/sync/content/n1', { content: 'stale', lastUpdated: 9_000, ...(index === 1 ? known(version) : { clientLastKnownServerVersion: version }) })
    assert.deepEqual([stale.status, stale.body.details.reason], [409, 'stale'])
    version = answer.body.serverVersion
  }
  for (const absent of [{ versionConstraint: { type: 'none' } }, { versionConstraint: null, clientLastKnownServerVersion: null }, { syncVersion: 3 }]) {
    assert.equal((await user.call('POST', '/sync/content/n1', { lastUpdated: world.now(), content: JSON.stringify(absent), ...absent })).body.applied, true)
    world.advance(1)
  }
  const wrong = [
    { clientLastKnownServerVersion: version, ...known(version + 1) },
    { clientLastKnownServerVersion: version, versionConstraint: { type: 'none' } },
    { clientLastKnownServerVersion: -1 },
    { clientLastKnownServerVersion: '5' },
    { clientLastKnownServerVersion: 1.5 },
    { versionConstraint: { type: 'known' } },
    { versionConstraint: { type: 'maybe' } },
    { versionConstraint: 'known' },
  ]
  for (const constraint of wrong) {
    const answer = await user.call('POST', '/sync/content/n1', { content: 'x', lastUpdated: 1, ...constraint })
    assert.deepEqual([answer.status, answer.body.code], [400, 'VALIDATION_ERROR'], JSON.stringify(constraint))
  }
})

test('JRN-13 retrying with the version of the refusal succeeds', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const { body } = await user.call('POST', '/sync/content', note('n1'))
  await user.call('POST', '/sync/content/n1', { content: 'other device', lastUpdated: 2_000, clientLastKnownServerVersion: body.serverVersion })
  const refused = await user.call('POST', '/sync/content/n1', { content: 'mine', lastUpdated: 3_000, clientLastKnownServerVersion: body.serverVersion })
  assert.deepEqual([refused.status, refused.body.current?.content], [409, 'other device'])
  const retried = await user.call('POST', '/sync/content/n1', { content: 'mine', lastUpdated: 3_000, clientLastKnownServerVersion: refused.body.current?.serverVersion })
  assert.deepEqual([retried.status, retried.body.applied], [200, true])
  assert.equal((await user.call('GET', '/contents/n1')).body.content, 'mine')
})

test('JRN-16 of parallel writes with the same known version exactly one is applied', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const { body } = await user.call('POST', '/sync/content', note('n1'))
  const base = { clientLastKnownServerVersion: body.serverVersion }
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => user.call('POST', '/sync/content/n1', { content: `edit ${index}`, lastUpdated: 2_000, ...base })))
  assert.deepEqual(answers.map(({ status }) => String(status)).toSorted(), ['200', ...Array.from({ length: 19 }, () => '409')])
})

test('JRN-16 of a parallel update and delete with the same known version exactly one is applied', async () => {
  for (const first of ['update', 'delete'] as const) {
    await using world = await openTestJournal()
    const user = await world.signUp()
    const { body } = await user.call('POST', '/sync/content', note('n1'))
    const base = { clientLastKnownServerVersion: body.serverVersion }
    const calls = { update: () => user.call('POST', '/sync/content/n1', { content: 'edit', lastUpdated: 2_000, ...base }), delete: () => user.call('POST', '/sync/content/n1/delete', base) }
    const answers = await Promise.all([calls[first](), calls[first === 'update' ? 'delete' : 'update']()])
    assert.deepEqual(answers.map(({ status }) => String(status)).toSorted(), ['200', '409'])
  }
})

test('JRN-18 what is left out keeps its value, null clears, and createdAt stays as first written', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  await user.call('POST', '/sync/content', note('n1', { caption: 'c', placeName: 'p', tags: ['t'], favorite: true }))
  await user.call('POST', '/sync/content/n1', { caption: null, lastUpdated: 2_000, createdAt: 77, type: 'AUDIO' })
  await user.call('POST', '/sync/content', note('n1', { content: 'over', lastUpdated: 3_000, createdAt: 88 }))
  const { body } = await user.call('GET', '/contents/n1')
  assert.deepEqual([body.caption, body.placeName, body.tags, body.favorite, body.content, body.createdAt, body.type], [null, 'p', ['t'], true, 'over', 1_000, 'TEXT'])
})

test('JRN-19 a deletion answers time and version of its tombstone, again and again, and leaves nothing for an unknown id', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  await user.call('POST', '/sync/content', note('n1'))
  const deleted = await user.call('POST', '/sync/content/n1/delete')
  assert.deepEqual([deleted.status, deleted.body.deletedAt], [200, world.now()])
  world.advance(1_000)
  assert.deepEqual((await user.call('POST', '/sync/content/n1/delete', {})).body, deleted.body)
  assert.deepEqual((await user.call('POST', '/sync/content/never/delete')).body, { id: 'never', deletedAt: null, serverVersion: null })
  const { body } = await user.call('GET', '/sync/content/changes')
  assert.deepEqual([body.changes, body.deletions], [[], [deleted.body]])
  assert.equal((await user.call('POST', '/sync/content/n1/delete', undefined, { 'content-type': 'application/json' })).status, 200)
})

test('JRN-20 an edit that a deletion has not seen stays live', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const { body } = await user.call('POST', '/sync/content', note('n1'))
  await user.call('POST', '/sync/content/n1', { content: 'unseen', lastUpdated: 2_000 })
  assert.equal((await user.call('DELETE', `/contents/n1?clientLastKnownServerVersion=${body.serverVersion}`)).status, 409)
  assert.equal((await user.call('GET', '/contents/n1')).body.content, 'unseen')
})

test('JRN-21 a record that comes back is in the feed once, live, without a tombstone; a late replay of its create is 409', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  await user.call('POST', '/sync/content', note('n1'))
  const deleted = await user.call('POST', '/sync/content/n1/delete')
  const replay = await user.call('POST', '/sync/content', note('n1'))
  assert.deepEqual([replay.status, replay.body.details.reason], [409, 'deleted'])
  assert.deepEqual(replay.body.current, { id: 'n1', serverVersion: deleted.body.serverVersion, isDeleted: true, deletedAt: deleted.body.deletedAt })
  const back = await user.call('POST', '/sync/content', note('n1', { content: 'back', restore: true }))
  assert.equal(back.status, 200)
  const { body } = await user.call('GET', '/sync/content/changes')
  assert.deepEqual([body.changes.map(({ content }) => content), body.deletions], [['back'], []])
})

test('JRN-22 what is not valid is 400 with the field, and nothing is written', async () => {
  await using world = await openTestJournal({ environment: { HOLDFAST_JOURNAL_TEXT_MAX: '100' } })
  const user = await world.signUp()
  const without = (name: string) => Object.fromEntries(Object.entries(note('n1')).filter(([key]) => key !== name))
  const wrong: readonly (readonly [field: string, path: string, body: object | string])[] = [
    ['type', '/sync/content', note('n1', { type: 'PDF' })],
    ...['id', 'type', 'createdAt', 'lastUpdated'].map((name) => [name, '/sync/content', without(name)] as const),
    ['title', '/sync/journals', { id: 'j1', createdAt: 1, lastUpdated: 1 }],
    ...['', 'a b', 'a/b', 'ä', 'x'.repeat(129), 7, null].map((id) => ['id', '/sync/content', { ...note('n1'), id }] as const),
    ['content', '/sync/content', note('n1', { content: 'x'.repeat(101) })],
    ['caption', '/sync/content', note('n1', { caption: 'x'.repeat(2_001) })],
    ['tags', '/sync/content', note('n1', { tags: Array.from({ length: 51 }, (_, index) => `t${index}`) })],
    ['tags.0', '/sync/content', note('n1', { tags: [''] })],
    ['latitude', '/sync/content', note('n1', { latitude: 91 })],
    ['entryDate', '/sync/content', note('n1', { entryDate: '2023-02-30' })],
    ['timeZone', '/sync/content', note('n1', { timeZone: 'somewhere else' })],
    ['durationMs', '/sync/content', note('n1', { durationMs: '5' })],
    ['favorite', '/sync/content', note('n1', { favorite: 'true' })],
    ['content', '/sync/content', note('n1', { content: 5 })],
    ['lastUpdated', '/sync/content', note('n1', { lastUpdated: -1 })],
    ['lastUpdated', '/sync/content', note('n1', { lastUpdated: 253_402_300_800_000 })],
    ['lastUpdated', '/sync/content', note('n1', { lastUpdated: '5' })],
    ['createdAt', '/sync/content', note('n1', { createdAt: -62_135_596_800_001 })],
    ['restore', '/sync/content', note('n1', { restore: 'yes' })],
    ['lastUpdated', '/sync/content/n1', { content: 'x' }],
    ['id', '/sync/content/n1', { id: 'n2', lastUpdated: 1 }],
    ['blocks.0.type', '/sync/drafts', { id: 'd1', createdAt: 1, lastUpdated: 1, blocks: [{ type: 'X' }] }],
    ['journalIds.0', '/sync/drafts', { id: 'd1', createdAt: 1, lastUpdated: 1, journalIds: ['a b'] }],
  ]
  for (const [field, path, body] of wrong) {
    const answer = await user.call('POST', path, body)
    assert.deepEqual([answer.status, answer.body.code, answer.body.details.field], [400, 'VALIDATION_ERROR', field], JSON.stringify(body).slice(0, 200))
  }
  const { data } = (await user.call('GET', '/sync/status')).body
  assert.deepEqual([data.contentCount, data.journalCount, data.draftCount, data.lastTimestamp], [0, 0, 0, 0])
})

test('JRN-22 a text over BODY_MAX_BYTES is 413', async () => {
  await using world = await openTestJournal({ environment: { HOLDFAST_JOURNAL_BODY_MAX_BYTES: '2048' } })
  const user = await world.signUp()
  const answer = await user.call('POST', '/sync/content', note('n1', { content: 'x'.repeat(2_048) }))
  assert.deepEqual([answer.status, answer.body.code], [413, 'PAYLOAD_TOO_LARGE'])
  assert.equal((await user.call('GET', '/contents/n1')).status, 404)
})

test('JRN-23 text comes back exactly as sent', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const texts = [
    '  padded \t',
    'e\u0301 and \u00e9',
    '👩‍👩‍👧‍👦 🏳️‍🌈',
    'a\r\nb\rc\nd\u2028e',
    '<b onclick="x">&amp;</b>',
    `"quotes" 'and' \\ $\{x}`,
    '\u202eright to left',
    '\ufeffbom',
    '\u0001\u001f\u007f',
    '',
  ]
  for (const [index, content] of texts.entries()) {
    await user.call('POST', '/sync/content', note(`n${index}`, { content, caption: content }))
    const { body } = await user.call('GET', `/contents/n${index}`)
    assert.deepEqual([body.content, body.caption], [content, content])
  }
})

test('JRN-23 U+0000 and unpaired surrogates are 400 in every text, never altered', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  for (const bad of ['a\u0000b', '\ud800', 'x\udc00y']) {
    const bodies: readonly (readonly [string, object])[] = [
      ['/sync/content', note('n1', { content: bad })],
      ['/sync/content', note('n1', { tags: [bad] })],
      ['/sync/content', note('n1', { deviceId: bad })],
      ['/sync/journals', { id: 'j1', title: bad, createdAt: 1, lastUpdated: 1 }],
      ['/sync/drafts', { id: 'd1', createdAt: 1, lastUpdated: 1, blocks: [{ type: 'TEXT', text: bad }] }],
      ['/sync/associations', { associations: [{ journalId: bad, contentId: 'c', createdAt: 1 }] }],
    ]
    for (const [path, body] of bodies) assert.equal((await user.call('POST', path, body)).status, 400, `${path} ${JSON.stringify(body)}`)
  }
  assert.equal((await user.call('GET', '/sync/status')).body.data.lastTimestamp, 0)
})
