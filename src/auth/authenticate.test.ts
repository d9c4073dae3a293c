import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SignJWT, UnsecuredJWT } from 'jose'
import { openTestAccounts } from '../testing/open-test-accounts.ts'

const ada = { email: 'ada@example.org', password: 'correct horse' }
const MINUTE_MS = 60_000

test('AUTH-6 An access token is a JWT of user, session and device that lives 15 minutes', async () => {
  await using world = await openTestAccounts()
  const { accessToken, user, device } = await world.accounts.register(ada)
  const claims: unknown = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString())
  const nowS = Math.floor(world.chance.now() / 1_000)
  const principal = await world.accounts.authenticate({ bearer: accessToken })
  assert.ok(principal.kind === 'user')
  assert.deepEqual(claims, { sub: user.id, sid: principal.sessionId, did: device.id, iat: nowS, exp: nowS + 900 })
  world.advance(15 * MINUTE_MS - 1)
  await world.accounts.authenticate({ bearer: accessToken })
  world.advance(1)
  await assert.rejects(world.accounts.authenticate({ bearer: accessToken }), { code: 'auth.expired' })
  await assert.rejects(world.restarted().authenticate({ bearer: accessToken }), { code: 'auth.expired' })
})

test('AUTH-6 Forged, unsigned, foreign and damaged tokens are auth.required', async () => {
  await using world = await openTestAccounts()
  const { accessToken, refreshToken, user } = await world.accounts.register(ada)
  const secret = Buffer.from('test-access-secret-of-32-bytes-or-more')
  const claims = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString())
  const [head, body, signature] = accessToken.split('.')
  const admin = Buffer.from(JSON.stringify({ ...claims, sub: 'somebody-else' })).toString('base64url')
  const forged = [
    refreshToken,
    '',
    'garbage',
    'a.b.c',
    `${head}.${admin}.${signature}`,
    `${head}.${body}.`,
    `${accessToken}x`,
    new UnsecuredJWT(claims).encode(),
    await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' }).sign(Buffer.from('another-access-secret-of-32-bytes-or-more')),
    await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(secret),
    await new SignJWT(claims).setProtectedHeader({ alg: 'HS512', typ: 'at+jwt' }).sign(Buffer.concat([secret, secret])),
    await new SignJWT({ sub: user.id }).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' }).sign(secret),
  ]
  for (const bearer of forged) await assert.rejects(world.accounts.authenticate({ bearer }), { code: 'auth.required' })
})

test('AUTH-6 No other text than the one that was given out is the token: its last character holds bits that a lax reader skips', async () => {
  await using world = await openTestAccounts()
  const { accessToken } = await world.accounts.register(ada)
  const last = accessToken.at(-1) ?? ''
  const others = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/'].filter((character) => character !== last).map((character) => accessToken.slice(0, -1) + character)
  for (const bearer of [...others, `${accessToken}=`, `${accessToken}==`, accessToken.replace('.', '=.')])
    await assert.rejects(world.accounts.authenticate({ bearer }), { code: 'auth.required' }, bearer)
})

test('AUTH-6 A token that names another user than its session is refused', async () => {
  await using world = await openTestAccounts()
  const { accessToken } = await world.accounts.register(ada)
  const eve = await world.accounts.register({ ...ada, email: 'eve@example.org' })
  const principal = await world.accounts.authenticate({ bearer: accessToken })
  assert.ok(principal.kind === 'user')
  const mixed = await world.deps.accessTokens.issue({ userId: eve.user.id, sessionId: principal.sessionId, deviceId: 'x' })
  await assert.rejects(world.accounts.authenticate({ bearer: mixed }), { code: 'auth.expired' })
})

test('AUTH-7 A token whose signature is remembered still ends with its session and its user', async () => {
  await using world = await openTestAccounts()
  const one = await world.accounts.register(ada)
  const other = await world.accounts.login(ada)
  const principal = await world.accounts.authenticate({ bearer: one.accessToken })
  await world.accounts.authenticate({ bearer: other.accessToken })
  assert.ok(principal.kind === 'user')
  await world.accounts.endSession(principal, principal.sessionId)
  await assert.rejects(world.accounts.authenticate({ bearer: one.accessToken }), { code: 'auth.expired' })
  await world.database.write((tx) => tx.run('UPDATE holdfast_users SET disabled_at = 1 WHERE id = ?', [one.user.id]))
  await assert.rejects(world.accounts.authenticate({ bearer: other.accessToken }), { code: 'auth.expired' })
  await assert.rejects(world.accounts.refresh(other.refreshToken), { code: 'auth.expired' })
})

test('AUTH-17 No credential is auth.required and two are auth.ambiguous, even if one is right', async () => {
  await using world = await openTestAccounts()
  const { accessToken } = await world.accounts.register(ada)
  await assert.rejects(world.accounts.authenticate({}), { code: 'auth.required' })
  await assert.rejects(world.accounts.authenticate({ bearer: accessToken, apiKey: 'wrong' }), { code: 'auth.ambiguous' })
  await assert.rejects(world.accounts.authenticate({ apiKey: accessToken }), { code: 'auth.required' })
})

test('AUTH-6 A secret for access tokens shorter than 32 bytes is refused at start', async () => {
  await using world = await openTestAccounts()
  assert.throws(() => world.restarted({ accessSecret: 'short' }), /at least 32 bytes/)
})
