import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import pg from 'pg'
import { makePostgresDatabase } from '../testing/make-postgres-database.ts'
import { openPostgresWorld, withoutPostgres } from '../testing/open-postgres-world.ts'
import { startTcpProxy } from '../testing/tcp-proxy.ts'
import { startTestPostgres } from '../testing/test-postgres.ts'
import { type Database, StorageUnavailable, type Transactor } from './database.ts'
import { openPostgres, postgresDefaults } from './open-postgres.ts'
import { commitOutcome } from './postgres-commit-outcome.ts'
import { PostgresConnection } from './postgres-connection.ts'
import { readSpaceState } from './space-state.ts'

const only = { skip: withoutPostgres }

/** Counts a space's version up by one, under its lock, as a commit does. */
async function countUp(tx: Transactor, space: number): Promise<number> {
  const { version } = await readSpaceState(tx, space, { lock: true })
  await tx.run('UPDATE holdfast_spaces SET version = ? WHERE space = ?', [version + 1, space])
  return version + 1
}

async function versionOf(database: Database, space: number): Promise<number> {
  return (await database.read((reader) => readSpaceState(reader, space))).version
}

/** Number of the transaction that a work runs in. */
async function transactionOf(tx: Transactor): Promise<unknown> {
  const [row] = await tx.all<{ id: string }>('SELECT pg_current_xact_id()::text AS id')
  return row?.id
}

test('PG-3 A space that is being written does not hold up another', only, async () => {
  await using world = await openPostgresWorld()
  const [one, other] = [await world.makeSpace('one'), await world.makeSpace('other')]
  const held = Promise.withResolvers<void>()
  const locked = Promise.withResolvers<void>()
  const slow = world.database.write(
    async (tx) => {
      await countUp(tx, one)
      locked.resolve()
      await held.promise
    },
    { space: one },
  )
  await locked.promise
  assert.equal(await world.database.write((tx) => countUp(tx, other), { space: other }), 1)
  assert.equal(await versionOf(world.database, one), 0)
  held.resolve()
  await slow
  assert.equal(await versionOf(world.database, one), 1)
})

test('PG-4 Works of one space that wait while it is written share the next transaction, in the order they came', only, async () => {
  await using world = await openPostgresWorld()
  const space = await world.makeSpace('one')
  const order: number[] = []
  const transactions = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      world.database.write(
        async (tx) => {
          order.push(index)
          await countUp(tx, space)
          return transactionOf(tx)
        },
        { space },
      ),
    ),
  )
  assert.deepEqual(order, [...order.keys()])
  assert.ok(new Set(transactions).size <= 2, `${new Set(transactions).size} transactions`)
  assert.equal(await versionOf(world.database, space), 40)
})

test('PG-4 A work that fails takes none of its neighbours along, and nothing of it stays', only, async () => {
  await using world = await openPostgresWorld()
  const space = await world.makeSpace('one')
  const called: number[] = []
  const results = await Promise.allSettled(
    Array.from({ length: 9 }, (_, index) =>
      world.database.write(
        async (tx) => {
          tx.afterCommit(() => called.push(index))
          const version = await countUp(tx, space)
          if (index % 3 === 1) throw new Error(`no ${index}`)
          return version
        },
        { space },
      ),
    ),
  )
  assert.deepEqual(
    results.map((result) => (result.status === 'fulfilled' ? result.value : (result.reason as Error).message)),
    [1, 'no 1', 2, 3, 'no 4', 4, 5, 'no 7', 6],
  )
  assert.deepEqual(called, [0, 2, 3, 5, 6, 8])
  assert.equal(await versionOf(world.database, space), 6)
})

test('PG-4 What is sent behind fails the work that sent it, with the reason', only, async () => {
  await using world = await openPostgresWorld()
  const insert = { table: 'holdfast_meta', columns: ['key', 'value'], rows: [['epoch', 'twice']] }
  const unique = { code: '23505' }
  const sends: readonly ((tx: Transactor) => Promise<void>)[] = [(tx) => tx.insertMany(insert), (tx) => tx.send('INSERT INTO holdfast_meta (key, value) VALUES (?, ?)', ['epoch', 'twice'])]
  for (const send of sends) {
    await assert.rejects(
      world.database.write(async (tx) => send(tx)),
      unique,
    )
    await assert.rejects(
      world.database.write(async (tx) => {
        await send(tx)
        return tx.all('SELECT 1 AS one')
      }),
      unique,
    )
    // Neighbours in one transaction are not harmed.
    const neighbours = ['a', 'b', 'c'].map((key) =>
      world.database.write(async (tx) => (key === 'b' ? send(tx) : tx.send('INSERT INTO holdfast_meta (key, value) VALUES (?, ?)', [key, 'once'])), { space: 1 }),
    )
    assert.deepEqual(
      (await Promise.allSettled(neighbours)).map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    const rows = await world.database.read((reader) => reader.all<{ key: string; value: string }>("SELECT key, value FROM holdfast_meta WHERE key IN ('a', 'b', 'c') OR value = 'twice' ORDER BY key"))
    assert.deepEqual(
      rows.map(({ key, value }) => `${key} ${value}`),
      ['a once', 'c once'],
    )
    await world.database.write(async (tx) => tx.run("DELETE FROM holdfast_meta WHERE value = 'once'"))
  }
})

test('PG-5 A read sees one state, whatever is committed meanwhile', only, async () => {
  await using world = await openPostgresWorld()
  const space = await world.makeSpace('one')
  const versions = await world.database.read(async (reader) => {
    const before = (await readSpaceState(reader, space)).version
    await world.database.write((tx) => countUp(tx, space), { space })
    return [before, (await readSpaceState(reader, space)).version]
  })
  assert.deepEqual(versions, [0, 0])
  assert.equal(await versionOf(world.database, space), 1)
})

test('PG-6 Works that deadlock are run again, and each takes effect once', only, async () => {
  await using world = await openPostgresWorld()
  const spaces = [await world.makeSpace('one'), await world.makeSpace('other')]
  let runs = 0
  const bothHold = Promise.withResolvers<void>()
  const crossing = (first: number, second: number) =>
    world.database.write(async (tx) => {
      await countUp(tx, first)
      runs += 1
      if (runs === 2) bothHold.resolve()
      await bothHold.promise
      await countUp(tx, second)
    })
  const [one = 0, other = 0] = spaces
  await Promise.all([crossing(one, other), crossing(other, one)])
  assert.equal(runs, 3)
  assert.deepEqual(await Promise.all(spaces.map((space) => versionOf(world.database, space))), [2, 2])
})

test('PG-6 A work whose connection is ended in the middle is run again on another', only, async () => {
  await using world = await openPostgresWorld()
  const space = await world.makeSpace('one')
  let runs = 0
  const version = await world.database.write(
    async (tx) => {
      runs += 1
      const [backend] = await tx.all<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      if (runs === 1) await world.open().read((reader) => reader.all('SELECT pg_terminate_backend(?)', [backend?.pid ?? 0]))
      return countUp(tx, space)
    },
    { space },
  )
  assert.deepEqual([runs, version, await versionOf(world.database, space)], [2, 1, 1])
})

test('PG-9 A writer that waits too long for a space is told to come back', only, async () => {
  await using world = await openPostgresWorld()
  const space = await world.makeSpace('one')
  const impatient = world.open({ lockMsMax: 50 })
  await world.database.write(async (tx) => {
    await countUp(tx, space)
    await assert.rejects(
      impatient.write((other) => countUp(other, space), { space }),
      StorageUnavailable,
    )
  })
  assert.equal(await versionOf(world.database, space), 1)
})

test('PG-9 A statement that takes too long ends its work: nothing of it stays, and its connection serves the next', only, async () => {
  await using world = await openPostgresWorld()
  const space = await world.makeSpace('one')
  const database = world.open({ statementMsMax: 500, connectionsMax: 1 })
  const rows = { table: 'holdfast_horizons', columns: ['space', 'collection', 'version'], rows: [[space, 'notes', 1]] }
  await assert.rejects(
    database.write(
      async (tx) => {
        await countUp(tx, space)
        await tx.insertMany(rows)
        await tx.all('SELECT pg_sleep(60)')
      },
      { space },
    ),
    StorageUnavailable,
  )
  assert.deepEqual(await world.database.read((reader) => reader.all('SELECT version FROM holdfast_horizons')), [])
  assert.equal(await database.write((tx) => countUp(tx, space), { space }), 1)
})

test('PG-9 A process that stops within a transaction loses its lock, and its work is run again', only, async () => {
  await using world = await openPostgresWorld()
  const space = await world.makeSpace('one')
  const stopping = world.open({ idleMsMax: 100 })
  const holds = Promise.withResolvers<void>()
  const taken = Promise.withResolvers<void>()
  let runs = 0
  const stopped = stopping.write(
    async (tx) => {
      runs += 1
      const version = await countUp(tx, space)
      holds.resolve()
      if (runs === 1) await taken.promise
      return version
    },
    { space },
  )
  await holds.promise
  await world.database.write((tx) => countUp(tx, space), { space })
  taken.resolve()
  assert.equal(await stopped, 2)
  assert.equal(runs, 2)
})

test('PG-9 More works than connections wait their turn, and a caller that waits too long is told to come back', only, async () => {
  await using world = await openPostgresWorld()
  const narrow = world.open({ connectionsMax: 1 })
  const one = { answer: 1 }
  const answers = await Promise.all(Array.from({ length: 20 }, () => narrow.read((reader) => reader.all('SELECT 1 AS answer'))))
  assert.deepEqual(
    answers.flat(),
    Array.from({ length: 20 }, () => one),
  )
  const hurried = world.open({ connectionsMax: 1, connectMsMax: 2_000, retryMsMax: 1 })
  await hurried.read(async () => {
    await assert.rejects(
      hurried.read((reader) => reader.all('SELECT 1 AS answer')),
      StorageUnavailable,
    )
  })
})

test('PG-9 After closing, everything that was begun is finished and nothing more is taken', only, async () => {
  await using world = await openPostgresWorld()
  const space = await world.makeSpace('one')
  const closing = world.open()
  const writing = closing.write((tx) => countUp(tx, space), { space })
  await closing.close()
  assert.equal(await writing, 1)
  await assert.rejects(
    closing.write((tx) => countUp(tx, space), { space }),
    StorageUnavailable,
  )
})

/** A server that takes every connection and says nothing, as one whose machine hangs. */
async function startSilentServer() {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    socket.on('error', () => {}).resume()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `postgres://nobody@127.0.0.1:${(server.address() as AddressInfo).port}/none`, connections: () => connections, [Symbol.dispose]: () => void server.close() }
}

test('PG-20 A server that says nothing is waited for once: by a reader, a writer, and who asks after a commit', only, async () => {
  using silent = await startSilentServer()
  const database = openPostgres(silent.url, { ...postgresDefaults, connectMsMax: 200, retryMsMax: 100 })
  await assert.rejects(
    database.read((reader) => reader.all('SELECT 1 AS one')),
    StorageUnavailable,
  )
  assert.equal(silent.connections(), 1)
  await assert.rejects(
    database.write((tx) => tx.all('SELECT 1 AS one'), { space: 1 }),
    StorageUnavailable,
  )
  assert.equal(silent.connections(), 2)
  const pool = new pg.Pool({ connectionString: silent.url, connectionTimeoutMillis: 200 })
  await assert.rejects(commitOutcome(pool, '1', { lost: new Error('Connection terminated'), msMax: 100 }), StorageUnavailable)
  assert.equal(silent.connections(), 3)
  await pool.end()
  await database.close()
})

test('PG-20 A connection that falls silent in the middle is given up: what was read is read again, what was written is written once', only, async () => {
  await using world = await openPostgresWorld()
  const space = await world.makeSpace('one')
  await using proxy = await startTcpProxy(Number(new URL(world.location).port))
  const database = world.open({ silenceMsMax: 200 }, proxy.port)
  const silentAt = (text: string) =>
    proxy.watch((data, cut) => {
      if (!data.includes(text)) return
      proxy.watch(undefined)
      cut.fallSilent()
    })
  silentAt('AS one')
  assert.deepEqual(await database.read((reader) => reader.all('SELECT 1 AS one')), [{ one: 1 }])
  silentAt('UPDATE holdfast_spaces')
  const written = database.write((tx) => countUp(tx, space), { space })
  // The server still holds the lock for the connection of which it has not heard that it is over.
  assert.equal(await written, 1)
  assert.equal(await versionOf(world.database, space), 1)
})

test('PG-20 Only so many works wait for a space, and one that has waited too long is told to come back; the others are done', only, async () => {
  await using world = await openPostgresWorld()
  const space = await world.makeSpace('one')
  const database = world.open({ queueMsMax: 0 })
  const [begun, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const first = database.write(
    async (tx) => {
      begun.resolve()
      await held.promise
      return countUp(tx, space)
    },
    { space },
  )
  await begun.promise
  const late = database.write((tx) => countUp(tx, space), { space })
  const refused = assert.rejects(late, StorageUnavailable)
  held.resolve()
  assert.equal(await first, 1)
  await refused
  assert.equal(await versionOf(world.database, space), 1)

  const many = world.open()
  const results = await Promise.allSettled(Array.from({ length: 1_100 }, () => many.write((tx) => countUp(tx, space), { space })))
  const done = results.filter(({ status }) => status === 'fulfilled').length
  assert.ok(results.every((result) => result.status === 'fulfilled' || result.reason instanceof StorageUnavailable))
  assert.ok(done >= 1_000 && done < 1_100, `${done} were done`)
  assert.equal(await versionOf(world.database, space), done + 1)
})

test('PG-21 A writer waits while a standby takes over, and is written once; readers go on', only, async () => {
  await using postgres = await startTestPostgres({ durable: true })
  const made = await makePostgresDatabase(postgres.url)
  const database = openPostgres(made.location)
  await database.write((tx) => tx.run('CREATE TABLE counters (number BIGINT NOT NULL)'))
  await database.write((tx) => tx.run('INSERT INTO counters VALUES (1)'))
  await postgres.stop('fast')
  await postgres.start('standby')
  const read = () => database.read((reader) => reader.all('SELECT number FROM counters'))
  assert.deepEqual(await read(), [{ number: 1 }])
  // A number that the standby has not come to: the commit may be in what it still has to read.
  const pool = new pg.Pool({ connectionString: made.location })
  await assert.rejects(commitOutcome(pool, '4000000', { lost: new Error('Connection terminated'), msMax: 1 }), /outcome is not known/)
  const refused = Promise.withResolvers<void>()
  let runs = 0
  const writing = database.write(async (tx) => {
    runs += 1
    await tx.run('UPDATE counters SET number = number + 1').catch((error: unknown) => {
      refused.resolve()
      throw error
    })
  })
  await refused.promise
  await pool.query('SELECT pg_promote()')
  await writing
  assert.ok(runs >= 2)
  assert.deepEqual(await read(), [{ number: 2 }])
  assert.equal(await commitOutcome(pool, '4000000', { lost: new Error('Connection terminated'), msMax: 1 }), 'aborted')
  await pool.end()
  await database.close()
})

test('PG-22 What is sent behind a transaction that could not be begun is not taken as done', only, async () => {
  await using world = await openPostgresWorld()
  const client = new pg.Client({ connectionString: world.location, pipeline: true })
  client.on('error', () => {})
  await client.connect()
  const connection = new PostgresConnection(client)
  connection.begin('ISOLATION LEVEL UNKNOWN')
  await assert.rejects(connection.run('SELECT 1 AS one'), /syntax error/)
  await assert.rejects(connection.commit(), /syntax error/)
  connection.begin('ISOLATION LEVEL READ COMMITTED')
  assert.deepEqual((await connection.run('SELECT 1 AS one')).rows, [{ one: 1 }])
  await connection.commit()
  await client.end()
})
