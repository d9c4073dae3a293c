import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobCall, Poke } from '../realtime/doorbell.ts'
import { openTestJobs } from '../testing/open-test-jobs.ts'
import { openDatabase } from './open-database.ts'
import { openDoorbell } from './open-doorbell.ts'

test('JOB-13 JOB-7 EVT-1 Another process on one SQLite file hears of new jobs, of those that are stopped, and of new records', async (context) => {
  await using world = await openTestJobs()
  if (world.database.dialect.name !== 'sqlite') return context.skip('On PostgreSQL processes tell each other.')
  await using opened = new AsyncDisposableStack()
  const database = await openDatabase(world.location)
  opened.defer(() => database.close())
  const doorbell = opened.use(await openDoorbell(world.location, { database, chance: world.chance }))
  const calls: JobCall[] = []
  const pokes: Poke[] = []
  let heard = Promise.withResolvers<void>()
  opened.defer(doorbell.listenJobs((call) => (calls.push(call), heard.resolve())))
  opened.defer(
    doorbell.listen(
      (poke) => pokes.push(poke),
      () => [world.space],
    ),
  )
  const next = async () => {
    await heard.promise
    heard = Promise.withResolvers<void>()
  }
  await world.enqueue([{ kind: 'note', payload: null, uniqueKey: 'k' }])
  await next()
  const [job] = await world.jobs()
  assert.deepEqual(calls.splice(0), [{ stopped: [] }])
  const { version } = await world.commit({
    stops: [{ kind: 'note', uniqueKey: 'k' }],
    mutations: [{ collection: 'items', id: 'one', op: 'put', base: 0, sent: { name: 'one' } }],
  })
  await next()
  assert.deepEqual(
    calls.flatMap(({ stopped }) => stopped),
    [job?.id],
  )
  assert.deepEqual(pokes.map(({ space, to }) => [space, to]).at(-1), [world.space, version])
  return undefined
})
