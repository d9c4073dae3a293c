import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient, memoryStore } from 'holdfast/client'
import { TEST_PASSWORD } from 'holdfast/testing'
import { journal } from './app.ts'
import { openTestJournal } from './open-test-journal.ts'

test('JRN-5 What the client writes without naming a device is taken, under the name of the device that is signed in', async () => {
  await using world = await openTestJournal()
  await using client = createClient({ url: world.server.url, app: journal, store: memoryStore() })
  await client.register({ email: 'ada@example.org', password: TEST_PASSWORD, device: { id: 'phone' } })
  await client.transaction(async ({ journals, content }) => {
    await journals.put('j1', { title: 'Travels', writtenAt: 0, lastUpdated: 0 })
    await content.put('n1', { type: 'TEXT', content: 'Left early.', writtenAt: 0, lastUpdated: 0 })
  })
  assert.deepEqual(await client.sync(), { kind: 'synced' })
  assert.deepEqual(await client.rejected.list(), [])
  assert.deepEqual([(await client.content.get('n1'))?.data.deviceId, (await client.journals.get('j1'))?.data.deviceId], ['phone', 'phone'])
  await client.content.patch('n1', { content: 'Left late.', lastUpdated: 1 })
  await client.sync()
  assert.deepEqual([(await client.content.get('n1'))?.sync, await client.conflicts.list()], ['synced', []])
})
