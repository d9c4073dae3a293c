import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestAccounts, type TestAccounts } from '../testing/open-test-accounts.ts'
import { registerUser } from '../testing/register-user.ts'
import { addUser } from './add-user.ts'

const requestId = 'r'

async function openSpace(world: TestAccounts) {
  const owner = await registerUser(world.accounts, 'owner@example.org')
  const other = await registerUser(world.accounts, 'other@example.org')
  const space = await world.accounts.createSpace(owner, { app: 'ppe', name: 'north' })
  return { owner, other, spaceId: space.id }
}

test('SPACE-1 A person sees the spaces they are a member of, with their role, and no other', async () => {
  await using world = await openTestAccounts()
  const { owner, other, spaceId } = await openSpace(world)
  assert.deepEqual(await world.accounts.listSpaces(owner), [{ id: spaceId, app: 'ppe', kind: 'organisation', name: 'north', role: 'owner' }])
  assert.deepEqual(await world.accounts.listSpaces(other), [])
})

test('SPACE-2 A name is given once per app, also when two ask at once', async () => {
  await using world = await openTestAccounts()
  const owner = await registerUser(world.accounts, 'owner@example.org')
  const other = await registerUser(world.accounts, 'other@example.org')
  const outcomes = await Promise.allSettled([owner, other, owner].map((principal) => world.accounts.createSpace(principal, { app: 'ppe', name: 'north' })))
  assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected', 'rejected'])
  await assert.rejects(world.accounts.createSpace(other, { app: 'ppe', name: 'north' }), { code: 'space.exists' })
  // Whichever of them was first: the one that was not is no member.
  assert.equal((await world.accounts.listSpaces(owner)).length + (await world.accounts.listSpaces(other)).length, 1)
  await world.accounts.createSpace(other, { app: 'rack', name: 'north' })
})

test('SPACE-3 An owner gives, changes and takes roles; for strangers the space does not exist, for others it is forbidden', async () => {
  await using world = await openTestAccounts()
  const { owner, other, spaceId } = await openSpace(world)
  const change = { spaceId, userId: other.userId, requestId }
  for (const id of [spaceId, 'nowhere']) {
    await assert.rejects(world.accounts.listMembers(other, id), { code: 'not_found' })
    await assert.rejects(world.accounts.setMember(other, { ...change, spaceId: id, role: 'owner' }), { code: 'not_found' })
    await assert.rejects(world.accounts.removeMember(other, { ...change, spaceId: id, userId: owner.userId }), { code: 'not_found' })
  }
  const member = await world.accounts.setMember(owner, { ...change, role: 'editor' })
  assert.deepEqual(member, { userId: other.userId, email: 'other@example.org', displayName: 'other', role: 'editor', since: world.chance.now() })
  await assert.rejects(world.accounts.listMembers(other, spaceId), { code: 'access.forbidden' })
  await assert.rejects(world.accounts.setMember(other, { ...change, role: 'owner' }), { code: 'access.forbidden' })
  await assert.rejects(world.accounts.removeMember(other, { ...change, userId: owner.userId }), { code: 'access.forbidden' })
  assert.deepEqual(
    (await world.accounts.listMembers(owner, spaceId)).map(({ email, role }) => `${email} ${role}`),
    ['other@example.org editor', 'owner@example.org owner'],
  )
  await world.accounts.removeMember(owner, change)
  await assert.rejects(world.accounts.removeMember(owner, change), { code: 'not_found' })
  await assert.rejects(world.accounts.setMember(owner, { ...change, userId: 'nobody', role: 'viewer' }), { code: 'not_found' })
  assert.equal(world.revocations(), 2)
})

test('SPACE-4 The last owner can be neither removed nor lowered, also when two owners leave at once', async () => {
  await using world = await openTestAccounts()
  const { owner, other, spaceId } = await openSpace(world)
  const self = { spaceId, userId: owner.userId, requestId }
  await assert.rejects(world.accounts.removeMember(owner, self), { code: 'space.last_owner' })
  await assert.rejects(world.accounts.setMember(owner, { ...self, role: 'editor' }), { code: 'space.last_owner' })
  await world.accounts.setMember(owner, { ...self, userId: other.userId, role: 'owner' })
  const leaving = await Promise.allSettled([world.accounts.removeMember(owner, self), world.accounts.removeMember(other, { ...self, userId: other.userId })])
  assert.deepEqual(leaving.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
})

test('SPACE-5 A personal space has one member for good', async () => {
  await using world = await openTestAccounts()
  const owner = await registerUser(world.accounts, 'owner@example.org')
  const other = await registerUser(world.accounts, 'other@example.org')
  const { space: spaceId } = await world.accounts.createKey(owner, { request: { name: 'x', app: 'journal', role: 'viewer' }, spaces: 'personal', requestId })
  await assert.rejects(world.accounts.setMember(owner, { spaceId, userId: other.userId, role: 'viewer', requestId }), { code: 'access.forbidden' })
  await assert.rejects(world.accounts.removeMember(owner, { spaceId, userId: owner.userId, requestId }), { code: 'access.forbidden' })
  await assert.rejects(world.accounts.setMember(other, { spaceId, userId: other.userId, role: 'viewer', requestId }), { code: 'not_found' })
})

test('SPACE-6 A member may leave', async () => {
  await using world = await openTestAccounts()
  const { owner, other, spaceId } = await openSpace(world)
  await world.accounts.setMember(owner, { spaceId, userId: other.userId, role: 'viewer', requestId })
  await world.accounts.removeMember(other, { spaceId, userId: other.userId, requestId })
  assert.deepEqual(await world.accounts.listSpaces(other), [])
})

test('SPACE-7 A change of members is an event of the space, a repetition is not', async () => {
  await using world = await openTestAccounts()
  const { owner, other, spaceId } = await openSpace(world)
  const change = { spaceId, userId: other.userId, requestId }
  await world.accounts.setMember(owner, { ...change, role: 'viewer' })
  await world.accounts.setMember(owner, { ...change, role: 'viewer' })
  await world.accounts.setMember(owner, { ...change, role: 'editor' })
  await world.accounts.removeMember(owner, change)
  const rows = await world.database.read((reader) => reader.all<{ line: string }>("SELECT action || ' ' || detail AS line FROM holdfast_changes ORDER BY seq"))
  assert.deepEqual(
    rows.map(({ line }) => line),
    ['members.set {"before":null,"role":"viewer"}', 'members.set {"before":"viewer","role":"editor"}', 'members.remove {"before":"editor"}'],
  )
})

test('SPACE-8 The command line makes an account once, shows its password once, and sets its role in a space', async () => {
  await using world = await openTestAccounts()
  const membership = { app: 'ppe', spaces: 'organisation', role: 'editor', space: 'north' } as const
  const made = await addUser(world.deps, { email: 'ada@example.org', membership })
  const { accessToken } = await world.accounts.login({ email: 'ada@example.org', password: made.password ?? '' })
  const principal = await world.accounts.authenticate({ bearer: accessToken })
  assert.ok(principal.kind === 'user' && principal.serverRole === 'user')
  assert.deepEqual(
    (await world.accounts.listSpaces(principal)).map(({ name, role }) => `${name} ${role}`),
    ['north editor'],
  )
  const again = await addUser(world.deps, { email: 'Ada@example.org', password: 'ignored password', membership: { ...membership, role: 'owner' } })
  assert.deepEqual(again, { id: made.id, email: 'ada@example.org' })
  assert.deepEqual(
    (await world.accounts.listSpaces(principal)).map(({ role }) => role),
    ['owner'],
  )
  await assert.rejects(addUser(world.deps, { email: 'ada@example.org', membership: { ...membership, spaces: 'personal' } }), { code: 'request.invalid' })
  await assert.rejects(addUser(world.deps, { email: 'ada@example.org', membership: { ...membership, space: '../north' } }), { code: 'request.invalid' })
  await assert.rejects(addUser(world.deps, { email: 'none' }), { code: 'request.invalid' })
  const admin = await addUser(world.deps, { email: 'root@example.org', password: 'correct horse', serverRole: 'admin' })
  assert.deepEqual(admin, { id: admin.id, email: 'root@example.org' })
})
