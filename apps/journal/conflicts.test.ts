import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestJournal, note } from './open-test-journal.ts'

test('JRN-25 a refused edit is an open conflict with both sides, one per record and client, until that client gets a write accepted', async () => {
  await using world = await openTestJournal()
  const phone = await world.signUp('phone')
  const laptop = await phone.onDevice('laptop')
  const { body } = await phone.call('POST', '/sync/content', note('n1', { content: 'base' }))
  await phone.call('POST', '/sync/content/n1', { content: 'of the phone', lastUpdated: 2_000 })
  const stale = (text: string) => laptop.call('POST', '/sync/content/n1', { content: text, lastUpdated: 3_000, clientLastKnownServerVersion: body.serverVersion })
  const [first, second] = [await stale('of the laptop'), await stale('of the laptop, later')]
  assert.equal(first.body.conflictId, second.body.conflictId)
  assert.equal((await phone.call('GET', '/sync/status')).body.data.openConflicts, 1)
  const [conflict] = (await phone.call('GET', '/api/v1/journal/conflicts')).body.conflicts
  assert.deepEqual(
    [conflict?.id, conflict?.recordId, conflict?.base?.content, conflict?.server?.content, conflict?.client?.content],
    [first.body.conflictId, 'n1', 'base', 'of the phone', 'of the laptop, later'],
  )
  await phone.call('POST', '/sync/content/n1', { content: 'of the phone again', lastUpdated: 4_000 })
  assert.equal((await phone.call('GET', '/sync/status')).body.data.openConflicts, 1, 'another client closes nothing')
  const lost = await laptop.call('POST', '/sync/content/n1', { content: 'too old', lastUpdated: 1 })
  assert.equal(lost.body.applied, false)
  assert.equal((await phone.call('GET', '/sync/status')).body.data.openConflicts, 1, 'a write that lost closes nothing')
  const retried = await laptop.call('POST', '/sync/content/n1', { content: 'joined', lastUpdated: 5_000, clientLastKnownServerVersion: lost.body.serverVersion })
  assert.equal(retried.status, 200)
  assert.equal((await phone.call('GET', '/sync/status')).body.data.openConflicts, 0)
})

test('JRN-25 an edit of a deleted note is kept too, and closes when someone resolves it', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  await user.call('POST', '/sync/content', note('n1'))
  await user.call('POST', '/sync/content/n1/delete')
  const refused = await user.call('POST', '/sync/content/n1', { content: 'unsent words', lastUpdated: 9_000 })
  assert.deepEqual([refused.status, refused.body.details['reason']], [409, 'deleted'])
  const [conflict] = (await user.call('GET', '/api/v1/journal/conflicts')).body.conflicts
  assert.deepEqual([conflict?.id, conflict?.server, conflict?.client?.content], [refused.body.conflictId, null, 'unsent words'])
  const resolved = await user.call('POST', `/api/v1/journal/conflicts/${refused.body.conflictId}/resolve`, { resolution: 'client' })
  assert.equal(resolved.status, 200)
  assert.equal((await user.call('GET', '/contents/n1')).body.content, 'unsent words')
  assert.equal((await user.call('GET', '/sync/status')).body.data.openConflicts, 0)
})

test('JRN-25 a refused deletion and an edit ahead of the server are no conflicts', async () => {
  await using world = await openTestJournal()
  const user = await world.signUp()
  const { body } = await user.call('POST', '/sync/content', note('n1'))
  await user.call('POST', '/sync/content/n1', { content: 'newer', lastUpdated: 2_000 })
  const [late, ahead] = [{ clientLastKnownServerVersion: body.serverVersion }, { clientLastKnownServerVersion: world.now() + 99_000 }]
  assert.equal((await user.call('POST', '/sync/content/n1/delete', late)).body.conflictId, null)
  assert.equal((await user.call('POST', '/sync/content/n1', { content: 'x', lastUpdated: 3_000, ...ahead })).body.conflictId, null)
  assert.equal((await user.call('GET', '/sync/status')).body.data.openConflicts, 0)
})
