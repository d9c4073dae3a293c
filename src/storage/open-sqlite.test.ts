import assert from 'node:assert/strict'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { StorageUnavailable, type Database } from './database.ts'
import { openSqlite } from './open-sqlite.ts'

interface TestFile extends AsyncDisposable {
  readonly path: string
  readonly database: Database
}

const tables = `CREATE TABLE parents (id INTEGER PRIMARY KEY);
CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED, text TEXT)`

async function openFile(): Promise<TestFile> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-sqlite-'))
  const path = join(folder, 'test.db')
  const maker = new DatabaseSync(path)
  maker.exec(tables)
  maker.close()
  const database = openSqlite(path)
  return {
    path,
    database,
    [Symbol.asyncDispose]: async () => {
      await database.close()
      await rm(folder, { recursive: true })
    },
  }
}

const addParent = (database: Database, id: number) => database.write((tx) => tx.run('INSERT INTO parents (id) VALUES (?)', [id]))
const parents = (database: Database) => database.read(async (reader) => (await reader.all<{ id: number }>('SELECT id FROM parents ORDER BY id')).map(({ id }) => id))

test('DB-1 Works that wait share a commit, and one that throws leaves nothing behind and harms no other', async () => {
  await using file = await openFile()
  const { database } = file
  const failing = database.write(async (tx) => {
    await tx.run('INSERT INTO parents (id) VALUES (?)', [100])
    throw new Error('given up')
  })
  const settled = await Promise.allSettled([addParent(database, 1), failing, addParent(database, 1), addParent(database, 2)])
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(await parents(database), [1, 2])
})

test('DB-1 A reference that is still open at the commit fails its own work alone', async () => {
  await using file = await openFile()
  const { database } = file
  const orphan = database.write((tx) => tx.run('INSERT INTO children (id, parent) VALUES (?, ?)', [1, 999]))
  const settled = await Promise.allSettled([addParent(database, 1), orphan, addParent(database, 2)])
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(await parents(database), [1, 2])
  await addParent(database, 3)
  assert.deepEqual(await parents(database), [1, 2, 3])
})

test("DB-2 What listens for a commit is called once and only behind it, and its failure is not the writer's", async () => {
  await using file = await openFile()
  const { database } = file
  const heard: string[] = []
  const seen: Promise<number[]>[] = []
  const one = database.write(async (tx) => {
    await tx.run('INSERT INTO parents (id) VALUES (?)', [1])
    tx.afterCommit(() => {
      heard.push('one')
      throw new Error('a listener that fails')
    })
    tx.afterCommit(() => heard.push('one again'))
  })
  const two = database.write(async (tx) => {
    await tx.run('INSERT INTO parents (id) VALUES (?)', [2])
    tx.afterCommit(() => {
      heard.push('two')
      seen.push(parents(database))
    })
  })
  const refused = database.write(async (tx) => {
    tx.afterCommit(() => heard.push('never'))
    throw new Error('given up')
  })
  const settled = await Promise.allSettled([one, two, refused])
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
  )
  assert.deepEqual(heard, ['one', 'one again', 'two'])
  assert.deepEqual(await seen[0], [1, 2])
})

test('DB-3 A full database answers that it is unavailable, keeps nothing of the group, and goes on when there is room', async () => {
  await using file = await openFile()
  const { database } = file
  await addParent(database, 1)
  const limit = (pages: number) => database.write((tx) => tx.all(`PRAGMA max_page_count = ${pages}`)).catch(() => undefined)
  const [size] = await database.read((reader) => reader.all<{ page_count: number }>('PRAGMA page_count'))
  await limit((size?.page_count ?? 0) + 2)
  const large = database.write((tx) => tx.run('INSERT INTO children (id, text) VALUES (?, ?)', [1, 'x'.repeat(500_000)]))
  const settled = await Promise.allSettled([addParent(database, 2), large, addParent(database, 3)])
  for (const outcome of settled) assert.ok(outcome.status === 'rejected' && outcome.reason instanceof StorageUnavailable)
  assert.deepEqual(await parents(database), [1])
  await limit(1_000_000)
  await addParent(database, 4)
  assert.deepEqual(await parents(database), [1, 4])
})

test('DB-4 A reader sees one committed state however long it takes, and writers do not wait for it', async () => {
  await using file = await openFile()
  const { database } = file
  await addParent(database, 1)
  const seen = await database.read(async (reader) => {
    const before = await reader.all('SELECT id FROM parents')
    await addParent(database, 2)
    return [before.length, (await reader.all('SELECT id FROM parents')).length]
  })
  assert.deepEqual(seen, [1, 1])
  assert.deepEqual(await parents(database), [1, 2])
})

test('DB-4 Reads that begin together see one state, those behind a commit see it, and none that waits costs a later one its connection', async () => {
  await using file = await openFile()
  const { database } = file
  const counted = () => database.read(async (reader) => (await reader.all('SELECT id FROM parents')).length)
  for (let round = 0; round < 12; round += 1) {
    const { promise, resolve } = Promise.withResolvers<void>()
    // More than there are connections: some wait for one, and begin when it comes free.
    const held = Array.from({ length: 6 }, (_, index) =>
      database.read(async (reader) => {
        const before = await reader.all('SELECT id FROM parents')
        if (index % 2 === 0) await promise
        return [before.length, (await reader.all('SELECT id FROM parents')).length]
      }),
    )
    assert.deepEqual(await Promise.all([counted(), counted(), counted()]), [round, round, round])
    await addParent(database, round)
    const behind = counted()
    await new Promise((done) => setImmediate(done))
    assert.equal(await counted(), round + 1)
    resolve()
    assert.equal(await behind, round + 1)
    for (const [before, after] of await Promise.all(held)) assert.deepEqual([before, after], [round, round])
  }
})

test('DB-5 Two processes on one file wait for each other, and no write is lost', async () => {
  await using file = await openFile()
  const other = openSqlite(file.path)
  try {
    await Promise.all(Array.from({ length: 60 }, (_, index) => addParent(index % 2 === 0 ? file.database : other, index)))
    assert.equal((await parents(other)).length, 60)
  } finally {
    await other.close()
  }
})

test('DB-6 A closed database refuses to write, and finishes what it has begun before it closes', async () => {
  await using file = await openFile()
  const written = addParent(file.database, 1)
  const closing = file.database.close()
  await written
  await closing
  await assert.rejects(addParent(file.database, 2), StorageUnavailable)
  const again = openSqlite(file.path)
  assert.deepEqual(await parents(again), [1])
  await again.close()
  await assert.rejects(parents(file.database), StorageUnavailable)
})

test('DB-7 A commit is on the disk before it is answered, and references are checked', async () => {
  await using file = await openFile()
  const settings = await file.database.write(async (tx) => {
    const names = ['journal_mode', 'synchronous', 'foreign_keys']
    return Promise.all(names.map(async (name) => Object.values((await tx.all<object>(`PRAGMA ${name}`))[0] ?? {})[0] as unknown))
  })
  // SQLite says 2 for FULL.
  assert.deepEqual(settings, ['wal', 2, 1])
})

test('DB-9 A file that was moved away, removed or replaced takes no write, what was read is read on, and writes go on when it is back', async () => {
  await using file = await openFile()
  const { database, path } = file
  await addParent(database, 1)
  assert.deepEqual(await parents(database), [1])
  const names = ['', '-wal', '-shm']
  const move = async (from: string, to: string) => void (await Promise.all(names.map((name) => rename(`${from}${name}`, `${to}${name}`))))
  await move(path, `${path}.away`)
  const refused = await Promise.allSettled([addParent(database, 2), addParent(database, 3)])
  assert.ok(refused.every((result) => result.status === 'rejected' && result.reason instanceof StorageUnavailable))
  assert.deepEqual(await parents(database), [1])
  await writeFile(path, '')
  await assert.rejects(addParent(database, 2), StorageUnavailable)
  await rm(path)
  await move(`${path}.away`, path)
  await addParent(database, 2)
  assert.deepEqual(await parents(database), [1, 2])
  for (const name of names) await rm(`${path}${name}`)
  await assert.rejects(addParent(database, 3), StorageUnavailable)
})
