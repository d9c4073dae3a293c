import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openDiaryDevice, openDiaryServer, type DiaryDevice } from './diary.fixture.ts'
import { refuseEvents } from './testing/open-test-client.ts'

type Step =
  | { readonly kind: 'put' | 'patch' | 'like' | 'delete' | 'together'; readonly who: number; readonly record: number; readonly value: number }
  | { readonly kind: 'sync' | 'restart' | 'offline' | 'mine' | 'theirs' | 'reload'; readonly who: number }
  | { readonly kind: 'broken'; readonly who: number; readonly how: 'unreachable' | 'lose-answer' | 'cut'; readonly during: 'push' | 'pull' | 'snapshot' }

const who = fc.integer({ min: 0, max: 2 })
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constantFrom('put', 'patch', 'patch', 'like', 'delete', 'together'), who, record: fc.integer({ min: 0, max: 2 }), value: fc.integer({ min: 0, max: 9 }) }),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('sync', 'sync', 'sync', 'restart', 'offline', 'mine', 'theirs', 'reload'), who }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('broken' as const), who, how: fc.constantFrom('unreachable', 'lose-answer', 'cut'), during: fc.constantFrom('push', 'push', 'pull', 'snapshot') }),
    },
  ),
  { maxLength: 45 },
)

async function take(device: DiaryDevice, step: Step, name: string): Promise<void> {
  const { client, network } = device
  switch (step.kind) {
    case 'put':
      return client.notes.put(`n${step.record}`, { title: `${name} ${step.value}` })
    case 'patch':
      if ((await client.notes.get(`n${step.record}`)) !== undefined)
        await client.notes.patch(`n${step.record}`, step.value < 5 ? { title: `${name} ${step.value}` } : { body: `one\n${name} ${step.value}\nthree` })
      return
    case 'like': {
      const note = await client.notes.get(`n${step.record}`)
      if (note !== undefined) await client.notes.patch(note.id, { likes: note.data.likes + step.value })
      return
    }
    case 'delete':
      return client.notes.delete(`n${step.record}`)
    case 'together':
      return client.transaction(async ({ books, notes }) => {
        await books.put(`b${step.record}`, { name: `${name} ${step.value}` })
        await notes.put(`n${step.record}`, { title: `${name} together` })
      })
    case 'sync':
      network.setOnline(true)
      network.fault = refuseEvents
      await client.sync()
      return
    case 'offline':
      return network.setOnline(false)
    case 'restart':
      return device.restart()
    case 'mine':
    case 'theirs':
      await client.conflicts.resolveAll(step.kind)
      return
    case 'reload':
      await client.reload()
      return
    case 'broken': {
      const fault = step.how === 'cut' ? { kind: 'cut' as const, bytes: 60 } : { kind: step.how }
      network.setOnline(true)
      network.fault = (request) => (request.url.includes(`/${step.during}`) ? fault : refuseEvents(request))
      await client.sync()
      return
    }
  }
}

/** Syncs until nothing waits and nothing is open; what is open is decided for the server, so that it ends. */
async function rest(device: DiaryDevice): Promise<void> {
  device.network.setOnline(true)
  device.network.fault = refuseEvents
  for (let round = 0; round < 10; round += 1) {
    assert.deepEqual(await device.client.sync(), { kind: 'synced' })
    if ((await device.client.conflicts.resolveAll('theirs')) === 0) break
  }
  for (const { n } of await device.client.rejected.list()) await device.client.rejected.discard(n)
  assert.deepEqual(await device.client.sync(), { kind: 'synced' })
}

test('SDK-8 SDK-9 JRN-54 JRN-58 Devices with a broken network, restarts and reloads end with what the server has, and nothing waits', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      await using server = await openDiaryServer()
      const names = ['a', 'b', 'c']
      const devices: DiaryDevice[] = []
      for (const name of names) devices.push(await openDiaryDevice(server, name))
      try {
        for (const step of taken) {
          server.advance(10)
          const device = devices[step.who]
          if (device !== undefined) await take(device, step, names[step.who] ?? '')
        }
        for (const device of [...devices, ...devices]) await rest(device)
        const states = await Promise.all(
          devices.map(async ({ client }) => ({
            notes: (await client.notes.list()).map(({ id, data, sync }) => ({ id, data, sync })),
            books: (await client.books.list()).map(({ id, data }) => ({ id, data })),
          })),
        )
        assert.deepEqual(states[1], states[0])
        assert.deepEqual(states[2], states[0])
        assert.ok(states[0]?.notes.every(({ sync }) => sync === 'synced'))
        const rows = await server.database.read((reader) => reader.all<{ id: string; title: string }>('SELECT id, title FROM diary_notes WHERE deleted_at IS NULL ORDER BY id'))
        assert.deepEqual(
          rows.map(({ id, title }) => [id, title]),
          states[0]?.notes.map(({ id, data }) => [id, data.title]),
        )
      } finally {
        for (const { client } of devices) await client.close()
      }
    }),
    { numRuns: Number(process.env['HOLDFAST_TEST_RUNS'] ?? 25) },
  )
})
