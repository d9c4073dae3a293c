import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestAccounts, type TestAccounts } from '../testing/open-test-accounts.ts'
import { changePassword } from './passwords.ts'
import type { UserPrincipal } from './principal.ts'

const HOUR_MS = 3_600_000
const ada = { email: 'ada@example.org', password: 'correct horse' }

async function principalOf(world: TestAccounts, bearer: string): Promise<UserPrincipal> {
  const principal = await world.accounts.authenticate({ bearer })
  assert.ok(principal.kind === 'user')
  return principal
}

async function resetToken(world: TestAccounts, email = ada.email): Promise<string> {
  const before = world.mails.length
  world.accounts.requestReset(email)
  await world.accounts.settled()
  assert.equal(world.mails.length, before + 1)
  return /#token=(\S+)/.exec(world.mails.at(-1) ?? '')?.[1] ?? ''
}

test('AUTH-12 A password change needs the current one, ends all other sessions and keeps this one', async () => {
  await using world = await openTestAccounts()
  const here = await world.accounts.register(ada)
  const there = await world.accounts.login(ada)
  const principal = await principalOf(world, here.accessToken)
  await assert.rejects(
    world.accounts.changePassword(principal, { currentPassword: 'wrong horse', newPassword: 'battery staple' }),
    (error: { code: string; options: { fields: { path: string }[] } }) => error.code === 'request.invalid' && error.options.fields[0]?.path === 'currentPassword',
  )
  await world.accounts.authenticate({ bearer: there.accessToken })
  await world.accounts.changePassword(principal, { currentPassword: ada.password, newPassword: 'battery staple' })
  await world.accounts.authenticate({ bearer: here.accessToken })
  await world.accounts.refresh(here.refreshToken)
  await assert.rejects(world.accounts.authenticate({ bearer: there.accessToken }), { code: 'auth.expired' })
  await assert.rejects(world.accounts.refresh(there.refreshToken), { code: 'auth.expired' })
  await assert.rejects(world.accounts.login(ada), { code: 'auth.credentials' })
  await world.accounts.login({ ...ada, password: 'battery staple' })
  assert.equal(world.revocations(), 1)
})

test('AUTH-12 A password change whose session or password ended while it was worked on changes nothing', async () => {
  await using world = await openTestAccounts()
  const change = { currentPassword: ada.password, newPassword: 'battery staple' }
  /** Changes the password; something else happens while the new hash is computed. */
  const changeWhile = (principal: UserPrincipal, happens: () => Promise<unknown>) => {
    const { hasher } = world.deps
    return changePassword({ ...world.deps, hasher: { ...hasher, hash: async (password) => happens().then(() => hasher.hash(password)) } }, principal, change)
  }
  const thief = await principalOf(world, (await world.accounts.register(ada)).accessToken)
  await assert.rejects(
    changeWhile(thief, () => world.accounts.logout({ userId: thief.userId, id: thief.sessionId })),
    { code: 'auth.expired' },
  )
  const { accessToken } = await world.accounts.login(ada)
  const again = await principalOf(world, accessToken)
  const token = await resetToken(world)
  await assert.rejects(
    changeWhile(again, () => world.accounts.resetPassword(token, 'third password')),
    { code: 'auth.expired' },
  )
  await world.accounts.login({ ...ada, password: 'third password' })
  const other = await world.accounts.login({ ...ada, password: 'third password' })
  const here = await principalOf(world, other.accessToken)
  const second = { currentPassword: 'third password', newPassword: 'fourth password' }
  const { hasher } = world.deps
  const racing = { ...world.deps, hasher: { ...hasher, hash: async (password: string) => world.accounts.changePassword(here, second).then(() => hasher.hash(password)) } }
  await assert.rejects(changePassword(racing, here, { currentPassword: 'third password', newPassword: 'fifth password' }), { code: 'request.invalid' })
  await world.accounts.login({ ...ada, password: 'fourth password' })
})

test('AUTH-12 A password change makes reset links in old mails useless', async () => {
  await using world = await openTestAccounts()
  const { accessToken } = await world.accounts.register(ada)
  const token = await resetToken(world)
  await world.accounts.changePassword(await principalOf(world, accessToken), { currentPassword: ada.password, newPassword: 'battery staple' })
  await assert.rejects(world.accounts.resetPassword(token, 'third password'), { code: 'auth.token_invalid' })
})

test('AUTH-13 A reset mail goes to the address of the account with a link on the public URL', async () => {
  await using world = await openTestAccounts()
  await world.accounts.register(ada)
  await resetToken(world, 'ADA@example.org')
  assert.match(world.mails[0] ?? '', /^Mail to ada@example\.org: .*\n[^]*https:\/\/holdfast\.example\/account\/reset#token=\S+\n/)
})

test('AUTH-13 A request for an unknown or disabled account sends nothing and says nothing', async () => {
  await using world = await openTestAccounts()
  const { user } = await world.accounts.register(ada)
  await world.database.write((tx) => tx.run('UPDATE holdfast_users SET disabled_at = 1 WHERE id = ?', [user.id]))
  for (const email of [ada.email, 'nobody@example.org', '', '\uD800']) assert.equal(world.accounts.requestReset(email), undefined)
  await world.accounts.settled()
  assert.deepEqual(world.mails, [])
})

test('AUTH-13 One account gets at most three reset mails an hour', async () => {
  await using world = await openTestAccounts()
  await world.accounts.register(ada)
  for (let request = 0; request < 5; request += 1) world.accounts.requestReset(ada.email)
  await world.accounts.settled()
  assert.equal(world.mails.length, 3)
  world.advance(HOUR_MS)
  await resetToken(world)
})

test('AUTH-14 A reset link sets the password once and ends every session', async () => {
  await using world = await openTestAccounts()
  const signedIn = await world.accounts.register(ada)
  const token = await resetToken(world)
  const spare = await resetToken(world)
  await world.accounts.resetPassword(token, 'battery staple')
  await assert.rejects(world.accounts.authenticate({ bearer: signedIn.accessToken }), { code: 'auth.expired' })
  await assert.rejects(world.accounts.refresh(signedIn.refreshToken), { code: 'auth.expired' })
  for (const used of [token, spare, 'made-up']) await assert.rejects(world.accounts.resetPassword(used, 'third password'), { code: 'auth.token_invalid' })
  await world.accounts.login({ ...ada, password: 'battery staple' })
  assert.equal(world.revocations(), 1)
})

test('AUTH-14 A reset link expires after an hour, and is not spent on a bad password', async () => {
  await using world = await openTestAccounts()
  await world.accounts.register(ada)
  const token = await resetToken(world)
  await assert.rejects(world.accounts.resetPassword(token, 'short'), { code: 'request.invalid' })
  world.advance(HOUR_MS - 1)
  await world.accounts.resetPassword(token, 'battery staple')
  const late = await resetToken(world)
  world.advance(HOUR_MS)
  await assert.rejects(world.accounts.resetPassword(late, 'third password'), { code: 'auth.token_invalid' })
})

test('AUTH-14 A reset link used several times at once sets one password', async () => {
  await using world = await openTestAccounts()
  await world.accounts.register(ada)
  const token = await resetToken(world)
  const outcomes = await Promise.allSettled(['password one', 'password two', 'password three'].map((password) => world.accounts.resetPassword(token, password)))
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('AUTH-19 A mail that cannot be sent is recorded and stops nothing', async () => {
  const mailer = { send: () => Promise.reject(new Error('no route to host')) }
  await using world = await openTestAccounts({ mailer })
  await world.accounts.register(ada)
  world.accounts.requestReset(ada.email)
  await world.accounts.settled()
  assert.equal(world.events.filter(({ action }) => action === 'background.failed').length, 1)
})
