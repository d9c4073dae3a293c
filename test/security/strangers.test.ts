import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hosted as journal } from '../../apps/journal/server.ts'
import { hosted as vault } from '../../apps/vault/server.ts'
import { call, hostedDiary, type Answered, type Method } from '../../src/http/test-calls.fixture.ts'
import { openTestServer, type TestServer, type TestUser } from '../../src/testing/open-test-server.ts'
import { addressOf, bodyOf, fill, type AppName } from './filled-world.fixture.ts'

type Ids = Readonly<Record<string, string>>

/** What a person has, by its ids. */
async function everythingOf(world: TestServer, bob: TestUser): Promise<Readonly<Record<AppName, Ids>>> {
  const ids = await fill(world, bob)
  const get = async (url: string) => (await call(world, bob.headers, 'GET', url)).body
  const session = String((await get('/api/v1/sessions'))['sessions']?.[0]?.['id'])
  const spaces = [...((await get('/api/v1/spaces'))['spaces'] ?? [])]
  const own = async (app: AppName): Promise<Ids> => {
    await call(world, bob.headers, 'POST', `/api/v1/${app}/push`, { mutations: [{ collection: ids[app]['collection'], id: 'wrong', op: 'put', base: 0, data: { unknown: 1 } }] })
    const { body } = await call(world, bob.headers, 'POST', '/api/v1/keys', { name: 'script', app, role: 'viewer' })
    const space = String(spaces.find((one) => String(one['app']) === app)?.['id'])
    return { ...ids[app], session, device: bob.deviceId, key: String(body['id']), rejected: String((await get(`/api/v1/${app}/rejected`))['rejected']?.[0]?.['id']), space }
  }
  const all = { diary: await own('diary'), journal: await own('journal'), vault: await own('vault') }
  for (const some of Object.values(all)) for (const [kind, id] of Object.entries(some)) assert.ok(id !== '' && id !== 'undefined', kind)
  return all
}

/** What an answer tells beside its ids, times and versions. */
function told({ status, text, headers }: Answered, ids: Ids): string {
  let plain = text
  for (const id of [...Object.values(ids), 'kept', 'unknown']) plain = plain.replaceAll(id, '·')
  return JSON.stringify([status, plain.replaceAll(/[0-9a-f]{64}/g, '·').replaceAll(/\d[\d.:TZ-]*/g, '·'), headers['www-authenticate'], headers['allow']])
}

test('HTTP-10 JRN-3 VLT-5 What is of somebody else is answered as what nobody has, on every route of the platform and the apps', async () => {
  await using world = await openTestServer({ apps: [hostedDiary, vault, journal], environment: { HOLDFAST_VAULT_AI: 'stub' } })
  const [ada, bob] = [await world.register('ada@example.org'), await world.register('bob@example.org', 'phone-of-bob')]
  const his = await everythingOf(world, bob)
  const unknown: Ids = { any: 'unknown', space: '01890000-0000-7000-8000-ffffffffffff' }
  const { body } = await call(world, {}, 'GET', '/openapi.json')
  const wrong: string[] = []
  let compared = 0
  const before =
    (await call(world, bob.headers, 'GET', '/api/v1/vault/pull')).text +
    (await call(world, bob.headers, 'GET', '/api/v1/journal/pull')).text +
    (await call(world, bob.headers, 'GET', '/api/v1/diary/pull')).text
  for (const app of ['diary', 'journal', 'vault'] as const) {
    for (const [path, methods] of Object.entries(body['paths'] ?? {})) {
      const isOfApp = path.startsWith(`/${app}/`) || path.includes('{app}') || (app === 'diary' && path.startsWith('/api/v1/'))
      // A manifest is of an app, whatever space is named.
      if (!isOfApp || path.endsWith('/events') || path.endsWith('/manifest')) continue
      for (const name of Object.keys(methods as object)) {
        const method = name.toUpperCase() as Method
        const ask = (ids: Ids, query = '') => {
          const url = addressOf(path, app, ids)
          const sent = method === 'GET' || (method === 'DELETE' && !url.endsWith('/associations')) ? undefined : bodyOf(url, app)
          return call(world, ada.headers, method, url + query, sent)
        }
        const pairs: [string, Answered, Answered][] = []
        if (/\{(?!app|collection)/.test(path)) pairs.push([path, await ask(his[app]), await ask(unknown)])
        if (path.includes('{app}')) pairs.push([`${path}?space`, await ask({ any: 'unknown' }, `?space=${his[app]['space']}`), await ask({ any: 'unknown' }, `?space=${unknown['space']}`)])
        for (const [what, one, other] of pairs) {
          compared += 1
          if (told(one, his[app]) !== told(other, unknown)) wrong.push(`${method} ${what} (${app})\n  his:     ${told(one, his[app]).slice(0, 300)}\n  nobody's: ${told(other, unknown).slice(0, 300)}`)
          if (what.endsWith('?space') && one.status !== 404) wrong.push(`${method} ${what} (${app}): ${one.status}`)
        }
      }
    }
  }
  assert.deepEqual(wrong, [])
  assert.ok(compared > 150, String(compared))
  const after =
    (await call(world, bob.headers, 'GET', '/api/v1/vault/pull')).text +
    (await call(world, bob.headers, 'GET', '/api/v1/journal/pull')).text +
    (await call(world, bob.headers, 'GET', '/api/v1/diary/pull')).text
  assert.equal(after, before)
  assert.equal((await call(world, bob.headers, 'GET', '/api/v1/auth/me')).status, 200)
})
