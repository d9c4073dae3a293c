import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hosted as journal } from '../../apps/journal/server.ts'
import { hosted as vault } from '../../apps/vault/server.ts'
import { call, hostedDiary, type Method } from '../../src/http/test-calls.fixture.ts'
import { openTestServer } from '../../src/testing/open-test-server.ts'
import { addressOf, bodyOf, fill } from './filled-world.fixture.ts'

/** Routes that change no record: a search with a body, and what a device says of itself. */
const reads = /\/search$|\/device$/
/** Routes that ask for no credential; a key changes nothing in what they do. */
const open = /^\/api\/v1\/auth\/(register|setup|login|refresh|reset|reset-request)$/

test('HTTP-10 KEY-2 A key that may only read is refused by every route that writes, of the platform and of the apps, and nothing is changed', async () => {
  await using world = await openTestServer({ apps: [hostedDiary, vault, journal], environment: { HOLDFAST_VAULT_AI: 'stub' } })
  const ada = await world.register('ada@example.org')
  const ids = await fill(world, ada)
  const { body } = await call(world, {}, 'GET', '/openapi.json')
  const wrong: string[] = []
  let writes = 0
  for (const app of ['diary', 'journal', 'vault'] as const) {
    const { body: made } = await call(world, ada.headers, 'POST', '/api/v1/keys', { name: 'reader', app, role: 'viewer' })
    const key = { 'x-api-key': String(made['key']) }
    // The first use of a key is in the log.
    assert.equal((await call(world, key, 'GET', `/api/v1/${app}/pull`)).status, 200)
    const cursor = async () => (await call(world, ada.headers, 'GET', `/api/v1/${app}/pull`)).body['cursor']
    const before = await cursor()
    for (const [path, methods] of Object.entries(body['paths'] ?? {})) {
      const url = addressOf(path, app, ids[app])
      if ((!url.startsWith('/api/v1/') && !url.startsWith(`/${app}/`)) || reads.test(url) || open.test(url)) continue
      for (const name of Object.keys(methods as object)) {
        const method = name.toUpperCase() as Method
        if (method === 'GET') continue
        writes += 1
        const answer = await call(world, key, method, url, method === 'DELETE' && !url.endsWith('/associations') ? undefined : bodyOf(url, app))
        const first = answer.body['results']?.[0]
        const isRefused = url.endsWith('/push') ? String(first?.['error']?.['code']) === 'access.forbidden' : answer.status === 403
        // A key may discard what was refused of its own; there is nothing.
        const isNothing = /\/rejected/.test(url) && [204, 400, 404].includes(answer.status)
        const hasNoJobs = /\/jobs\//.test(url) && ids[app]['job'] === undefined && answer.status === 404
        if (!isRefused && !isNothing && !hasNoJobs) wrong.push(`${method} ${url}: ${answer.status} ${answer.text.slice(0, 100)}`)
      }
    }
    assert.equal(await cursor(), before, app)
  }
  assert.deepEqual(wrong, [])
  assert.ok(writes > 100, String(writes))
  assert.equal((await call(world, {}, 'POST', '/api/v1/auth/login', { email: ada.email, password: 'correct horse' })).status, 200)
})
