import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hosted as journal } from '../../apps/journal/server.ts'
import { hosted as vault } from '../../apps/vault/server.ts'
import { call } from '../../src/http/test-calls.fixture.ts'
import { openTestServer } from '../../src/testing/open-test-server.ts'

const ORIGIN = 'https://app.example'

/** The directives of a content security policy by name. */
function directives(policy: unknown): ReadonlyMap<string, string> {
  const parts = String(policy)
    .split(';')
    .map((part) => part.trim())
  return new Map(parts.map((part) => [part.split(' ', 1)[0] ?? '', part.slice(part.indexOf(' ') + 1)]))
}

test('HTTP-5 Every page runs scripts from files of the server alone, and none can be framed', async () => {
  await using world = await openTestServer({ apps: [journal] })
  const { body } = await call(world, {}, 'GET', '/openapi.json')
  const known = ['/', '/journal', '/docs', '/account/setup', '/account/register', '/account/reset']
  const pages: string[] = []
  for (const url of new Set([...known, ...Object.keys(body['paths'] ?? {})])) {
    if (url.endsWith('/events')) continue
    const { headers, text } = await call(world, {}, 'GET', url)
    if (!String(headers['content-type']).startsWith('text/html')) continue
    pages.push(url)
    const policy = directives(headers['content-security-policy'])
    const scripts = policy.get('script-src') ?? policy.get('default-src')
    assert.ok(scripts === "'self'" || scripts === "'none'", `${url}: ${scripts}`)
    assert.deepEqual([policy.get('frame-ancestors'), policy.get('base-uri'), headers['x-frame-options'], headers['x-content-type-options']], ["'none'", "'none'", 'DENY', 'nosniff'], url)
    for (const [script] of text.matchAll(/<script[^>]*>[^<]*/g)) assert.ok(/ src="\/[^/]/.test(script) || script.includes('type="application/json"'), `${url}: ${script}`)
    assert.doesNotMatch(text, /<[^>]+\son[a-z]+=|javascript:/i, url)
    assert.doesNotMatch(text, /(?:src|href)="(?:https?:)?\/\//i, `${url} asks nobody else`)
  }
  assert.deepEqual(pages.toSorted(), known.toSorted())
})

test('HTTP-5 Every kind of answer forbids framing and sniffing, and none is kept by a cache', async () => {
  await using world = await openTestServer({ apps: [journal, vault], corsOrigins: [ORIGIN] })
  const user = await world.register('ada@example.org')
  const json = { 'content-type': 'application/json' }
  const answers: readonly (readonly [number, Awaited<ReturnType<typeof call>>])[] = [
    [200, await call(world, user.headers, 'GET', '/vault/items/pending')],
    [200, await call(world, user.headers, 'GET', '/api/v1/journal/snapshot')],
    [400, await call(world, user.headers, 'POST', '/api/v1/journal/push', '{')],
    [400, await call(world, {}, 'GET', '/%E0%A4%A')],
    [400, await call(world, user.headers, 'GET', '/journal/contents/%E0%A4%A')],
    [401, await call(world, {}, 'GET', '/journal/contents')],
    [404, await call(world, user.headers, 'GET', '/api/v1/nowhere/pull')],
    [404, await call(world, user.headers, 'GET', '/vault/items/none')],
    [405, await call(world, user.headers, 'DELETE', '/api/v1/journal/push')],
    [413, await call(world, user.headers, 'POST', '/vault/items', { rawText: 'x'.repeat(300_000) })],
    [415, await call(world, { ...user.headers, ...json, 'content-encoding': 'gzip' }, 'POST', '/api/v1/journal/push', '{}')],
  ]
  for (const [status, answer] of answers) {
    assert.equal(answer.status, status)
    const { headers } = answer
    const policy = directives(headers['content-security-policy'])
    assert.deepEqual([policy.get('frame-ancestors'), headers['x-content-type-options'], headers['cache-control'], headers['set-cookie']], ["'none'", 'nosniff', 'no-store', undefined], String(status))
  }
})

test('HTTP-5 A configured origin may use every method of the API, any other none; credentials of a browser are never asked for', async () => {
  await using world = await openTestServer({ apps: [journal], corsOrigins: [ORIGIN] })
  const ask = async (origin: string, method: string) => {
    const { headers } = await world.http.inject({
      method: 'OPTIONS',
      url: '/api/v1/journal/records/content/x',
      headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'authorization' },
    })
    return { origin: headers['access-control-allow-origin'], methods: String(headers['access-control-allow-methods']).split(/, ?/), credentials: headers['access-control-allow-credentials'] }
  }
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    const { origin, methods, credentials } = await ask(ORIGIN, method)
    assert.deepEqual([origin, methods.includes(method), credentials], [ORIGIN, true, undefined], method)
  }
  for (const origin of ['https://elsewhere.example', 'http://app.example', `${ORIGIN}:8443`, `${ORIGIN}.elsewhere.example`, 'https://sub.app.example', 'null', '*'])
    assert.equal((await ask(origin, 'POST')).origin, undefined, origin)
})

test('HTTP-5 A cookie, an address and a form are no credential: no page from elsewhere acts for who looks at it', async () => {
  await using world = await openTestServer({ apps: [journal, vault] })
  const user = await world.register('ada@example.org')
  const signedIn = await call(world, {}, 'POST', '/api/v1/auth/login', { email: user.email, password: 'correct horse' })
  assert.equal(signedIn.headers['set-cookie'], undefined)
  const { accessToken } = user
  const names = ['token', 'access_token', 'accessToken', 'authorization', 'apiKey', 'x-api-key', 'session']
  for (const path of ['/api/v1/journal/pull', '/journal/contents', '/vault/items/pending']) {
    for (const name of names) {
      assert.equal((await call(world, { cookie: `${name}=${accessToken}` }, 'GET', path)).status, 401, `cookie ${name}`)
      assert.equal((await call(world, {}, 'GET', `${path}?${name}=${accessToken}`)).status, 401, `?${name}`)
    }
  }
  // The types that a form can send without asking first.
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const answer = await world.http.inject({ method: 'POST', url: '/api/v1/auth/login', headers: { 'content-type': type }, payload: JSON.stringify({ email: user.email, password: 'correct horse' }) })
    assert.equal(answer.statusCode, 415, type)
  }
})
