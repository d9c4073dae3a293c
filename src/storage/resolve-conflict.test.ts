import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diaryApp } from '../testing/diary-app.ts'
import { openTestSpace, type PushOptions, type TestMutation, type TestSpace } from '../testing/open-test-space.ts'
import { commit } from './commit.ts'
import { findConflict, listConflicts, type ConflictRow } from './conflict-store.ts'
import { getRecord } from './read-records.ts'
import { resolveConflict, type Resolution, type ResolveDeps } from './resolve-conflict.ts'

const note = (id: string, data: object, base = 0): TestMutation => ({ collection: 'notes', id, base, data: { title: id, ...data } })
const laptop: PushOptions = { device: 'laptop' }

function depsOf(world: TestSpace): ResolveDeps {
  return { database: world.database, apps: new Map([[world.app.name, { app: world.app }]]), commit: (scope, request) => commit(world.deps, scope, request) }
}

const resolve = (world: TestSpace, id: string, choice: Resolution | Resolution['resolution'], options: PushOptions = {}) =>
  resolveConflict(depsOf(world), world.scope(options), id, typeof choice === 'string' ? { resolution: choice } : choice)

async function recordOf(world: TestSpace, id: string, collection = 'notes') {
  const compiled = diaryApp.collections.get(collection)
  assert.ok(compiled)
  return world.database.read((reader) => getRecord(reader, compiled, world.space, id))
}

async function rows(world: TestSpace, state?: ConflictRow['state']): Promise<readonly ConflictRow[]> {
  return world.database.read(async (reader) => (await listConflicts(reader, { space: world.space, collections: undefined, state, after: undefined, limit: 100 })).rows)
}

/** Two devices change the title of one note; the laptop comes second. */
async function conflicting(world: TestSpace): Promise<{ id: string; server: number; base: number }> {
  const made = await world.pushOne(note('a', { title: 'base', best: 1 }))
  const base = made.record?.version ?? 0
  const phone = await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base, data: { title: 'phone' } })
  const outcome = await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base, data: { title: 'laptop' } }, laptop)
  assert.equal(outcome.status, 'conflict')
  assert.ok(outcome.status === 'conflict' && outcome.conflictId !== undefined)
  return { id: outcome.conflictId, server: phone.record?.version ?? 0, base }
}

test('CONF-1 A conflict keeps base, server and client side, and a further conflicting edit of that client refreshes its side', async () => {
  await using world = await openTestSpace(diaryApp)
  const { id, server, base } = await conflicting(world)
  const [row] = await rows(world)
  assert.deepEqual(
    [row?.id, row?.state, row?.reason, row?.operation, row?.baseVersion, row?.serverVersion, row?.client, row?.author, row?.device],
    [id, 'open', 'stale', 'patch', base, server, 'user:ada/laptop', 'user:ada', 'laptop'],
  )
  const titles = [row?.base, row?.server, row?.clientFields].map((side) => JSON.parse(side ?? '{}').title)
  assert.deepEqual(titles, ['base', 'phone', 'laptop'])
  const again = await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base, data: { title: 'laptop 2' } }, laptop)
  assert.ok(again.status === 'conflict' && again.conflictId === id)
  const other = await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base, data: { title: 'tablet' } }, { device: 'tablet' })
  assert.ok(other.status === 'conflict' && other.conflictId !== id)
  assert.deepEqual(
    (await rows(world)).map(({ clientFields }) => JSON.parse(clientFields ?? '').title),
    ['laptop 2', 'tablet'],
  )
})

test('CONF-1 A later accepted write of the record by the same client closes its conflict', async () => {
  await using world = await openTestSpace(diaryApp)
  const { id, server } = await conflicting(world)
  await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base: server, data: { title: 'by phone' } })
  assert.equal((await rows(world, 'open')).length, 1)
  const current = await recordOf(world, 'a')
  await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base: current?.version ?? 0, data: { title: 'both' } }, laptop)
  const row = await world.database.read((reader) => findConflict(reader, world.space, id))
  assert.deepEqual([row?.state, row?.resolution, row?.resolvedBy], ['resolved', 'superseded', 'user:ada'])
})

test("CONF-2 Keeping the server's side writes nothing and closes the conflict", async () => {
  await using world = await openTestSpace(diaryApp)
  const { id, server } = await conflicting(world)
  world.advance(5)
  const outcome = await resolve(world, id, 'server', { user: 'bea' })
  assert.ok(outcome.kind === 'resolved')
  assert.deepEqual([outcome.version, outcome.record?.fields['title']], [server, 'phone'])
  const row = await world.database.read((reader) => findConflict(reader, world.space, id))
  assert.deepEqual([row?.state, row?.resolution, row?.resolvedBy, row?.resolvedAt], ['resolved', 'server', 'user:bea', world.chance.now()])
  assert.equal((await world.push([])).version, server)
})

test("CONF-2 Taking the client's side writes what it sent on top of what is stored", async () => {
  await using world = await openTestSpace(diaryApp)
  const { id, server } = await conflicting(world)
  const outcome = await resolve(world, id, 'client')
  assert.ok(outcome.kind === 'resolved' && outcome.version > server)
  const record = await recordOf(world, 'a')
  assert.deepEqual([record?.fields['title'], record?.fields['best'], record?.version], ['laptop', 1, outcome.version])
  assert.deepEqual(await resolve(world, id, 'client'), { kind: 'already-resolved' })
})

test('CONF-2 Merged data is checked as a write: invalid data is refused and the conflict stays open', async () => {
  await using world = await openTestSpace(diaryApp)
  const { id } = await conflicting(world)
  const refused = await resolve(world, id, { resolution: 'merged', data: { title: 5 } })
  assert.ok(refused.kind === 'rejected' && refused.error.code === 'record.invalid')
  const unknown = await resolve(world, id, { resolution: 'merged', data: { nothing: 5 } })
  assert.ok(unknown.kind === 'rejected')
  const owned = await resolve(world, id, { resolution: 'merged', data: { checkedAt: 5 } })
  assert.ok(owned.kind === 'rejected' && owned.error.code === 'field.read_only')
  assert.equal((await rows(world, 'open')).length, 1)
  const outcome = await resolve(world, id, { resolution: 'merged', data: { title: 'phone and laptop', checkedAt: null } })
  assert.ok(outcome.kind === 'resolved' && outcome.record?.fields['title'] === 'phone and laptop')
  assert.equal((await rows(world, 'open')).length, 0)
})

for (const choice of ['server', 'client', { resolution: 'merged', data: { title: 'merged' } }] as const) {
  const name = typeof choice === 'string' ? choice : choice.resolution
  test(`CONF-3 Choosing ${name} against a record that moved on gives a fresh conflict and overwrites nothing`, async () => {
    await using world = await openTestSpace(diaryApp)
    const { id, server } = await conflicting(world)
    await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base: server, data: { title: 'phone again' } })
    const outcome = await resolve(world, id, choice)
    assert.ok(outcome.kind === 'conflict' && outcome.conflictId === id)
    assert.equal(outcome.record?.fields['title'], 'phone again')
    const [row] = await rows(world, 'open')
    assert.deepEqual([row?.serverVersion, JSON.parse(row?.server ?? '').title, JSON.parse(row?.clientFields ?? '').title], [outcome.record?.version, 'phone again', 'laptop'])
    assert.equal((await recordOf(world, 'a'))?.fields['title'], 'phone again')
    assert.equal((await resolve(world, id, choice)).kind, 'resolved')
  })
}

test('CONF-3 An edit by which the client refreshes its side between choice and commit is not closed away', async () => {
  await using world = await openTestSpace(diaryApp)
  const { id, base } = await conflicting(world)
  const deps = depsOf(world)
  const outcome = await resolveConflict(
    {
      ...deps,
      commit: async (scope, request) => {
        await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base, data: { title: 'laptop, later' } }, laptop)
        return deps.commit(scope, request)
      },
    },
    world.scope(),
    id,
    { resolution: 'client' },
  )
  assert.equal(outcome.kind, 'conflict')
  assert.deepEqual(
    (await rows(world, 'open')).map(({ clientFields }) => JSON.parse(clientFields ?? '').title),
    ['laptop, later'],
  )
})

test('CONF-3 Of two people who resolve one conflict at once, one is told that it was resolved', async () => {
  await using world = await openTestSpace(diaryApp)
  const { id } = await conflicting(world)
  const kinds = (await Promise.all([resolve(world, id, 'client'), resolve(world, id, { resolution: 'merged', data: { title: 'mine' } })])).map(({ kind }) => kind)
  assert.deepEqual(kinds, ['resolved', 'already-resolved'])
  assert.equal((await recordOf(world, 'a'))?.fields['title'], 'laptop')
})

test('CONF-4 An edit against a delete restores the record, or leaves it deleted', async () => {
  for (const [choice, deleted] of [
    ['client', false],
    ['server', true],
  ] as const) {
    await using world = await openTestSpace(diaryApp)
    const base = (await world.pushOne(note('a', { body: 'text' }))).record?.version ?? 0
    await world.pushOne({ collection: 'notes', id: 'a', op: 'delete', base })
    const outcome = await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base, data: { title: 'edited' } }, laptop)
    assert.ok(outcome.status === 'conflict' && outcome.reason === 'deleted' && outcome.conflictId !== undefined)
    const [row] = await rows(world)
    assert.equal(row?.server, null)
    assert.equal((await resolve(world, outcome.conflictId, choice)).kind, 'resolved')
    const record = await recordOf(world, 'a')
    assert.equal(record?.deletedAt !== null, deleted)
    if (!deleted) assert.deepEqual([record?.fields['title'], record?.fields['body']], ['edited', 'text'])
  }
})

test('CONF-4 A delete against an edit deletes, or keeps the edit', async () => {
  for (const [choice, deleted] of [
    ['client', true],
    ['server', false],
  ] as const) {
    await using world = await openTestSpace(diaryApp)
    const base = (await world.pushOne(note('a', {}))).record?.version ?? 0
    await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base, data: { title: 'edited' } })
    const outcome = await world.pushOne({ collection: 'notes', id: 'a', op: 'delete', base }, laptop)
    assert.ok(outcome.status === 'conflict' && outcome.reason === 'deleted' && outcome.conflictId !== undefined)
    assert.equal((await rows(world))[0]?.clientFields, null)
    assert.equal((await resolve(world, outcome.conflictId, choice)).kind, 'resolved')
    assert.equal((await recordOf(world, 'a'))?.deletedAt !== null, deleted)
  }
})

test('CONF-4 An edit can still be taken when the tombstone it met has been purged', async () => {
  await using world = await openTestSpace(diaryApp)
  const base = (await world.pushOne(note('a', { body: 'text' }))).record?.version ?? 0
  await world.pushOne({ collection: 'notes', id: 'a', op: 'delete', base })
  const outcome = await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base, data: { body: 'edited' } }, laptop)
  assert.ok(outcome.status === 'conflict' && outcome.conflictId !== undefined)
  await world.database.write((tx) => tx.run('DELETE FROM diary_notes WHERE space = ? AND id = ?', [world.space, 'a']))
  assert.equal((await resolve(world, outcome.conflictId, 'client')).kind, 'resolved')
  const record = await recordOf(world, 'a')
  assert.deepEqual([record?.fields['title'], record?.fields['body'], record?.deletedAt], ['a', 'edited', null])
})

/** Two devices add to the text of one note at different places: joined by lines. */
async function merged(world: TestSpace): Promise<ConflictRow> {
  const base = (await world.pushOne(note('a', { body: 'one\ntwo\nthree\nfour\nfive' }))).record?.version ?? 0
  await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base, data: { body: 'ONE\ntwo\nthree\nfour\nfive' } })
  const outcome = await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base, data: { body: 'one\ntwo\nthree\nfour\nFIVE' } }, laptop)
  assert.deepEqual([outcome.status, outcome.record?.fields['body']], ['merged', 'ONE\ntwo\nthree\nfour\nFIVE'])
  const [row] = await rows(world, 'merged')
  assert.ok(row)
  return row
}

test('CONF-5 A merge that was not trivial is kept with both sides and can be undone to either', async () => {
  for (const [choice, body] of [
    ['server', 'ONE\ntwo\nthree\nfour\nfive'],
    ['client', 'one\ntwo\nthree\nfour\nFIVE'],
  ] as const) {
    await using world = await openTestSpace(diaryApp)
    const row = await merged(world)
    const outcome = await resolve(world, row.id, choice)
    assert.ok(outcome.kind === 'resolved')
    assert.equal((await recordOf(world, 'a'))?.fields['body'], body)
    assert.deepEqual(await resolve(world, row.id, choice), { kind: 'already-resolved' })
  }
})

test('CONF-5 A merge of different fields is trivial and leaves nothing to look at', async () => {
  await using world = await openTestSpace(diaryApp)
  const base = (await world.pushOne(note('a', {}))).record?.version ?? 0
  await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base, data: { title: 'phone' } })
  const outcome = await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base, data: { favorite: true } }, laptop)
  assert.deepEqual([outcome.status, outcome.record?.fields['title'], outcome.record?.fields['favorite']], ['merged', 'phone', true])
  assert.deepEqual(await rows(world), [])
})

test("CONF-5 A merge under a record that moved on is not undone: a fresh row has the record's present state", async () => {
  await using world = await openTestSpace(diaryApp)
  const row = await merged(world)
  const write = async (title: string) => {
    const record = await recordOf(world, 'a')
    await world.pushOne({ collection: 'notes', id: 'a', op: 'patch', base: record?.version ?? 0, data: { title } })
  }
  await write('later')
  const outcome = await resolve(world, row.id, 'server')
  assert.ok(outcome.kind === 'conflict' && outcome.conflictId !== row.id)
  assert.equal((await recordOf(world, 'a'))?.fields['title'], 'later')
  await write('later still')
  const again = await resolve(world, outcome.conflictId, 'client')
  assert.ok(again.kind === 'conflict')
  assert.equal((await recordOf(world, 'a'))?.fields['body'], 'ONE\ntwo\nthree\nfour\nFIVE')
  assert.equal((await resolve(world, again.conflictId, 'client')).kind, 'resolved')
  const record = await recordOf(world, 'a')
  assert.deepEqual([record?.fields['title'], record?.fields['body']], ['later still', 'one\ntwo\nthree\nfour\nFIVE'])
})

test('CONF-5 A write that lost by its clock is kept beside the winner and can be taken', async () => {
  await using world = await openTestSpace(diaryApp)
  const mark = (colour: string, at: number): TestMutation => ({ collection: 'marks', id: 'm', base: 0, data: { colour }, at })
  await world.pushOne(mark('red', 1_000))
  const lost = await world.pushOne(mark('blue', 500), laptop)
  assert.deepEqual([lost.status, lost.record?.fields['colour']], ['merged', 'red'])
  const [row] = await rows(world, 'merged')
  assert.equal(row?.reason, 'superseded')
  const outcome = await resolve(world, row?.id ?? '', 'client')
  assert.ok(outcome.kind === 'resolved' && outcome.record?.fields['colour'] === 'blue')
})

test('CONF-6 Resolving takes the right to write, and a conflict of another space does not exist', async () => {
  await using world = await openTestSpace(diaryApp)
  const { id } = await conflicting(world)
  for (const choice of ['server', 'client', { resolution: 'merged', data: { title: 'x' } }] as const) {
    const outcome = await resolve(world, id, choice, { role: 'viewer' })
    assert.ok(outcome.kind === 'rejected' && outcome.error.code === 'access.forbidden', outcome.kind)
  }
  assert.equal((await rows(world, 'open')).length, 1)
  const other = await world.addSpace('bea')
  assert.deepEqual(await resolve(world, id, 'client', { space: other }), { kind: 'not-found' })
  assert.deepEqual(await resolve(world, 'nothing', 'client'), { kind: 'not-found' })
})
