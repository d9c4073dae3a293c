import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestAccounts } from '../testing/open-test-accounts.ts'
import { registerUser, userOf } from '../testing/register-user.ts'

const ada = { email: 'ada@example.org', password: 'correct horse' }

test('DEV-1 Devices are listed with their live sessions, the one seen last first, and the one that asks is marked', async () => {
  await using world = await openTestAccounts()
  const phone = await world.accounts.register({ ...ada, device: { id: 'phone', name: 'Phone', platform: 'android', appVersion: '1.2' } })
  const start = world.chance.now()
  world.advance(1_000)
  await world.accounts.login({ ...ada, device: { id: 'tablet' } })
  const again = await world.accounts.login({ ...ada, device: { id: 'tablet' } })
  const devices = await world.accounts.listDevices(await userOf(world.accounts, phone.accessToken))
  assert.deepEqual(
    devices.map(({ id, current, sessions }) => ({ id, current, sessions: sessions.length })),
    [
      { id: 'tablet', current: false, sessions: 2 },
      { id: 'phone', current: true, sessions: 1 },
    ],
  )
  const { sessions, ...described } = devices[1] ?? assert.fail()
  assert.deepEqual(described, { id: 'phone', name: 'Phone', platform: 'android', appVersion: '1.2', createdAt: start, lastSeenAt: start, current: true, reports: [] })
  assert.equal(sessions[0]?.current, true)
  const all = await world.accounts.listSessions(await userOf(world.accounts, again.accessToken))
  assert.deepEqual(
    all.map(({ deviceId, current }) => ({ deviceId, current })),
    [
      { deviceId: 'tablet', current: true },
      { deviceId: 'tablet', current: false },
      { deviceId: 'phone', current: false },
    ],
  )
})

test('DEV-1 A device is seen again when it refreshes', async () => {
  await using world = await openTestAccounts()
  const { refreshToken } = await world.accounts.register({ ...ada, device: { id: 'phone' } })
  world.advance(60_000)
  const { accessToken } = await world.accounts.refresh(refreshToken)
  const [device] = await world.accounts.listDevices(await userOf(world.accounts, accessToken))
  assert.equal(device?.lastSeenAt, world.chance.now())
  assert.equal(device?.sessions[0]?.lastUsedAt, world.chance.now())
})

test('DEV-2 A device is renamed by its owner and keeps the rest of what is known', async () => {
  await using world = await openTestAccounts()
  const principal = await registerUser(world.accounts, ada.email, 'phone')
  const stranger = await registerUser(world.accounts, 'eve@example.org')
  assert.equal((await world.accounts.renameDevice(principal, 'phone', 'Old phone')).name, 'Old phone')
  await assert.rejects(world.accounts.renameDevice(stranger, 'phone', 'Mine'), { code: 'not_found' })
  await world.accounts.login({ ...ada, device: { id: 'phone', appVersion: '2.0' } })
  const [device] = await world.accounts.listDevices(principal)
  assert.deepEqual([device?.name, device?.appVersion], ['Old phone', '2.0'])
})

test('DEV-3 Removing a device ends its sessions at once, and signing in there lets it in again', async () => {
  await using world = await openTestAccounts()
  const principal = await registerUser(world.accounts, ada.email, 'phone')
  const tablet = await world.accounts.login({ ...ada, device: { id: 'tablet' } })
  await world.accounts.authenticate({ bearer: tablet.accessToken })
  await world.accounts.revokeDevice(principal, 'tablet')
  await assert.rejects(world.accounts.authenticate({ bearer: tablet.accessToken }), { code: 'auth.expired' })
  await assert.rejects(world.accounts.refresh(tablet.refreshToken), { code: 'auth.expired' })
  assert.deepEqual(
    (await world.accounts.listDevices(principal)).map(({ id }) => id),
    ['phone'],
  )
  assert.equal(world.revocations(), 1)
  await world.accounts.revokeDevice(principal, 'tablet')
  await assert.rejects(world.accounts.revokeDevice(principal, 'never'), { code: 'not_found' })
  await assert.rejects(world.accounts.renameDevice(principal, 'tablet', 'Ghost'), { code: 'not_found' })
  await world.accounts.login({ ...ada, device: { id: 'tablet' } })
  assert.equal((await world.accounts.listDevices(principal)).length, 2)
  await assert.rejects(world.accounts.authenticate({ bearer: tablet.accessToken }), { code: 'auth.expired' })
})

test('DEV-4 Two accounts may use one device id, and neither reaches the other through it', async () => {
  await using world = await openTestAccounts()
  const one = await registerUser(world.accounts, ada.email, 'shared')
  const other = await registerUser(world.accounts, 'bob@example.org', 'shared')
  await world.accounts.revokeDevice(one, 'shared')
  assert.equal((await world.accounts.listDevices(other)).length, 1)
  const { accessToken } = await world.accounts.login({ ...ada, email: 'bob@example.org' })
  await world.accounts.authenticate({ bearer: accessToken })
})

test('DEV-5 A session is ended by its owner alone, once', async () => {
  await using world = await openTestAccounts()
  const principal = await registerUser(world.accounts, ada.email)
  const other = await registerUser(world.accounts, 'eve@example.org')
  await assert.rejects(world.accounts.endSession(other, principal.sessionId), { code: 'not_found' })
  await world.accounts.endSession(principal, principal.sessionId)
  await assert.rejects(world.accounts.endSession(principal, principal.sessionId), { code: 'not_found' })
  assert.deepEqual(await world.accounts.listSessions(principal), [])
})
