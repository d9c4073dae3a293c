import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hosted as journal } from '../../apps/journal/server.ts'
import { hosted as vault } from '../../apps/vault/server.ts'
import { call, hostedDiary, type Method } from '../../src/http/test-calls.fixture.ts'
import { openTestServer } from '../../src/testing/open-test-server.ts'

/** What every object of JavaScript has by birth. */
const names = ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString', 'valueOf', '__defineGetter__', 'length']

test('HTTP-3 What every object has by birth is a name like any other where names are free, and nothing where they are not', async () => {
  await using world = await openTestServer({ apps: [hostedDiary, vault, journal], environment: { HOLDFAST_VAULT_AI: 'stub' } })
  const ada = await world.register('ada@example.org', '__proto__')
  const send = (method: Method, url: string, body?: unknown, more: Readonly<Record<string, string>> = {}) => call(world, { ...ada.headers, ...more }, method, url, body)
  const status = async (...request: Parameters<typeof send>) => (await send(...request)).status
  for (const name of names) {
    // As client, group, id, device, tag and text.
    const mutation = { n: 1, collection: 'notes', id: name, op: 'put', base: 0, group: name, data: { title: name } }
    const pushed = await send('POST', '/api/v1/diary/push', { clientId: name, mutations: [mutation] })
    assert.equal(pushed.body['results']?.[0]?.['status'], 'applied', name)
    assert.equal(await status('PATCH', `/api/v1/diary/records/notes/${name}`, { data: { title: `${name} again` } }), 200)
    const stale = await send('POST', '/api/v1/diary/push', { clientId: name, mutations: [{ ...mutation, n: 2, op: 'patch', base: 1, data: { title: 'other' } }] })
    assert.equal(stale.body['results']?.[0]?.['status'], 'conflict', name)
    assert.equal((await send('GET', `/api/v1/diary/records/notes/${name}`)).body['id'], name)
    assert.deepEqual([await status('POST', '/vault/items', { id: name, rawText: name }), await status('GET', `/vault/items/${name}`)], [201, 200], name)
    assert.deepEqual([await status('POST', '/vault/tags', { name }), await status('POST', '/vault/tags', { name })], [201, 200], name)
    assert.equal(await status('POST', '/journal/sync/content', { id: name, type: 'TEXT', content: name, createdAt: 1, lastUpdated: 1, deviceId: name, tags: [name] }), 200, name)
    // As app, collection, field, kind, page, action and type.
    for (const url of [`/api/v1/${name}/pull`, `/api/v1/diary/records/${name}`, `/account/${name}`, `/journal/sync/verify/${name}`, `/api/v1/diary/records/notes/none/${name}`])
      assert.equal(await status('GET', url), 404, url)
    for (const query of [`sort=${name}`, `filter=${name}:eq:1`, `filter=title:${name}:1`]) assert.equal(await status('GET', `/api/v1/diary/records/notes?${query}`), 400, query)
    for (const url of [`/api/v1/diary/pull?collections=${name}`, `/api/v1/diary/search?q=x&collections=${name}`, `/vault/search?q=x&sort=${name}`]) assert.equal(await status('GET', url), 400, url)
    assert.equal(await status('POST', '/vault/items/actions', { action: name, ids: [name] }), 400)
    assert.equal(await status('POST', '/vault/items/import', 'x', { 'content-type': name }), 415)
    // As a key of a body, also where it is spelled with an escape.
    for (const spelled of [name, `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`]) {
      const body = `{"id":"polluted","data":{"title":"x","${spelled}":{"polluted":true,"prototype":{"polluted":true}}}}`
      assert.ok((await status('POST', '/api/v1/diary/records/notes', body)) >= 400, spelled)
      await send('PATCH', '/vault/auth/me/preferences', `{"${spelled}":{"polluted":true}}`)
      await send('POST', '/journal/sync/content', `{"id":"x","type":"TEXT","createdAt":1,"lastUpdated":1,"${spelled}":{"polluted":true}}`)
    }
  }
  assert.ok(!('polluted' in {}) && !('polluted' in Object))
  const { body: pulled } = await send('GET', '/api/v1/diary/pull')
  assert.deepEqual(new Set(pulled['changes']?.map((change) => String(change['id']))), new Set(names))
  assert.equal((await send('GET', '/api/v1/diary/records/notes/polluted')).status, 404)
  assert.equal((await send('GET', '/vault/tags')).body['tags']?.length, names.length)
})
