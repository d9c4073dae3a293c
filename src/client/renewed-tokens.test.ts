import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDiaryDevice, openDiaryServer, settled, titlesOn, type DiaryDevice } from './diary.fixture.ts'
import { createMemoryShelf, memoryStore } from './stores/memory-store.ts'
import { StorageFullError, type OpenStore } from './stores/store.ts'
import { signedInOf } from './testing/open-test-client.ts'

const ACCESS_TOKEN_MS = 16 * 60_000

/** A device whose store has no room while `full` says so. */
async function openFillingDevice(server: Awaited<ReturnType<typeof openDiaryServer>>) {
  const shelf = createMemoryShelf()
  const room = { full: false }
  const store: OpenStore = async () => {
    const inner = await memoryStore(shelf)()
    return {
      read: (work) => inner.read(work),
      write: async (work) => {
        if (room.full) throw new StorageFullError('Full.')
        return inner.write(work)
      },
      close: () => inner.close(),
    }
  }
  const phone = await openDiaryDevice(server, 'a', { store })
  const pass = (ms: number) => {
    server.advance(ms)
    phone.clock.advance(ms)
  }
  return { phone, room, pass }
}

const whoAmI = ({ client }: DiaryDevice) => client.request({ method: 'GET', path: '/api/v1/auth/me' })

test('SDK-16 Tokens that are renewed while there is no room are used from memory, renewed again, and stored when there is room', async () => {
  await using server = await openDiaryServer()
  const { phone, room, pass } = await openFillingDevice(server)
  await using _phone = phone
  await phone.client.notes.add({ title: 'waits' })
  room.full = true
  for (let count = 0; count < 3; count += 1) {
    pass(ACCESS_TOKEN_MS)
    await whoAmI(phone)
    // Longer than the server gives the same answer again.
    pass(60_000)
    await whoAmI(phone)
  }
  room.full = false
  await whoAmI(phone)
  await phone.restart()
  pass(ACCESS_TOKEN_MS)
  assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
  assert.deepEqual(await titlesOn(phone), ['waits'])
  await settled(() => phone.client.status.get().signedIn === 'signed-in' && phone.client.status.get().pending === 0)
})

test('SDK-16 Renewed tokens that wait for room are not put over those of a later sign-in, nor kept after a sign-out', async () => {
  await using server = await openDiaryServer()
  const { phone, room, pass } = await openFillingDevice(server)
  await using _phone = phone
  room.full = true
  pass(ACCESS_TOKEN_MS)
  await whoAmI(phone)
  room.full = false
  await phone.client.signOut()
  await assert.rejects(whoAmI(phone))
  await phone.client.adopt(signedInOf(await server.register('eve@example.org', 'a')))
  assert.equal(((await whoAmI(phone)) as { readonly user: { readonly email: string } }).user.email, 'eve@example.org')
})
