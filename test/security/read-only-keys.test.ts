import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hosted as journal } from '../../apps/journal/server.ts'
import { hosted as vault } from '../../apps/vault/server.ts'
import { call, hostedDiary, type Method } from '../../src/http/test-calls.fixture.ts'
import { openTestServer, type TestServer, type TestUser } from '../../src/testing/open-test-server.ts'

type AppName = 'diary' | 'journal' | 'vault'

const collections: Readonly<Record<AppName, string>> = { diary: 'notes', journal: 'content', vault: 'items' }
const data: Readonly<Record<AppName, object>> = {
  diary: { title: 'new' },
  journal: { type: 'TEXT', content: 'new', writtenAt: 1, lastUpdated: 99, deviceId: 'd' },
  vault: { rawText: 'new' },
}

/** Routes that change no record: a search with a body, and what a device says of itself. */
const reads = /\/search$|\/device$/
/** Routes that ask for no credential; a key changes nothing in what they do. */
const open = /^\/api\/v1\/auth\/(register|setup|login|refresh|reset|reset-request)$/

/** What each route would take from somebody who may write. */
function bodyOf(path: string, app: AppName): unknown {
  const rules: readonly (readonly [RegExp, unknown])[] = [
    [/\/auth\/password$/, { currentPassword: 'correct horse', newPassword: 'another horse' }],
    [/\/auth\/me\/profile$/, { nickname: 'new' }],
    [/\/auth\/me\/preferences$/, { aiSuggestionsEnabled: false }],
    [/^\/api\/v1\/devices\//, { name: 'new' }],
    [/^\/api\/v1\/keys$/, { name: 'new', app, role: 'owner' }],
    [/^\/api\/v1\/spaces$/, { app, name: 'new' }],
    [/^\/api\/v1\/spaces\/.*\/members\//, { role: 'owner' }],
    [/^\/api\/v1\/users\//, { disabled: true }],
    [/\/push$/, { mutations: [{ collection: collections[app], id: 'new', op: 'put', base: 0, data: data[app] }] }],
    [/\/resolve$/, { resolution: 'client' }],
    [/^\/api\/v1\/.*\/records\/[^/]+$/, { id: 'new', data: data[app] }],
    [/^\/api\/v1\/.*\/records\//, { data: data[app] }],
    [/\/associations(\/delete)?$/, { associations: [{ journalId: 'kept', contentId: 'kept', createdAt: 5 }] }],
    [/\/associations\//, { createdAt: 5 }],
    [/\/items\/batch$/, { items: [{ rawText: 'new' }] }],
    [/\/items\/actions$/, { action: 'discard', ids: ['kept'] }],
    [/\/items\/import$/, {}],
    [/\/tags\/merge$/, { sourceTagIds: ['kept'], targetTagId: 'other' }],
    [/\/tags(\/|$)/, { name: 'new' }],
    [/\/items$/, { id: 'new', rawText: 'new' }],
    [/\/items\/[^/]+$/, { title: 'new' }],
    [/\/sync\/(content|journals|drafts)$/, { id: 'new', type: 'TEXT', content: 'new', title: 'new', createdAt: 1, lastUpdated: 99 }],
    [/^\/journal\/sync\/.*\/(delete|restore)$/, {}],
    [/^\/journal\//, { type: 'TEXT', content: 'new', title: 'new', createdAt: 1, lastUpdated: 99 }],
  ]
  return rules.find(([pattern]) => pattern.test(path))?.[1]
}

/** One thing of every kind, under the id `kept` where ids can be chosen. Answers the ids of those where they cannot. */
async function fill(world: TestServer, ada: TestUser): Promise<Readonly<Record<AppName, Readonly<Record<string, string>>>>> {
  const send = async (method: Method, url: string, body: unknown) => {
    const answer = await call(world, ada.headers, method, url, body)
    assert.ok(answer.status < 300, `${url} ${answer.text}`)
    return answer.body
  }
  for (const name of ['content', 'journals', 'drafts']) await send('POST', `/journal/sync/${name}`, { id: 'kept', type: 'TEXT', content: 'kept', title: 'kept', createdAt: 1, lastUpdated: 1 })
  await send('POST', '/journal/sync/associations', { associations: [{ journalId: 'kept', contentId: 'kept', createdAt: 1 }] })
  await send('POST', '/vault/items', { id: 'kept', rawText: 'kept' })
  const tags = [await send('POST', '/vault/tags', { name: 'kept' }), await send('POST', '/vault/tags', { name: 'other' })]
  await send('POST', '/api/v1/diary/records/notes', { id: 'kept', data: { title: 'kept' } })
  const jobs = await send('GET', '/api/v1/vault/jobs', undefined)
  const conflicts: Record<string, string> = {}
  for (const app of ['diary', 'journal', 'vault'] as const) {
    const field = { diary: 'title', journal: 'content', vault: 'rawText' }[app]
    const { version } = await send('GET', `/api/v1/${app}/records/${collections[app]}/kept`, undefined)
    const patch = (value: string) => ({ mutations: [{ collection: collections[app], id: 'kept', op: 'patch', base: Number(version), data: { [field]: value } }] })
    await send('POST', `/api/v1/${app}/push`, patch('one'))
    const { results } = await send('POST', `/api/v1/${app}/push`, patch('other'))
    conflicts[app] = String(results?.[0]?.['conflictId'])
  }
  const of = (app: AppName, more: object) => ({ collection: collections[app], conflict: conflicts[app] ?? '', ...more })
  return { diary: of('diary', {}), journal: of('journal', {}), vault: of('vault', { job: String(jobs['jobs']?.[0]?.['id']), tag: String(tags[0]?.['id']) }) }
}

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
      const isTag = /\/tags\/\{/.test(path)
      const url = path
        .replace('{app}', app)
        .replace('{collection}', collections[app])
        .replace('conflicts/{id}', `conflicts/${ids[app]['conflict']}`)
        .replace('jobs/{id}', `jobs/${ids[app]['job'] ?? 'kept'}`)
        .replaceAll(/\{[a-zA-Z]+\}/g, isTag ? (ids[app]['tag'] ?? 'kept') : 'kept')
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
