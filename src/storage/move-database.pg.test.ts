import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { collection, ref } from '../app/collection.ts'
import { compileApp } from '../app/compile-app.ts'
import { defineApp } from '../app/define-app.ts'
import { openTestSpace, type TestSpace } from '../testing/open-test-space.ts'
import { makePostgresDatabase } from '../testing/make-postgres-database.ts'
import { postgresServer, withoutPostgres } from '../testing/open-postgres-world.ts'
import type { Database } from './database.ts'
import { migrate } from './migrate.ts'
import { moveDatabase, type Move, type MoveProgress } from './move-database.ts'
import { openPostgres, postgresDefaults } from './open-postgres.ts'
import { openSqlite } from './open-sqlite.ts'
import { pull } from './pull.ts'
import { ensureSpace } from './space-store.ts'

const only = { skip: withoutPostgres }

const app = compileApp(
  defineApp({
    name: 'notes',
    collections: {
      // A folder may lie in another one, and a note names its folder: neither order of copying would do by itself.
      folders: collection(z.object({ name: z.string(), parent: ref('folders').nullable(), first: ref('notes').nullable() })),
      notes: collection(z.object({ text: z.string(), folder: ref('folders'), stars: z.number().nullable(), done: z.boolean().default(false), tags: z.array(z.string()).default([]) }), {
        indexes: [['text']],
      }),
    },
  }),
)

/** A server with what a server has: records in several spaces, tombstones, conflicts and rejections. */
async function fill(world: TestSpace): Promise<void> {
  for (let space = 0; space < 230; space += 1) await world.addSpace(`more${space}`)
  const other = await world.addSpace('other')
  for (const space of [world.space, other]) {
    const made = await world.push(
      [
        { collection: 'folders', id: 'b', data: { name: 'b', parent: null, first: null } },
        { collection: 'folders', id: 'a', data: { name: 'ä🙂', parent: 'b', first: null } },
        { collection: 'notes', id: 'n1', data: { text: "it's", folder: 'b', stars: 0.1, tags: ['x', '"'] } },
        { collection: 'folders', id: 'b', op: 'patch', data: { parent: 'a', first: 'n1' } },
      ],
      { space },
    )
    assert.ok(made.outcomes.every(({ status }) => status === 'applied'))
    await world.push(
      Array.from({ length: 1_100 }, (_, index) => ({ collection: 'notes', id: `m${index}`, op: 'put' as const, data: { text: `text ${index}`, folder: 'a', stars: index } })),
      { space },
    )
    await world.push([{ collection: 'notes', id: 'm7', op: 'delete', base: (await world.pull({ space, limit: 5_000 })).changes.find(({ id }) => id === 'm7')?.version ?? 0 }], { space })
    await world.push([{ n: 1, collection: 'notes', id: 'broken', op: 'put', data: { text: 1 } }], { space, clientId: 'c1' })
  }
}

async function emptySqlite() {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-move-'))
  const database = openSqlite(join(folder, 'holdfast.db'))
  return { database, close: () => database.close().then(() => rm(folder, { recursive: true })) }
}

async function emptyPostgres() {
  const made = await makePostgresDatabase(postgresServer ?? '')
  const database = openPostgres(made.location)
  return { database, close: () => database.close().then(() => made.drop()) }
}

function move(from: Database, to: Database, changed: Partial<Move> = {}) {
  return moveDatabase({ from, to, apps: [app], migrations: [], now: 5, ...changed })
}

test('MOVE-1 A server goes to the other database and back, and a device goes on with its cursor', only, async () => {
  await using world = await openTestSpace(app)
  await fill(world)
  const { cursor } = await world.pull({ limit: 700 })
  const rest = await world.pull({ cursor, limit: 5_000 })
  const [sqlite, postgres] = [await emptySqlite(), await emptyPostgres()]
  try {
    const targets = world.database.dialect.name === 'sqlite' ? [postgres, sqlite] : [sqlite, postgres]
    let from = world.database
    for (const [index, { database }] of targets.entries()) {
      const moved = await move(from, database)
      assert.equal(moved.spaces, 232 + index)
      assert.ok(moved.rows > 4_000)
      from = database
      const { epoch } = await migrate(database, [app], [], 9)
      assert.equal(epoch, world.epoch)
      const text = await database.read((reader) => pull(reader, { app, space: world.space, epoch, cursor, limit: 5_000, collections: undefined }))
      assert.deepEqual(JSON.parse(text.toString()), rest)
      const made = await database.write((tx) => ensureSpace(tx, { id: `after${index}`, app: 'notes', kind: 'organisation', name: `after${index}`, ownerId: null, now: 1 }))
      assert.equal(made.space, 233 + index)
    }
  } finally {
    await sqlite.close()
    await postgres.close()
  }
})

test('MOVE-2 A move that was broken off anywhere is continued to the same end, and no server starts in between', only, async () => {
  await using world = await openTestSpace(app)
  await fill(world)
  const target = await emptyPostgres()
  try {
    let ended = false
    for (let writes = 1; !ended; writes += 3) {
      let left = writes
      const breaking: Database = {
        dialect: target.database.dialect,
        read: (work) => target.database.read(work),
        write: async (work) => {
          left -= 1
          if (left < 0) throw new Error('broken off')
          return target.database.write(work)
        },
        close: async () => {},
      }
      const result = await move(world.database, breaking).then(
        () => 'moved',
        (error: Error) => error.message,
      )
      ended = result === 'moved'
      if (ended) break
      assert.equal(result, 'broken off')
      if (writes > 3) await assert.rejects(migrate(target.database, [app], [], 9), /not complete/)
    }
    assert.equal((await migrate(target.database, [app], [], 9)).epoch, world.epoch)
  } finally {
    await target.close()
  }
})

test('MOVE-3 A difference between the two ends the move with its place', only, async () => {
  await using world = await openTestSpace(app)
  await fill(world)
  const target = await emptyPostgres()
  try {
    const writeMeanwhile = async ({ step, what }: MoveProgress, sql: string, before: boolean) => {
      if (step === 'compare' && what === 'holdfast_changes' && before) await target.database.write((tx) => tx.run(sql))
    }
    let changing = Promise.resolve()
    await assert.rejects(
      move(world.database, target.database, {
        onProgress: (progress) => {
          changing = changing.then(() => writeMeanwhile(progress, "UPDATE notes_notes SET text = 'x' WHERE id = 'm1'", true))
        },
      }),
      /rows of the table "notes_notes" arrived differently/,
    )
    await changing
    await target.database.write((tx) => tx.run("DELETE FROM notes_notes WHERE id = 'm1'"))
    await assert.rejects(move(world.database, target.database), /"notes_notes" has 2202 rows, but 2200 arrived/)
  } finally {
    await target.close()
  }
})

test('MOVE-4 A database that holds a server, or half of another one, is not written to', only, async () => {
  await using world = await openTestSpace(app)
  await using other = await openTestSpace(app)
  await assert.rejects(move(world.database, other.database), /There is a server in the database to move to/)
  const target = await emptyPostgres()
  try {
    await assert.rejects(move(target.database, world.database), /no server in the database to move from/)
    await assert.rejects(move(world.database, target.database, { apps: [] }), /records of notes, which is not among the apps/)
    await migrate(target.database, [app], [], 1)
    await target.database.write((tx) => tx.run("INSERT INTO holdfast_meta (key, value) VALUES ('moving_from', 'another')"))
    await assert.rejects(move(world.database, target.database), /begun to be filled from another server/)
  } finally {
    await target.close()
  }
})

test('MOVE-5 A step of a move may take longer than a statement of a server may', only, async () => {
  await using world = await openTestSpace(app)
  await world.push([{ collection: 'folders', id: 'a', data: { name: 'a', parent: null, first: null } }])
  const made = await makePostgresDatabase(postgresServer ?? '')
  const database = openPostgres(made.location, { ...postgresDefaults, statementMsMax: 3_000, silenceMsMax: 3_500 })
  try {
    await migrate(database, [app], [], 1)
    // References of millions of records are checked in the commit.
    await database.write((tx) => tx.run("CREATE FUNCTION take_long() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(4); RETURN NULL; END'"))
    await database.write((tx) => tx.run('CREATE CONSTRAINT TRIGGER take_long AFTER INSERT ON notes_folders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION take_long()'))
    assert.equal((await move(world.database, database)).spaces, 1)
  } finally {
    await database.close()
    await made.drop()
  }
})
