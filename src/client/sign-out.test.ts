import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDiaryDevice, openDiaryServer, settled, titlesOn } from './diary.fixture.ts'

const HOUR_MS = 3_600_000

test('SDK-18 Signing out with a token that has expired waits for no server; the session ends there as soon as it answers', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.notes.add({ title: 'mine' })
  await phone.client.sync()
  server.advance(HOUR_MS)
  phone.clock.step(HOUR_MS)
  phone.network.requests.length = 0
  let answer: () => void = () => undefined
  const answered = new Promise<void>((resolve) => (answer = resolve))
  phone.network.during = () => answered
  let signedOut = false
  const signingOut = phone.client.signOut().then(() => (signedOut = true))
  await settled(() => signedOut)
  await signingOut
  assert.deepEqual(await titlesOn(phone), [])
  phone.network.during = undefined
  answer()
  await settled(() => phone.network.paths.at(-1) === 'POST /auth/logout' && phone.network.paths.includes('POST /auth/refresh'))
  const { headers } = await server.signIn('ada@example.org', 'desk')
  const sessions = async () => ((await (await fetch(`${server.url}/api/v1/sessions`, { headers })).json()) as { readonly sessions: readonly unknown[] }).sessions.length
  await settled(async () => (await sessions()) === 1)
})
