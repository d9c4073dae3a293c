import assert from 'node:assert/strict'
import { call, type Method } from '../../src/http/test-calls.fixture.ts'
import type { TestServer, TestUser } from '../../src/testing/open-test-server.ts'

export type AppName = 'diary' | 'journal' | 'vault'

/** The collection that stands for its app. */
export const collections: Readonly<Record<AppName, string>> = { diary: 'notes', journal: 'content', vault: 'items' }
const data: Readonly<Record<AppName, object>> = {
  diary: { title: 'new' },
  journal: { type: 'TEXT', content: 'new', writtenAt: 1, lastUpdated: 99, deviceId: 'd' },
  vault: { rawText: 'new' },
}

/** What each route would take from somebody who may write. */
export function bodyOf(path: string, app: AppName): unknown {
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
export async function fill(world: TestServer, ada: TestUser): Promise<Readonly<Record<AppName, Readonly<Record<string, string>>>>> {
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

/** The address of a route in one app, with the ids of what is there, else `any` or `kept`. */
export function addressOf(path: string, app: AppName, ids: Readonly<Record<string, string>>): string {
  const kept = ids['any'] ?? 'kept'
  return path
    .replace('{app}', app)
    .replace('{collection}', collections[app])
    .replace('conflicts/{id}', `conflicts/${ids['conflict'] ?? kept}`)
    .replace('jobs/{id}', `jobs/${ids['job'] ?? kept}`)
    .replace('rejected/{id}', `rejected/${ids['rejected'] ?? kept}`)
    .replace('devices/{id}', `devices/${ids['device'] ?? kept}`)
    .replace('sessions/{id}', `sessions/${ids['session'] ?? kept}`)
    .replace('keys/{id}', `keys/${ids['key'] ?? kept}`)
    .replace(/(spaces\/)\{[a-zA-Z]+\}/, `$1${ids['space'] ?? kept}`)
    .replaceAll(/\{[a-zA-Z]+\}/g, /\/tags\/\{/.test(path) ? (ids['tag'] ?? kept) : kept)
}
