import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SpaceRole } from '../app/collection.ts'
import { openTestAccounts, type TestAccounts } from '../testing/open-test-accounts.ts'
import { registerUser } from '../testing/register-user.ts'
import { addKey } from './add-key.ts'
import { addUser } from './add-user.ts'
import type { UserPrincipal } from './principal.ts'

const MINUTE_MS = 60_000

interface EventRow {
  readonly seq: number
  readonly action: string
  readonly actor: string
  readonly entityId: string
}

async function eventsOf(world: TestAccounts, space: number): Promise<readonly EventRow[]> {
  return world.database.read((reader) =>
    reader.all<EventRow>('SELECT seq, action, actor_type || \':\' || actor_id AS actor, entity_id AS "entityId" FROM holdfast_changes WHERE space = ? ORDER BY seq', [space]),
  )
}

async function personalKey(world: TestAccounts, principal: UserPrincipal, role: SpaceRole = 'editor') {
  return world.accounts.createKey(principal, { request: { name: 'script', app: 'journal', role }, spaces: 'personal', requestId: 'r1' })
}

/** An organisation's space `north` of the app `ppe` with an account in this role. */
async function memberOf(world: TestAccounts, email: string, role: SpaceRole): Promise<{ principal: UserPrincipal; spaceId: string }> {
  const principal = await registerUser(world.accounts, email)
  await addUser(world.deps, { email, membership: { app: 'ppe', spaces: 'organisation', role, space: 'north' } })
  const [space] = await world.accounts.listSpaces(principal)
  return { principal, spaceId: space?.id ?? '' }
}

test('KEY-1 A key is shown once, stored hashed, and works as X-API-Key and as Bearer', async () => {
  await using world = await openTestAccounts()
  const principal = await registerUser(world.accounts, 'ada@example.org')
  const { key, ...made } = await personalKey(world, principal)
  assert.match(key, new RegExp(`^hfk_${made.id}_[A-Za-z0-9_-]{43}$`))
  assert.deepEqual(await world.accounts.listKeys(principal), [made])
  const stored = await world.database.read((reader) => reader.all('SELECT * FROM holdfast_keys'))
  assert.ok(!JSON.stringify(stored).includes(key.slice(-43)))
  assert.deepEqual(await world.accounts.authenticate({ apiKey: key }), await world.accounts.authenticate({ bearer: key }))
})

test('KEY-2 A key acts in one space of one app with one role, under its own name', async () => {
  await using world = await openTestAccounts()
  const { principal, spaceId } = await memberOf(world, 'ada@example.org', 'owner')
  const { id, key } = await world.accounts.createKey(principal, { request: { name: 'tablet-1', app: 'ppe', space: spaceId, role: 'editor' }, spaces: 'organisation', requestId: 'r1' })
  const acting = await world.accounts.authenticate({ apiKey: key })
  assert.ok(acting.kind === 'key')
  assert.deepEqual({ ...acting, space: 0 }, { kind: 'key', actor: { type: 'key', id, name: 'tablet-1' }, keyId: id, device: `key:${id}`, app: 'ppe', space: 0, role: 'editor' })
})

test('KEY-2 A key for another app than its space, or for a space of nobody, is refused', async () => {
  await using world = await openTestAccounts()
  const { principal, spaceId } = await memberOf(world, 'ada@example.org', 'owner')
  const stranger = await registerUser(world.accounts, 'eve@example.org')
  const wish = { name: 'x', role: 'viewer' } as const
  await assert.rejects(world.accounts.createKey(principal, { request: { ...wish, app: 'journal', space: spaceId }, spaces: 'personal', requestId: 'r' }), { code: 'not_found' })
  await assert.rejects(world.accounts.createKey(principal, { request: { ...wish, app: 'ppe', space: 'nowhere' }, spaces: 'organisation', requestId: 'r' }), { code: 'not_found' })
  await assert.rejects(world.accounts.createKey(principal, { request: { ...wish, app: 'ppe' }, spaces: 'organisation', requestId: 'r' }), { code: 'space.required' })
  await assert.rejects(world.accounts.createKey(stranger, { request: { ...wish, app: 'ppe', space: spaceId }, spaces: 'organisation', requestId: 'r' }), { code: 'not_found' })
})

test('KEY-3 A key is never above its maker, neither when it is made nor later', async () => {
  await using world = await openTestAccounts()
  const { principal: owner, spaceId } = await memberOf(world, 'owner@example.org', 'owner')
  const { principal: editor } = await memberOf(world, 'editor@example.org', 'editor')
  const request = { name: 'x', app: 'ppe', space: spaceId } as const
  await assert.rejects(world.accounts.createKey(editor, { request: { ...request, role: 'owner' }, spaces: 'organisation', requestId: 'r' }), { code: 'access.forbidden' })
  const { key } = await world.accounts.createKey(editor, { request: { ...request, role: 'editor' }, spaces: 'organisation', requestId: 'r' })
  const roleNow = async () => {
    const principal = await world.accounts.authenticate({ apiKey: key })
    return principal.kind === 'key' ? principal.role : undefined
  }
  assert.equal(await roleNow(), 'editor')
  const change = { spaceId, userId: editor.userId, requestId: 'r' }
  await world.accounts.setMember(owner, { ...change, role: 'owner' })
  assert.equal(await roleNow(), 'editor')
  await world.accounts.setMember(owner, { ...change, role: 'viewer' })
  assert.equal(await roleNow(), 'viewer')
  await world.accounts.removeMember(owner, change)
  await assert.rejects(world.accounts.authenticate({ apiKey: key }), { code: 'auth.required' })
})

test('KEY-3 The keys of a disabled account rest', async () => {
  await using world = await openTestAccounts()
  const admin = await registerUser(world.accounts, 'admin@example.org')
  const principal = await registerUser(world.accounts, 'ada@example.org')
  const { key } = await personalKey(world, principal)
  await world.accounts.setDisabled(admin, principal.userId, true)
  await assert.rejects(world.accounts.authenticate({ apiKey: key }), { code: 'auth.required' })
  await world.accounts.setDisabled(admin, principal.userId, false)
  await world.accounts.authenticate({ apiKey: key })
})

test('KEY-4 A revoked key fails from the next request on; revoking again changes nothing', async () => {
  await using world = await openTestAccounts()
  const principal = await registerUser(world.accounts, 'ada@example.org')
  const stranger = await registerUser(world.accounts, 'eve@example.org')
  const { id, key } = await personalKey(world, principal)
  const acting = await world.accounts.authenticate({ apiKey: key })
  assert.ok(acting.kind === 'key')
  await assert.rejects(world.accounts.revokeKey(stranger, { id, requestId: 'r' }), { code: 'not_found' })
  await assert.rejects(world.accounts.revokeKey(principal, { id: 'never', requestId: 'r' }), { code: 'not_found' })
  await Promise.all([world.accounts.revokeKey(principal, { id, requestId: 'r' }), world.accounts.revokeKey(principal, { id, requestId: 'r' })])
  await assert.rejects(world.accounts.authenticate({ apiKey: key }), { code: 'auth.required' })
  const [listed] = await world.accounts.listKeys(principal)
  assert.equal(listed?.revokedAt, world.chance.now())
  assert.equal((await eventsOf(world, acting.space)).filter(({ action }) => action === 'keys.revoke').length, 1)
  assert.deepEqual(await world.accounts.listKeys(stranger), [])
})

test('KEY-4 An owner sees and revokes all keys of the space, a member their own', async () => {
  await using world = await openTestAccounts()
  const { principal: owner, spaceId } = await memberOf(world, 'owner@example.org', 'owner')
  const { principal: editor } = await memberOf(world, 'editor@example.org', 'editor')
  const request = { name: 'x', app: 'ppe', space: spaceId, role: 'viewer' } as const
  const ofOwner = await world.accounts.createKey(owner, { request, spaces: 'organisation', requestId: 'r' })
  const ofEditor = await world.accounts.createKey(editor, { request, spaces: 'organisation', requestId: 'r' })
  assert.deepEqual(
    (await world.accounts.listKeys(owner)).map(({ id }) => id),
    [ofEditor.id, ofOwner.id],
  )
  assert.deepEqual(
    (await world.accounts.listKeys(editor)).map(({ id }) => id),
    [ofEditor.id],
  )
  await assert.rejects(world.accounts.revokeKey(editor, { id: ofOwner.id, requestId: 'r' }), { code: 'not_found' })
  await world.accounts.revokeKey(owner, { id: ofEditor.id, requestId: 'r' })
  await assert.rejects(world.accounts.authenticate({ apiKey: ofEditor.key }), { code: 'auth.required' })
})

test('KEY-5 The last use is noted with the first request and then at most once a minute', async () => {
  await using world = await openTestAccounts()
  const principal = await registerUser(world.accounts, 'ada@example.org')
  const { key } = await personalKey(world, principal)
  const lastUse = async () => (await world.accounts.listKeys(principal))[0]?.lastUsedAt
  const first = world.chance.now()
  await world.accounts.authenticate({ apiKey: key })
  assert.equal(await lastUse(), first)
  world.advance(MINUTE_MS - 1)
  await world.accounts.authenticate({ apiKey: key })
  await world.accounts.settled()
  assert.equal(await lastUse(), first)
  world.advance(1)
  await Promise.all([world.accounts.authenticate({ apiKey: key }), world.accounts.authenticate({ apiKey: key })])
  await world.accounts.settled()
  assert.equal(await lastUse(), first + MINUTE_MS)
})

test('KEY-6 Making, first use and revocation are events of the space, each once', async () => {
  await using world = await openTestAccounts()
  const principal = await registerUser(world.accounts, 'ada@example.org')
  const { id, key } = await personalKey(world, principal)
  const acting = await world.accounts.authenticate({ apiKey: key })
  await Promise.all([world.accounts.authenticate({ apiKey: key }), world.restarted().authenticate({ apiKey: key })])
  await world.accounts.settled()
  await world.accounts.revokeKey(principal, { id, requestId: 'r2' })
  assert.ok(acting.kind === 'key')
  const user = `user:${principal.userId}`
  assert.deepEqual(
    (await eventsOf(world, acting.space)).map((row) => ({ ...row })),
    [
      { seq: 1, action: 'keys.create', actor: user, entityId: id },
      { seq: 2, action: 'keys.use', actor: `key:${id}`, entityId: id },
      { seq: 3, action: 'keys.revoke', actor: user, entityId: id },
    ],
  )
})

test('KEY-7 The command line makes a key in a space named for the first time, answered for by the system', async () => {
  await using world = await openTestAccounts()
  const wish = { app: 'ppe', spaces: 'organisation', name: 'tablet-1', role: 'owner' } as const
  const one = await addKey(world.deps, wish)
  const two = await addKey(world.deps, { ...wish, space: 'default' })
  assert.equal(one.space, two.space)
  const acting = await world.accounts.authenticate({ apiKey: one.key })
  assert.ok(acting.kind === 'key' && acting.role === 'owner')
  assert.equal((await eventsOf(world, acting.space))[0]?.actor, 'system:cli')
  await assert.rejects(addKey(world.deps, { ...wish, space: 'No Such' }), { code: 'request.invalid' })
  await assert.rejects(addKey(world.deps, { ...wish, userEmail: 'ada@example.org' }), { code: 'request.invalid' })
})

test('KEY-7 The command line makes a key for the personal space of a named account', async () => {
  await using world = await openTestAccounts()
  const principal = await registerUser(world.accounts, 'ada@example.org')
  const wish = { app: 'journal', spaces: 'personal', name: 'script', role: 'viewer' } as const
  const { id } = await addKey(world.deps, { ...wish, userEmail: 'Ada@example.org' })
  assert.deepEqual(
    (await world.accounts.listKeys(principal)).map((key) => key.id),
    [id],
  )
  await assert.rejects(addKey(world.deps, wish), { code: 'request.invalid' })
  await assert.rejects(addKey(world.deps, { ...wish, userEmail: 'nobody@example.org' }), { code: 'request.invalid' })
})

test('KEY-8 A wrong, unknown or damaged key gets the answer of a missing credential', async () => {
  await using world = await openTestAccounts()
  const principal = await registerUser(world.accounts, 'ada@example.org')
  const { id, key } = await personalKey(world, principal)
  const wrong = [`hfk_${id}_${'x'.repeat(43)}`, `hfk_${principal.userId}_${key.slice(-43)}`, key.slice(0, -1), `${key}x`, 'hfk_', `hfk_${id}_`, key.toUpperCase(), ` ${key}`]
  for (const apiKey of wrong) await assert.rejects(world.accounts.authenticate({ apiKey }), { code: 'auth.required' })
  await assert.rejects(world.accounts.authenticate({ bearer: key.slice(0, -1) }), { code: 'auth.required' })
})
