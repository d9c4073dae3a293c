import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestAccounts } from '../testing/open-test-accounts.ts'
import { registerUser } from '../testing/register-user.ts'

test('AUTH-16 Disabling an account ends its sessions; enabling it again brings none back', async () => {
  await using world = await openTestAccounts()
  const admin = await registerUser(world.accounts, 'admin@example.org')
  const { user, accessToken, refreshToken } = await world.accounts.register({ email: 'ada@example.org', password: 'correct horse' })
  const disabled = await world.accounts.setDisabled(admin, user.id, true)
  assert.equal(disabled.disabledAt, world.chance.now())
  await assert.rejects(world.accounts.authenticate({ bearer: accessToken }), { code: 'auth.expired' })
  await world.accounts.setDisabled(admin, user.id, false)
  await assert.rejects(world.accounts.authenticate({ bearer: accessToken }), { code: 'auth.expired' })
  await assert.rejects(world.accounts.refresh(refreshToken), { code: 'auth.expired' })
  await world.accounts.login({ email: 'ada@example.org', password: 'correct horse' })
})

test('AUTH-16 Admins cannot disable themselves, nor an account that is not there', async () => {
  await using world = await openTestAccounts()
  const admin = await registerUser(world.accounts, 'admin@example.org')
  await assert.rejects(world.accounts.setDisabled(admin, admin.userId, true), { code: 'access.forbidden' })
  await assert.rejects(world.accounts.setDisabled(admin, 'nobody', true), { code: 'not_found' })
})

test('AUTH-16 Accounts are listed by id, from behind a given one', async () => {
  await using world = await openTestAccounts()
  for (const name of ['a', 'b', 'c']) await registerUser(world.accounts, `${name}@example.org`)
  const all = await world.accounts.listUsers()
  assert.deepEqual(
    all.map(({ email }) => email),
    ['a@example.org', 'b@example.org', 'c@example.org'],
  )
  assert.deepEqual(
    (await world.accounts.listUsers(all[1]?.id)).map(({ email }) => email),
    ['c@example.org'],
  )
})
