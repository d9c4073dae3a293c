import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPostgresWorld, withoutPostgres, type PostgresWorld } from '../testing/open-postgres-world.ts'
import { startTcpProxy, type Cut } from '../testing/tcp-proxy.ts'
import { StorageUnavailable } from './database.ts'
import { readSpaceState } from './space-state.ts'

const only = { skip: withoutPostgres }

/** What PostgreSQL sends to a connection that it ends in order (protocol message ErrorResponse). */
const ENDED_IN_ORDER = Buffer.concat([Buffer.from('E\0\0\0\x41'), Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to command\0\0')])

/** Counts a space up through a proxy that treats the first COMMIT as the test says. */
async function countUpThrough(world: PostgresWorld, space: number, atCommit: (cut: Cut) => void) {
  await using proxy = await startTcpProxy(Number(new URL(world.location).port))
  const database = world.open({ retryMsMax: 2_000 }, proxy.port)
  let runs = 0
  proxy.watch((data, cut) => {
    if (!data.includes('COMMIT\0')) return
    proxy.watch(undefined)
    atCommit(cut)
  })
  const written = database.write(
    async (tx) => {
      runs += 1
      const { version } = await readSpaceState(tx, space, { lock: true })
      await tx.run('UPDATE holdfast_spaces SET version = ? WHERE space = ?', [version + 1, space])
      return version + 1
    },
    { space },
  )
  const [result] = await Promise.allSettled([written])
  await database.close()
  const { version } = await world.database.read((reader) => readSpaceState(reader, space))
  return { result, runs, version }
}

test('PG-7 A commit that never reached the server is made again, once', only, async () => {
  await using world = await openPostgresWorld()
  const { result, runs, version } = await countUpThrough(world, await world.makeSpace('one'), (cut) => cut.now())
  assert.deepEqual(result, { status: 'fulfilled', value: 1 })
  assert.deepEqual([runs, version], [2, 1])
})

test('PG-7 A commit whose answer was lost with an orderly end of the connection is recognised as made', only, async () => {
  await using world = await openPostgresWorld()
  const { result, runs, version } = await countUpThrough(world, await world.makeSpace('one'), (cut) => cut.atAnswer(ENDED_IN_ORDER))
  assert.deepEqual(result, { status: 'fulfilled', value: 1 })
  assert.deepEqual([runs, version], [1, 1])
})

test('PG-7 A commit whose answer was lost with the connection is neither called a success nor made again', only, async () => {
  await using world = await openPostgresWorld()
  const { result, runs, version } = await countUpThrough(world, await world.makeSpace('one'), (cut) => cut.atAnswer())
  assert.ok(result.status === 'rejected' && result.reason instanceof StorageUnavailable)
  assert.match(result.reason.message, /outcome is not known/)
  assert.deepEqual([runs, version], [1, 1])
})
