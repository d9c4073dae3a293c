import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diaryApp } from '../testing/diary-app.ts'
import { openTestSpace, type TestSpace } from '../testing/open-test-space.ts'
import type { Transactor } from './database.ts'
import { verifyChain } from './verify-chain.ts'

/** Six entries: records of two collections, a change, a deletion and an event. */
async function openWritten(): Promise<TestSpace> {
  const world = await openTestSpace(diaryApp)
  const { outcomes } = await world.push([
    { collection: 'notes', id: 'a', data: { title: 'Grüße 😀', tags: ['x'], place: { name: 'here', at: [0.1, 2] } } },
    { collection: 'forms', id: 'f', data: { text: 'one' } },
  ])
  const [note, form] = outcomes.map(({ record }) => record?.version ?? 0)
  await world.push([
    { collection: 'notes', id: 'a', op: 'patch', base: note ?? 0, data: { score: 0.5 } },
    { collection: 'forms', id: 'f', op: 'delete', base: form ?? 0 },
  ])
  await world.push([], { events: [{ action: 'files.read', entity: 'files', entityId: '1', detail: { bytes: 5, by: 'ada' } }] })
  await world.push([{ collection: 'notes', id: 'b', data: { title: 'last' } }])
  return world
}

test('LOG-1 The log of a space that was written in every way is intact, and each space has its own', async () => {
  await using world = await openWritten()
  const first = await verifyChain(world.database, world.space)
  assert.deepEqual([first.kind, first.kind === 'intact' && first.entries], ['intact', 6])
  const other = await world.addSpace('other')
  await world.push([{ collection: 'notes', id: 'a', data: { title: 'elsewhere' } }], { space: other })
  assert.deepEqual(await verifyChain(world.database, world.space), first)
  const second = await verifyChain(world.database, other)
  assert.deepEqual([second.kind, second.kind === 'intact' && second.entries], ['intact', 1])
})

const swap = async (tx: Transactor, space: number, column: string) => {
  const rows = await tx.all<{ seq: number; value: string }>(`SELECT seq, ${column} AS value FROM holdfast_changes WHERE space = ? AND seq IN (2, 3) ORDER BY seq`, [space])
  await tx.run(`UPDATE holdfast_changes SET ${column} = ? WHERE space = ? AND seq = 2`, [rows[1]?.value ?? '', space])
  await tx.run(`UPDATE holdfast_changes SET ${column} = ? WHERE space = ? AND seq = 3`, [rows[0]?.value ?? '', space])
}
const set = (column: string, value: string) => (tx: Transactor, space: number) => tx.run(`UPDATE holdfast_changes SET ${column} = ${value} WHERE space = ? AND seq = 3`, [space])

/** What somebody with the database open could do, and the first entry that no longer fits. */
const tampering: Readonly<Record<string, readonly [seq: number, change: (tx: Transactor, space: number) => Promise<unknown>]>> = {
  'another time': [3, set('at', 'at - 1')],
  'another kind of author': [3, set('actor_type', "'key'")],
  'another author': [3, set('actor_id', "'eve'")],
  'another name': [3, set('actor_name', "'Eve'")],
  'another action': [3, set('action', "'notes.create'")],
  'another collection': [3, set('entity', "'forms'")],
  'another record': [3, set('entity_id', "'z'")],
  'another value': [3, set('changes', `'{"score":[null,1.5]}'`)],
  'another request': [3, set('request_id', "'r'")],
  'another detail': [3, set('detail', "'{}'")],
  'another hash': [3, set('hash', "'00'")],
  'another number': [3, set('seq', '70')],
  'an entry removed': [3, (tx, space) => tx.run('DELETE FROM holdfast_changes WHERE space = ? AND seq = 3', [space])],
  'the first removed': [1, (tx, space) => tx.run('DELETE FROM holdfast_changes WHERE space = ? AND seq = 1', [space])],
  'the end cut off': [6, (tx, space) => tx.run('DELETE FROM holdfast_changes WHERE space = ? AND seq = 6', [space])],
  'all removed': [1, (tx, space) => tx.run('DELETE FROM holdfast_changes WHERE space = ?', [space])],
  'two entries swapped': [2, (tx, space) => swap(tx, space, 'changes')],
  'the end cut off and the number of entries with it': [
    5,
    async (tx, space) => {
      await tx.run('DELETE FROM holdfast_changes WHERE space = ? AND seq = 6', [space])
      await tx.run('UPDATE holdfast_spaces SET seq = 5 WHERE space = ?', [space])
    },
  ],
}

test('LOG-2 Whatever is changed, removed or swapped in the database shows, with the first entry that does not fit', async () => {
  await using world = await openWritten()
  const { database, space } = world
  const copy = await database.read((reader) => reader.all<Record<string, string | number>>('SELECT * FROM holdfast_changes WHERE space = ? ORDER BY seq', [space]))
  const intact = await verifyChain(database, space)
  for (const [what, [seq, change]] of Object.entries(tampering)) {
    await database.write((tx) => change(tx, space))
    const check = await verifyChain(database, space)
    assert.deepEqual([what, check.kind, check.kind === 'broken' && check.seq], [what, 'broken', seq])
    await database.write(async (tx) => {
      await tx.run('DELETE FROM holdfast_changes WHERE space = ?', [space])
      await tx.insertMany({ table: 'holdfast_changes', columns: Object.keys(copy[0] ?? {}), rows: copy.map((row) => Object.values(row)) })
      await tx.run('UPDATE holdfast_spaces SET seq = 6 WHERE space = ?', [space])
    })
    assert.deepEqual(await verifyChain(database, space), intact, 'put back, it is intact again')
  }
})

test('LOG-2 An entry that somebody adds between two others shows', async () => {
  await using world = await openWritten()
  const { database, space } = world
  await database.write(async (tx) => {
    await tx.run('UPDATE holdfast_changes SET seq = -seq - 1 WHERE space = ? AND seq > 2', [space])
    await tx.run('UPDATE holdfast_changes SET seq = -seq WHERE space = ? AND seq < 0', [space])
    const [row] = await tx.all<Record<string, string | number>>('SELECT * FROM holdfast_changes WHERE space = ? AND seq = 2', [space])
    const [next] = await tx.all<{ version: number }>('SELECT version FROM holdfast_changes WHERE space = ? AND seq = 4', [space])
    assert.ok(next !== undefined)
    await tx.run('UPDATE holdfast_changes SET version = version + 1000 WHERE space = ? AND seq > 3', [space])
    await tx.insertMany({ table: 'holdfast_changes', columns: Object.keys({ ...row }), rows: [Object.values({ ...row, seq: 3, version: next.version })] })
    await tx.run('UPDATE holdfast_spaces SET seq = 7 WHERE space = ?', [space])
  })
  const check = await verifyChain(database, space)
  assert.deepEqual([check.kind, check.kind === 'broken' && check.seq], ['broken', 3])
})

test('LOG-1 A log that is written while it is checked is intact up to where the check began', async () => {
  await using world = await openWritten()
  const checks = Array.from({ length: 10 }, () => verifyChain(world.database, world.space))
  const writes = Array.from({ length: 10 }, (_, index) => world.push([{ collection: 'forms', id: `w${index}`, data: { text: 'x' } }]))
  for (const check of await Promise.all(checks)) assert.equal(check.kind, 'intact')
  await Promise.all(writes)
  const end = await verifyChain(world.database, world.space)
  assert.deepEqual([end.kind, end.kind === 'intact' && end.entries], ['intact', 16])
})
