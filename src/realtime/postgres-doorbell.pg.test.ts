import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { openPostgresWorld, withoutPostgres, type PostgresWorld } from '../testing/open-postgres-world.ts'
import { startTcpProxy } from '../testing/tcp-proxy.ts'
import type { Doorbell, Poke } from './doorbell.ts'
import { openPostgresDoorbell, postgresDoorbellDefaults } from './postgres-doorbell.ts'

const only = { skip: withoutPostgres }
/** Looks after nothing by itself within a test. */
const never = { ...postgresDoorbellDefaults, catchUpMs: 3_600_000, reconnectMs: 1, reconnectMsMax: 10 }

/** Resolves with the next poke of a space that reaches a version. */
function nextPoke(bell: Doorbell, space: number, to: number, watched?: () => Iterable<number>): Promise<Poke> {
  return new Promise((resolve) => {
    const stop = bell.listen((poke) => {
      if (poke.space !== space || poke.to < to) return
      stop()
      resolve(poke)
    }, watched)
  })
}

/** Everything that a bell lets its listeners hear. */
function hear(bell: Doorbell) {
  const heard = { pokes: [] as Poke[], revocations: 0, jobs: [] as string[][] }
  bell.listen((poke) => heard.pokes.push(poke))
  bell.listenRevocations(() => (heard.revocations += 1))
  bell.listenJobs(({ stopped }) => heard.jobs.push([...stopped]))
  return heard
}

/** Ends every connection of a doorbell, as a restart of the server would. */
async function endConnections(world: PostgresWorld): Promise<void> {
  await world.database.read((reader) => reader.all("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holdfast doorbell' AND datname = current_database()"))
}

async function setVersion(world: PostgresWorld, space: number, version: number): Promise<void> {
  await world.database.write((tx) => tx.run('UPDATE holdfast_spaces SET record_version = ? WHERE space = ?', [version, space]))
}

test('PG-10 Pokes, revocations and calls to jobs reach the other processes, each once', only, async () => {
  await using world = await openPostgresWorld()
  await using one = await openPostgresDoorbell(world.location, never)
  await using other = await openPostgresDoorbell(world.location, never)
  const [here, there] = [hear(one), hear(other)]
  const last = nextPoke(other, 9, 1)
  one.ring({ space: 7, from: 1, to: 5 })
  one.revoke()
  one.wakeJobs({ stopped: ['a', 'b'] })
  one.wakeJobs({ stopped: [] })
  one.ring({ space: 9, from: 0, to: 1 })
  await last
  const own = nextPoke(one, 8, 2)
  other.ring({ space: 8, from: 0, to: 2 })
  await own
  assert.deepEqual(here.pokes, [
    { space: 7, from: 1, to: 5 },
    { space: 9, from: 0, to: 1 },
    { space: 8, from: 0, to: 2 },
  ])
  assert.deepEqual([here.revocations, here.jobs], [1, [['a', 'b'], []]])
  assert.deepEqual(there.pokes, [
    { space: 7, from: 1, to: 5 },
    { space: 9, from: 0, to: 1 },
    { space: 8, from: 0, to: 2 },
  ])
  assert.deepEqual([there.revocations, there.jobs.flat()], [1, ['a', 'b']])
})

test('PG-10 News of jobs reach the other processes, joined', only, async () => {
  await using world = await openPostgresWorld()
  await using one = await openPostgresDoorbell(world.location, never)
  await using other = await openPostgresDoorbell(world.location, never)
  const told = new Set<string>()
  const many = Promise.withResolvers<void>()
  let times = 0
  other.listenJobNews(({ space, ids }) => {
    times += 1
    for (const id of ids ?? []) told.add(`${space} ${id}`)
    if (ids === undefined) many.resolve()
  })
  one.tellJobs({ space: 7, ids: ['a'] })
  for (let index = 0; index < 20; index += 1) one.tellJobs({ space: 7, ids: ['a', `b${index}`] })
  for (let index = 0; index < 60; index += 1) one.tellJobs({ space: 8, ids: [`c${index}`] })
  await many.promise
  assert.deepEqual([...told].toSorted(), ['7 a', ...Array.from({ length: 20 }, (_, index) => `7 b${index}`)].toSorted())
  assert.equal(times, 3, 'the first at once, then one for each space')
})

test('PG-10 A burst of pokes arrives whole, as few messages', only, async () => {
  await using world = await openPostgresWorld()
  await using one = await openPostgresDoorbell(world.location, never)
  await using other = await openPostgresDoorbell(world.location, never)
  const listener = new pg.Client({ connectionString: world.location })
  await listener.connect()
  await listener.query('LISTEN holdfast')
  let messages = 0
  listener.on('notification', () => (messages += 1))
  const newest = new Map<number, number>()
  const all = Promise.withResolvers<void>()
  other.listen(({ space, to }) => {
    newest.set(space, Math.max(newest.get(space) ?? 0, to))
    if (newest.size === 1_000 && [...newest.values()].every((version) => version === 1_700_000_000_009)) all.resolve()
  })
  for (let version = 0; version < 10; version += 1) {
    for (let space = 1; space <= 1_000; space += 1) one.ring({ space: 9_000_000_000_000 + space, from: 1_700_000_000_000, to: 1_700_000_000_000 + version })
  }
  await all.promise
  await listener.query('SELECT 1')
  await listener.end()
  assert.ok(messages <= 25, `${messages} messages`)
})

test('PG-10 What is no message of a doorbell is passed over', only, async () => {
  await using world = await openPostgresWorld()
  await using bell = await openPostgresDoorbell(world.location, never)
  const heard = hear(bell)
  const last = nextPoke(bell, 3, 4)
  for (const payload of ['', 'hello', '{', '[]', '{"pokes":[[1,2]]}', '{"pokes":[["1",2,3]]}', '{"jobs":7}', '{"pokes":[[3,0,4]]}']) {
    await world.database.write((tx) => tx.all("SELECT pg_notify('holdfast', ?)", [payload]))
  }
  await last
  assert.deepEqual(heard.pokes, [{ space: 3, from: 0, to: 4 }])
})

test('PG-11 A version that nobody was told of is rung for, once, and only where somebody watches', only, async () => {
  await using world = await openPostgresWorld()
  const [watched, other] = [await world.makeSpace('one'), await world.makeSpace('other')]
  await using bell = await openPostgresDoorbell(world.location, never)
  const heard = hear(bell)
  const stop = bell.listen(
    () => {},
    () => [watched],
  )
  await bell.catchUp()
  assert.deepEqual(heard.pokes, [])
  await setVersion(world, watched, 10)
  await setVersion(world, other, 10)
  await bell.catchUp()
  await bell.catchUp()
  assert.deepEqual(heard.pokes, [{ space: watched, from: 0, to: 10 }])
  bell.ring({ space: watched, from: 10, to: 20 })
  await setVersion(world, watched, 20)
  await bell.catchUp()
  assert.deepEqual(heard.pokes.slice(1), [{ space: watched, from: 10, to: 20 }])
  stop()
  await setVersion(world, watched, 30)
  await bell.catchUp()
  assert.equal(heard.pokes.length, 2)
})

test('PG-11 A doorbell looks after the watched spaces by itself', only, async () => {
  await using world = await openPostgresWorld()
  const space = await world.makeSpace('one')
  await using bell = await openPostgresDoorbell(world.location, { ...never, catchUpMs: 10 })
  const rung = nextPoke(bell, space, 10, () => [space])
  await setVersion(world, space, 10)
  assert.equal((await rung).to, 10)
})

test('PG-12 After its connection was ended a doorbell listens again, tells what waited, and has rights checked', only, async () => {
  await using world = await openPostgresWorld()
  const space = await world.makeSpace('one')
  await using one = await openPostgresDoorbell(world.location, never)
  await using other = await openPostgresDoorbell(world.location, never)
  const missed = nextPoke(other, space, 10, () => [space])
  const checked = Promise.withResolvers<void>()
  other.listenRevocations(() => checked.resolve())
  await setVersion(world, space, 10)
  await endConnections(world)
  await checked.promise
  assert.equal((await missed).to, 10)
  const told = nextPoke(other, 77, 1)
  // Whether the sender has its connection back or not: it tells as soon as it can, and the listener is there already.
  one.ring({ space: 77, from: 0, to: 1 })
  await told
})

test('PG-12 A doorbell whose server cannot be reached tries until it can', only, async () => {
  await using world = await openPostgresWorld()
  const port = Number(new URL(world.location).port)
  await using proxy = await startTcpProxy(port)
  const url = new URL(world.location)
  url.port = String(proxy.port)
  await using bell = await openPostgresDoorbell(url.href, never)
  let refusals = 0
  const back = Promise.withResolvers<void>()
  bell.listenRevocations(() => back.resolve())
  proxy.watch((_data, cut) => {
    refusals += 1
    if (refusals < 5) cut.now()
  })
  await endConnections(world)
  await back.promise
  assert.ok(refusals >= 5)
  await using sender = await openPostgresDoorbell(world.location, never)
  const told = nextPoke(bell, 5, 1)
  sender.ring({ space: 5, from: 0, to: 1 })
  await told
})

test('PG-12 A doorbell that is closed while it connects again leaves no connection behind, which would keep its process from ending', only, async () => {
  await using world = await openPostgresWorld()
  const url = new URL(world.location)
  await using proxy = await startTcpProxy(Number(url.port))
  url.port = String(proxy.port)
  const bell = await openPostgresDoorbell(url.href, never)
  const closing = Promise.withResolvers<void>()
  proxy.watch((data) => {
    if (data.includes('LISTEN')) closing.resolve(bell[Symbol.asyncDispose]())
  })
  await endConnections(world)
  await closing.promise
  const left = () => world.database.read((reader) => reader.all("SELECT pid FROM pg_stat_activity WHERE application_name = 'holdfast doorbell' AND datname = current_database()"))
  // The server notices the end of a connection a moment later; one that was left behind never ends.
  while ((await left()).length > 0);
})
