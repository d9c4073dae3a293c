import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestAccounts } from '../testing/open-test-accounts.ts'

const HOUR_MS = 3_600_000
const ada = { email: 'ada@example.org', password: 'correct horse' }

test('AUTH-1 Registration makes an account, signs its device in and names it after the address', async () => {
  await using world = await openTestAccounts()
  const signedIn = await world.accounts.register({ ...ada, device: { id: 'phone-1', name: 'Phone' } })
  assert.deepEqual(signedIn.user, { id: signedIn.user.id, email: 'ada@example.org', displayName: 'ada', role: 'user' })
  assert.equal(signedIn.device.id, 'phone-1')
  assert.equal(signedIn.expiresIn, 900)
  const principal = await world.accounts.authenticate({ bearer: signedIn.accessToken })
  assert.deepEqual(principal.actor, { type: 'user', id: signedIn.user.id, name: 'ada@example.org' })
  assert.equal(principal.device, 'phone-1')
})

test('AUTH-1 A bad address, password or name is refused naming the field', async () => {
  await using world = await openTestAccounts()
  const bad = [
    { request: { ...ada, email: 'no address' }, path: 'email' },
    { request: { ...ada, email: 'a@b@c' }, path: 'email' },
    { request: { ...ada, email: 'a@b\r\nBcc: c@d' }, path: 'email' },
    { request: { ...ada, email: 'a@b.c,d' }, path: 'email' },
    { request: { ...ada, email: 'a\uFF20x@b' }, path: 'email' },
    { request: { ...ada, email: `${'a'.repeat(250)}@b.cd` }, path: 'email' },
    { request: { ...ada, email: '\uD800@b' }, path: 'email' },
    { request: { ...ada, password: '1234567' }, path: 'password' },
    { request: { ...ada, password: 'x'.repeat(257) }, path: 'password' },
    { request: { ...ada, password: 'eight\u0000characters' }, path: 'password' },
    { request: { ...ada, displayName: '' }, path: 'displayName' },
  ]
  for (const { request, path } of bad) {
    await assert.rejects(
      world.accounts.register(request),
      (error: { code: string; options: { fields: { path: string }[] } }) => error.code === 'request.invalid' && error.options.fields[0]?.path === path,
    )
  }
})

test('AUTH-2 Two spellings of one address are one account, and the second registration is account.exists', async () => {
  await using world = await openTestAccounts()
  const first = await world.accounts.register({ ...ada, email: 'Ada@Example.org' })
  await assert.rejects(world.accounts.register({ ...ada, email: 'ada@example.org' }), { code: 'account.exists' })
  await assert.rejects(world.accounts.register({ ...ada, email: '\uFF41da@example.org' }), { code: 'account.exists' })
  const again = await world.accounts.login({ ...ada, email: 'ADA@EXAMPLE.ORG' })
  assert.equal(again.user.id, first.user.id)
})

test('AUTH-2 Of two registrations of one address at once exactly one is made', async () => {
  await using world = await openTestAccounts()
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => world.accounts.register(ada)))
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('AUTH-3 A closed server takes no account, an inviting one none without an invitation', async () => {
  await using world = await openTestAccounts({ registration: 'closed' })
  const { token } = await world.accounts.invite()
  await assert.rejects(world.accounts.register({ ...ada, invite: token }), { code: 'registration.closed' })
  const inviting = world.restarted({ registration: 'invite' })
  await assert.rejects(inviting.register(ada), { code: 'registration.closed' })
  await assert.rejects(inviting.register({ ...ada, invite: 'made-up' }), { code: 'auth.token_invalid' })
})

test('AUTH-3 An invitation works once, is not spent by a registration that fails, and lasts seven days', async () => {
  await using world = await openTestAccounts({ registration: 'invite' })
  const { token, url } = await world.accounts.invite()
  assert.equal(url, `https://holdfast.example/account/register#token=${token}`)
  const late = await world.accounts.invite()
  await world.accounts.register({ ...ada, invite: (await world.accounts.invite()).token })
  await assert.rejects(world.accounts.register({ ...ada, invite: token }), { code: 'account.exists' })
  await world.accounts.register({ ...ada, email: 'bob@example.org', invite: token })
  await assert.rejects(world.accounts.register({ ...ada, email: 'eve@example.org', invite: token }), { code: 'auth.token_invalid' })
  world.advance(7 * 24 * HOUR_MS)
  await assert.rejects(world.accounts.register({ ...ada, email: 'eve@example.org', invite: late.token }), { code: 'auth.token_invalid' })
})

test('AUTH-3 An invitation used twice at once makes one account', async () => {
  await using world = await openTestAccounts({ registration: 'invite' })
  const { token } = await world.accounts.invite()
  const outcomes = await Promise.allSettled(['a@b.c', 'd@e.f', 'g@h.i'].map((email) => world.accounts.register({ ...ada, email, invite: token })))
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('AUTH-15 The set-up link makes the first admin, works once, and is gone once there is an admin', async () => {
  await using world = await openTestAccounts({ registration: 'closed' })
  const link = await world.accounts.setupLink()
  const spare = await world.accounts.setupLink()
  assert.ok(link !== undefined && spare !== undefined)
  await assert.rejects(world.accounts.setUp({ ...ada, token: 'made-up' }), { code: 'auth.token_invalid' })
  const signedIn = await world.accounts.setUp({ ...ada, token: link.token })
  assert.equal(signedIn.user.role, 'admin')
  for (const { token } of [link, spare]) await assert.rejects(world.accounts.setUp({ ...ada, email: 'eve@example.org', token }), { code: 'auth.token_invalid' })
  assert.equal(await world.accounts.setupLink(), undefined)
})

test('AUTH-15 A set-up link expires after 24 hours and another kind of link is none', async () => {
  await using world = await openTestAccounts()
  const link = await world.accounts.setupLink()
  const { token: inviteToken } = await world.accounts.invite()
  await assert.rejects(world.accounts.setUp({ ...ada, token: inviteToken }), { code: 'auth.token_invalid' })
  world.advance(24 * HOUR_MS)
  await assert.rejects(world.accounts.setUp({ ...ada, token: link?.token ?? '' }), { code: 'auth.token_invalid' })
})
