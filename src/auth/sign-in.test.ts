import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestAccounts } from '../testing/open-test-accounts.ts'
import { login } from './sign-in.ts'

const DAY_MS = 86_400_000
const ada = { email: 'ada@example.org', password: 'correct horse' }

test('AUTH-5 Unknown, wrong and disabled get one answer after the same work', async () => {
  await using world = await openTestAccounts()
  const { user } = await world.accounts.register(ada)
  const gone = await world.accounts.register({ ...ada, email: 'gone@example.org' })
  await world.database.write((tx) => tx.run('UPDATE holdfast_users SET disabled_at = 1 WHERE id = ?', [gone.user.id]))
  let verified = 0
  const hasher = {
    ...world.deps.hasher,
    verify: (hash: string | undefined, password: string) => {
      verified += 1
      return world.deps.hasher.verify(hash, password)
    },
  }
  const attempts = [
    { email: 'nobody@example.org', password: 'correct horse' },
    { ...ada, password: 'wrong horse' },
    { ...ada, email: 'gone@example.org' },
  ]
  for (const [index, attempt] of attempts.entries()) {
    await assert.rejects(login({ ...world.deps, hasher }, attempt), { code: 'auth.credentials', message: 'E-mail address or password is wrong.' })
    assert.equal(verified, index + 1)
  }
  assert.equal((await login({ ...world.deps, hasher }, ada)).user.id, user.id)
})

test('AUTH-4 A password counts as typed, to the last character and mark', async () => {
  await using world = await openTestAccounts()
  const password = ' Caf\u00E9 \u{1F600} '
  await world.accounts.register({ ...ada, password })
  for (const wrong of [password.trim(), password.normalize('NFD'), password.toLowerCase()]) await assert.rejects(world.accounts.login({ ...ada, password: wrong }), { code: 'auth.credentials' })
  await world.accounts.login({ ...ada, password })
})

test('AUTH-8 A refresh token works once, gives another, and lives 30 days from its last use', async () => {
  await using world = await openTestAccounts()
  const first = await world.accounts.register(ada)
  world.advance(29 * DAY_MS)
  const second = await world.accounts.refresh(first.refreshToken)
  assert.notEqual(second.refreshToken, first.refreshToken)
  world.advance(29 * DAY_MS)
  const third = await world.accounts.refresh(second.refreshToken)
  await world.accounts.authenticate({ bearer: third.accessToken })
  world.advance(30 * DAY_MS)
  await assert.rejects(world.accounts.refresh(third.refreshToken), { code: 'auth.expired' })
})

test('AUTH-8 What is no refresh token is refused, an access token and the hash of one too', async () => {
  await using world = await openTestAccounts()
  const { accessToken } = await world.accounts.register(ada)
  const [row] = await world.database.read((reader) => reader.all<{ hash: string }>('SELECT hash FROM holdfast_refresh_tokens'))
  for (const token of ['', 'hfr_', '\u0000', accessToken, row?.hash ?? '']) await assert.rejects(world.accounts.refresh(token), { code: 'auth.expired' })
})

test('AUTH-9 A refresh repeated within 30 seconds gets the same successor, also at once and after a restart', async () => {
  await using world = await openTestAccounts()
  const { refreshToken } = await world.accounts.register(ada)
  const answers = await Promise.all(Array.from({ length: 5 }, () => world.accounts.refresh(refreshToken)))
  assert.equal(new Set(answers.map((answer) => answer.refreshToken)).size, 1)
  world.advance(30_000)
  const again = await world.restarted().refresh(refreshToken)
  assert.equal(again.refreshToken, answers[0]?.refreshToken)
  await world.accounts.authenticate({ bearer: again.accessToken })
  await world.accounts.refresh(again.refreshToken)
})

test('AUTH-10 A spent token after 30 seconds ends the session with all that came from it', async () => {
  await using world = await openTestAccounts()
  const first = await world.accounts.register(ada)
  const other = await world.accounts.login(ada)
  const second = await world.accounts.refresh(first.refreshToken)
  world.advance(30_001)
  await assert.rejects(world.accounts.refresh(first.refreshToken), { code: 'auth.expired' })
  await assert.rejects(world.accounts.refresh(second.refreshToken), { code: 'auth.expired' })
  await assert.rejects(world.accounts.authenticate({ bearer: second.accessToken }), { code: 'auth.expired' })
  await world.accounts.authenticate({ bearer: other.accessToken })
  assert.equal(world.revocations(), 1)
  assert.equal(world.events.filter(({ action }) => action === 'auth.refresh_reused').length, 1)
})

test('AUTH-10 A spent token whose successor was used ends the session even within 30 seconds', async () => {
  await using world = await openTestAccounts()
  const first = await world.accounts.register(ada)
  const second = await world.accounts.refresh(first.refreshToken)
  const third = await world.accounts.refresh(second.refreshToken)
  await assert.rejects(world.accounts.refresh(first.refreshToken), { code: 'auth.expired' })
  await assert.rejects(world.accounts.refresh(third.refreshToken), { code: 'auth.expired' })
})

test('AUTH-10 Tokens of another server secret are not the ones that were given out', async () => {
  await using world = await openTestAccounts()
  const { refreshToken } = await world.accounts.register(ada)
  const stranger = world.restarted({ refreshSecret: 'another-refresh-secret-of-32-bytes-or-more' })
  await world.accounts.refresh(refreshToken)
  await assert.rejects(stranger.refresh(refreshToken), { code: 'auth.expired' })
})

test('AUTH-11 Signing out ends the session at once and no other', async () => {
  await using world = await openTestAccounts()
  const here = await world.accounts.register(ada)
  const there = await world.accounts.login(ada)
  const principal = await world.accounts.authenticate({ bearer: here.accessToken })
  assert.ok(principal.kind === 'user')
  await world.accounts.logout({ userId: principal.userId, id: principal.sessionId })
  await assert.rejects(world.accounts.authenticate({ bearer: here.accessToken }), { code: 'auth.expired' })
  await assert.rejects(world.accounts.refresh(here.refreshToken), { code: 'auth.expired' })
  await world.accounts.authenticate({ bearer: there.accessToken })
  assert.equal(world.revocations(), 1)
})

test('AUTH-20 No password, token or link is stored as it was given out', async () => {
  await using world = await openTestAccounts({ registration: 'invite' })
  const { token } = await world.accounts.invite()
  const signedIn = await world.accounts.register({ ...ada, invite: token })
  const next = await world.accounts.refresh(signedIn.refreshToken)
  world.accounts.requestReset(ada.email)
  await world.accounts.settled()
  const resetToken = /#token=(\S+)/.exec(world.mails[0] ?? '')?.[1] ?? ''
  const stored = await world.database.read(async (reader) => {
    const tables = ['holdfast_users', 'holdfast_devices', 'holdfast_sessions', 'holdfast_refresh_tokens', 'holdfast_one_time_links']
    return JSON.stringify(await Promise.all(tables.map((table) => reader.all(`SELECT * FROM ${table}`))))
  })
  assert.ok(stored.includes(signedIn.user.id) && resetToken !== '')
  for (const secret of [ada.password, token, signedIn.refreshToken, next.refreshToken, signedIn.accessToken, resetToken]) assert.ok(!stored.includes(secret))
  assert.ok(!JSON.stringify(world.events).includes(resetToken))
})

test('AUTH-21 Sessions and tokens survive a restart with the same secrets', async () => {
  await using world = await openTestAccounts()
  const { accessToken, refreshToken } = await world.accounts.register(ada)
  const restarted = world.restarted()
  await restarted.authenticate({ bearer: accessToken })
  await restarted.refresh(refreshToken)
})

test('AUTH-22 Signing in forgets sessions and tokens that expired', async () => {
  await using world = await openTestAccounts()
  await world.accounts.register(ada)
  world.advance(30 * DAY_MS)
  await world.accounts.login(ada)
  const counts = await world.database.read((reader) => reader.all<{ count: number }>('SELECT count(*) AS count FROM holdfast_sessions UNION ALL SELECT count(*) FROM holdfast_refresh_tokens'))
  assert.deepEqual(
    counts.map(({ count }) => count),
    [1, 1],
  )
})
