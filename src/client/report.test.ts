import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WireDevice } from '../protocol/devices.ts'
import type { TestServer } from '../testing/open-test-server.ts'
import { openDiaryDevice, openDiaryServer, type DiaryDevice } from './diary.fixture.ts'
import { refuseEvents } from './testing/open-test-client.ts'

const MINUTE_MS = 60_000

async function reportOf(server: TestServer, device: string) {
  const { headers } = await server.signIn('ada@example.org', 'desk')
  const answer = (await (await fetch(`${server.url}/api/v1/devices`, { headers })).json()) as { readonly devices: readonly WireDevice[] }
  const { at: _at, storage: _storage, ...report } = answer.devices.find(({ id }) => id === device)?.reports[0] ?? assert.fail()
  return report
}

const reports = (device: DiaryDevice) => device.network.paths.filter((path) => path === 'POST /diary/device').length

test('SDK-43 A device tells the server how it is, again when that changes and every quarter of an hour; the list of devices shows it', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a', { version: '2.1' })
  await phone.client.sync()
  const nothing = { app: 'diary', space: null, pending: 0, oldestPendingAt: null, conflicts: 0, rejected: 0, lastSyncAt: phone.clock.now(), appVersion: '2.1', schemaVersion: 0 }
  assert.deepEqual(await reportOf(server, 'a'), nothing)
  await phone.client.notes.add({ title: 'sent at once' })
  await phone.client.sync()
  assert.equal(reports(phone), 1)
  phone.clock.advance(15 * MINUTE_MS)
  await phone.client.sync()
  assert.equal(reports(phone), 2)
  await phone.client.pause()
  const writtenAt = phone.clock.now()
  await phone.client.notes.add({ title: 'kept here' })
  phone.clock.advance(MINUTE_MS)
  await phone.client.sync()
  assert.deepEqual(await reportOf(server, 'a'), { ...nothing, pending: 1, oldestPendingAt: writtenAt, lastSyncAt: phone.clock.now() })
})

test('SDK-43 A device that cannot send says so, and a report that fails is nothing to the sync', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.sync()
  const syncedAt = phone.clock.now()
  await phone.client.notes.add({ title: 'waits' })
  phone.clock.advance(MINUTE_MS)
  phone.network.fault = (request) => (request.url.includes('/push') ? { kind: 'answer', status: 502 } : refuseEvents(request))
  assert.equal((await phone.client.sync()).kind, 'failed')
  const report = await reportOf(server, 'a')
  assert.deepEqual([report.pending, report.lastSyncAt], [1, syncedAt])
  phone.network.fault = (request) => (request.url.includes('/device') ? { kind: 'answer', status: 500 } : refuseEvents(request))
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  phone.network.fault = refuseEvents
  await phone.client.sync()
  assert.equal((await reportOf(server, 'a')).pending, 0)
})
