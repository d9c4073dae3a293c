import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { defineApp } from '../app/define-app.ts'
import { hostApp } from '../http/host-app.ts'
import { openTestServer } from '../testing/open-test-server.ts'
import { offerSetup } from './offer-setup.ts'

const notes = hostApp({ app: defineApp({ name: 'notes', collections: { notes: collection(z.object({ text: z.string() })) } }) })
const DAY_MS = 86_400_000

test('SERVE-4 A link for the first admin is shown once; a new one only when it has expired; none when there is an admin', async () => {
  await using world = await openTestServer({ apps: [notes] })
  const first = await offerSetup(world)
  assert.equal(first.kind, 'link')
  assert.equal((await offerSetup(world)).kind, 'shown-before')
  await world.restart()
  assert.equal((await offerSetup(world)).kind, 'shown-before')
  world.advance(DAY_MS + 1)
  const second = await offerSetup(world)
  assert.ok(second.kind === 'link' && first.kind === 'link' && second.token !== first.token)
  await assert.rejects(world.accounts.setUp({ token: first.token, email: 'eve@example.org', password: 'correct horse' }))
  await world.accounts.setUp({ token: second.token, email: 'ada@example.org', password: 'correct horse' })
  assert.equal((await offerSetup(world)).kind, 'done')
})

test('SERVE-4 A link that was shown is worth nothing once an admin was made another way', async () => {
  await using world = await openTestServer({ apps: [notes] })
  const shown = await offerSetup(world)
  await world.register('ada@example.org')
  await world.database.write((tx) => tx.run("UPDATE holdfast_users SET server_role = 'admin'"))
  assert.equal((await offerSetup(world)).kind, 'done')
  assert.ok(shown.kind === 'link')
  await assert.rejects(world.accounts.setUp({ token: shown.token, email: 'eve@example.org', password: 'correct horse' }))
})
