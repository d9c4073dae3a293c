import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { compileApp } from '../app/compile-app.ts'
import { defineApp } from '../app/define-app.ts'
import { makePostgresDatabase } from '../testing/make-postgres-database.ts'
import { openPostgresWorld, postgresServer, withoutPostgres } from '../testing/open-postgres-world.ts'
import { migrate } from './migrate.ts'
import { openPostgres } from './open-postgres.ts'
import { getRecord } from './read-records.ts'

const only = { skip: withoutPostgres }

const note = z.object({ title: z.string(), done: z.boolean().default(false) })
const older = compileApp(defineApp({ name: 'notes', collections: { notes: collection(note) } }))
const newer = compileApp(
  defineApp({
    name: 'notes',
    collections: {
      notes: collection(note.extend({ stars: z.int().default(3), pinned: z.boolean().default(true), tags: z.array(z.string()).default([]), about: z.string().nullable() }), {
        indexes: [['title'], ['stars']],
      }),
      marks: collection(z.object({ text: z.string() })),
    },
  }),
)

test('PG-1 Processes that start at once on an empty database all find it made, with one epoch', only, async () => {
  const made = await makePostgresDatabase(postgresServer ?? '')
  const processes = Array.from({ length: 4 }, () => openPostgres(made.location))
  try {
    const started = await Promise.all(processes.map((database) => migrate(database, [newer], [], 1)))
    assert.equal(new Set(started.map(({ epoch }) => epoch)).size, 1)
    const rows = await (processes[0] as (typeof processes)[number]).read((reader) => reader.all<{ name: string }>('SELECT name FROM holdfast_migrations ORDER BY name'))
    assert.deepEqual(
      rows.map(({ name }) => name),
      ['platform/0001-platform', 'platform/0002-log-anchors', 'platform/0003-jobs-by-space', 'platform/0004-jobs-begun'],
    )
  } finally {
    await Promise.all(processes.map((database) => database.close()))
    await made.drop()
  }
})

test('PG-1 Starting again on a database that needs nothing changes nothing and waits for no writer', only, async () => {
  await using world = await openPostgresWorld()
  const { epoch } = await migrate(world.database, [newer], [], 1)
  const again = world.open({ lockMsMax: 200, statementMsMax: 500 })
  await world.database.write(async (tx) => {
    await tx.run('UPDATE notes_notes SET version = 2 WHERE space = 1')
    assert.equal((await migrate(again, [newer], [], 2)).epoch, epoch)
  })
})

test('PG-2 A running process reads and writes on while a newer one adds fields, collections and indexes', only, async () => {
  await using world = await openPostgresWorld()
  await migrate(world.database, [older], [], 1)
  const [before] = [...older.collections.values()]
  const [after] = [...newer.collections.values()]
  assert.ok(before !== undefined && after !== undefined)
  const columns = ['space', 'id', 'version', 'created_at', 'updated_at', 'deleted_at', 'author', 'device', 'title', 'done']
  const write = (id: string, version: number, title: string) =>
    world.database.write((tx) => tx.insertMany({ table: before.table, columns, rows: [[1, id, version, 1, 1, null, 'user:a', null, title, 0]], replaceBy: ['space', 'id'] }))
  await write('n1', 1, 'before')
  assert.equal((await world.database.read((reader) => getRecord(reader, before, 1, 'n1')))?.fields['title'], 'before')
  const upgraded = world.open()
  await migrate(upgraded, [newer], [], 2)
  await write('n2', 2, 'beside')
  await upgraded.write((tx) => tx.run('UPDATE notes_notes SET stars = 5 WHERE id = ?', ['n1']))
  await write('n1', 3, 'after')
  assert.deepEqual((await world.database.read((reader) => getRecord(reader, before, 1, 'n1')))?.fields, { title: 'after', done: false })
  const seen = await upgraded.read(async (reader) => [await getRecord(reader, after, 1, 'n1'), await getRecord(reader, after, 1, 'n2')])
  assert.deepEqual(
    seen.map((record) => record?.fields),
    [
      { title: 'after', done: false, stars: 5, pinned: true, tags: [], about: null },
      { title: 'beside', done: false, stars: 3, pinned: true, tags: [], about: null },
    ],
  )
})

test('PG-16 A table that was divided by space, as the guide says, is found, extended, written and read as before', only, async () => {
  await using world = await openPostgresWorld()
  await migrate(world.database, [older], [], 1)
  const partitions = Array.from({ length: 4 }, (_, index) => `CREATE TABLE notes_notes_${index} PARTITION OF notes_notes FOR VALUES WITH (MODULUS 4, REMAINDER ${index})`)
  const columns = ['space', 'id', 'version', 'created_at', 'updated_at', 'author', 'title', 'done']
  const write = (first: number, title: string) =>
    world.database.write((tx) =>
      tx.insertMany({ table: 'notes_notes', columns, rows: Array.from({ length: 20 }, (_, space) => [space, 'n1', first + space, 1, 1, 'user:a', title, 0]), replaceBy: ['space', 'id'] }),
    )
  await write(1, 'before')
  await world.database.write(async (tx) => {
    const divide = 'CREATE TABLE notes_notes (LIKE old_notes INCLUDING DEFAULTS, PRIMARY KEY (space, id), UNIQUE (space, version)) PARTITION BY HASH (space)'
    for (const statement of ['ALTER TABLE notes_notes RENAME TO old_notes', divide, ...partitions, 'INSERT INTO notes_notes SELECT * FROM old_notes', 'DROP TABLE old_notes CASCADE'])
      await tx.run(statement)
  })
  await migrate(world.database, [newer], [], 2)
  await write(100, 'after')
  const [notes] = [...newer.collections.values()]
  assert.ok(notes !== undefined)
  const titles = await world.database.read(async (reader) => {
    const records = []
    for (let space = 0; space < 20; space += 1) records.push(await getRecord(reader, notes, space, 'n1'))
    return records.map((record) => `${String(record?.fields['title'])} ${String(record?.fields['stars'])} ${record?.version}`)
  })
  assert.deepEqual(
    titles,
    Array.from({ length: 20 }, (_, space) => `after 3 ${100 + space}`),
  )
})
