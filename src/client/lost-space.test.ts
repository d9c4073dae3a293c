import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { defineApp } from '../app/define-app.ts'
import { systemActor } from '../auth/system-actor.ts'
import { hostApp } from '../http/host-app.ts'
import { markRestored } from '../storage/mark-restored.ts'
import { openTestServer } from '../testing/open-test-server.ts'
import { fetchTransport } from './client.ts'
import { settled } from './diary.fixture.ts'
import { shownState } from './status.ts'
import { openTestDevice, refuseEvents, signedInOf } from './testing/open-test-client.ts'

const team = defineApp({
  name: 'team',
  spaces: 'organisation',
  collections: {
    notes: collection(z.object({ title: z.string(), body: z.string().default('') })),
    plans: collection(z.object({ title: z.string() }), { access: { read: 'editor' } }),
  },
})

/** A space of an organisation with an owner, and a member whose device has been in sync. */
async function openTeam() {
  const server = await openTestServer({ apps: [hostApp({ app: team })] })
  const [owner, member] = [await server.register('owner@example.org'), await server.register('ada@example.org', 'phone')]
  const principal = await server.accounts.authenticate({ bearer: owner.accessToken })
  if (principal.kind === 'key') throw new Error('This is a key.')
  const { id: space } = await server.accounts.createSpace(principal, { app: 'team', name: 'north' })
  const change = { spaceId: space, userId: member.userId, requestId: 'r' }
  const join = (role: 'editor' | 'viewer' = 'editor') => server.accounts.setMember(principal, { ...change, role })
  await join()
  const phone = openTestDevice({ url: server.url, app: team, transport: fetchTransport, space })
  await phone.client.adopt(signedInOf(member))
  for (const title of ['theirs', 'edited', 'fought']) await phone.client.notes.put(title, { title })
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  return {
    server,
    phone,
    space,
    ownerHeaders: owner.headers,
    join,
    leave: () => server.accounts.removeMember(principal, change),
    [Symbol.asyncDispose]: async () => {
      await phone[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

test('SDK-44 When the right to a space ends its copy goes, what was not sent is kept and told, and it is sent when the right is back', async () => {
  await using world = await openTeam()
  const { phone, server, space, ownerHeaders } = world
  const url = `${server.url}/api/v1/team/records/notes/fought?space=${space}`
  await fetch(url, { method: 'PATCH', headers: { ...ownerHeaders, 'content-type': 'application/json' }, body: JSON.stringify({ data: { title: 'the owner’s' } }) })
  await phone.client.notes.patch('fought', { title: 'mine' })
  await phone.client.sync()
  assert.equal((await phone.client.conflicts.list()).length, 1)
  await phone.client.notes.patch('edited', { body: 'unsent' })
  await phone.client.notes.put('new', { title: 'new' })
  await world.leave()
  assert.equal((await phone.client.sync()).kind, 'failed')
  await settled(() => phone.client.status.get().lost)
  assert.deepEqual(shownState(phone.client.status.get()), { kind: 'space-lost', waiting: 2 })
  assert.deepEqual(
    (await phone.client.notes.list()).map(({ id, sync }) => [id, sync]),
    [
      ['edited', 'waiting'],
      ['fought', 'conflict'],
      ['new', 'waiting'],
    ],
  )
  const [conflict] = await phone.client.conflicts.list()
  assert.deepEqual([conflict?.mine?.['title'], conflict?.theirs], ['mine', null])
  for (const table of ['acked', 'aside'] as const) assert.deepEqual(phone.shelf.tables.get(table)?.rows.size ?? 0, 0, table)
  await phone.restart()
  await settled(() => phone.client.status.get().lost)
  assert.equal((await phone.client.sync()).kind, 'failed')
  await phone.client.notes.put('later', { title: 'written without the right' })

  await world.join()
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  await settled(() => !phone.client.status.get().lost && phone.client.status.get().pending === 0)
  assert.deepEqual(
    (await phone.client.notes.list()).map(({ id, data, sync }) => [id, data.title, data.body, sync]),
    [
      ['edited', 'edited', 'unsent', 'synced'],
      ['fought', 'mine', '', 'conflict'],
      ['later', 'written without the right', '', 'synced'],
      ['new', 'new', '', 'synced'],
      ['theirs', 'theirs', '', 'synced'],
    ],
  )
  assert.equal((await phone.client.conflicts.list())[0]?.theirs?.['title'], 'the owner’s')
})

test('SDK-44 What is no answer about the space removes nothing', async () => {
  await using world = await openTeam()
  const { phone } = world
  for (const [status, code] of [
    [404, 'not_found'],
    [403, 'access.forbidden'],
    [404, undefined],
  ] as const) {
    phone.network.fault = () => ({ kind: 'answer', status, body: code === undefined ? '<html>' : JSON.stringify({ code, detail: 'No.' }) })
    assert.equal((await phone.client.sync()).kind, 'failed')
    assert.equal((await phone.client.notes.list()).length, 3)
    assert.equal(phone.client.status.get().lost, false)
  }
})

test('SDK-48 A device syncs what the role may read and says what it may not; a role that changes brings the rest, or takes it', async () => {
  await using world = await openTeam()
  const { phone, server, space, ownerHeaders } = world
  const titles = async () => (await phone.client.plans.list({ sort: 'title' })).map(({ data }) => data.title)
  const url = `${server.url}/api/v1/team/records/plans?space=${space}`
  await fetch(url, { method: 'POST', headers: { ...ownerHeaders, 'content-type': 'application/json' }, body: JSON.stringify({ data: { title: 'the owner’s' } }) })
  await phone.client.plans.put('mine', { title: 'mine' })
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  assert.deepEqual(await titles(), ['mine', 'the owner’s'])

  await phone.client.plans.put('unsent', { title: 'unsent' })
  await world.join('viewer')
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  await settled(() => phone.client.status.get().unreadable.length > 0 && phone.client.status.get().pending === 0)
  assert.deepEqual(phone.client.status.get().unreadable, ['plans'])
  assert.deepEqual(await titles(), [])
  assert.equal((await phone.client.notes.list()).length, 3)
  assert.deepEqual(
    (await phone.client.rejected.list()).map(({ id, data }) => [id, data?.['title']]),
    [['unsent', 'unsent']],
  )
  assert.equal([...(phone.shelf.tables.get('acked')?.rows ?? [])].filter(([, row]) => JSON.stringify(row).includes('plans')).length, 0)
  await phone.restart()
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  await settled(() => phone.client.status.get().unreadable.join() === 'plans')

  await world.join('editor')
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  await settled(() => phone.client.status.get().unreadable.length === 0)
  assert.deepEqual(await titles(), ['mine', 'the owner’s'])
})

test('SDK-48 A role that changes while a first sync is broken off: it begins anew, so that nothing is missing', async () => {
  await using world = await openTeam()
  const { phone, server, space, ownerHeaders } = world
  const push = (mutations: readonly object[]) =>
    fetch(`${server.url}/api/v1/team/push?space=${space}`, { method: 'POST', headers: { ...ownerHeaders, 'content-type': 'application/json' }, body: JSON.stringify({ mutations }) })
  await push([{ collection: 'plans', id: 'early', op: 'put', base: 0, data: { title: 'early' } }])
  for (const part of ['a', 'b'])
    await push(Array.from({ length: 500 }, (_, index) => ({ collection: 'notes', id: `${part}${index}`, op: 'put', base: 0, data: { title: 'note', body: 'x'.repeat(200) } })))
  await world.join('viewer')
  phone.network.fault = (request) => (request.url.includes('/snapshot') ? { kind: 'cut', bytes: 300_000 } : refuseEvents(request))
  assert.equal((await phone.client.reload()).kind, 'failed')
  assert.equal((await phone.client.plans.get('early'))?.data.title, undefined)
  await world.join('editor')
  phone.network.fault = refuseEvents
  await phone.client.sync()
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  assert.equal((await phone.client.plans.get('early'))?.data.title, 'early')
  assert.equal((await phone.client.notes.list()).length, 1_003)
  assert.deepEqual(phone.client.status.get().unreadable, [])
})

test('SDK-48 After a restore nothing is offered of what the role may not read any more', async () => {
  await using world = await openTeam()
  const { phone, server } = world
  await phone.client.plans.put('plan', { title: 'plan' })
  await phone.client.sync()
  await world.join('viewer')
  await markRestored(server.database, { now: server.chance.now(), actor: systemActor })
  await server.restart()
  await phone.client.sync()
  await phone.client.sync()
  assert.deepEqual(await phone.client.rejected.list(), [])
  assert.deepEqual(await phone.client.plans.list(), [])
})
