import assert from 'node:assert/strict'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { test } from 'node:test'
import { openSite } from './serve-process.ts'

test('DB-9 A server whose data folder is gone refuses writes clearly and makes no other; with the folder back it has all that it acknowledged', async () => {
  await using site = await openSite()
  await site.serve()
  const json = { 'content-type': 'application/json' }
  const registered = await site.request('/api/v1/auth/register', { method: 'POST', headers: json, body: JSON.stringify({ email: 'ada@example.org', password: 'correct horse' }) })
  const { accessToken } = (await registered.json()) as { accessToken: string }
  const headers = { ...json, authorization: `Bearer ${accessToken}` }
  const write = async (id: string) => {
    const answer = await site.request('/journal/sync/content', { method: 'POST', headers, body: JSON.stringify({ id, type: 'TEXT', content: 'x', createdAt: 1, lastUpdated: 1 }) })
    return [answer.status, ((await answer.json()) as { code?: string }).code, answer.headers.has('retry-after')]
  }
  const read = async () => {
    const answer = await site.request('/journal/contents', { headers })
    return ((await answer.json()) as { changes: { id: string }[] }).changes.map(({ id }) => id)
  }
  assert.deepEqual(await write('first'), [200, undefined, false])
  renameSync(site.data, `${site.data}-away`)
  assert.deepEqual(await write('second'), [503, 'STORAGE_UNAVAILABLE', true])
  assert.deepEqual(await read(), ['first'])
  assert.ok(!existsSync(site.data))
  renameSync(`${site.data}-away`, site.data)
  assert.deepEqual(await write('third'), [200, undefined, false])
  assert.equal(await site.end('SIGTERM'), 0)
  await site.serve()
  assert.deepEqual(await read(), ['first', 'third'])
  rmSync(site.data, { recursive: true })
  assert.deepEqual(await write('fourth'), [503, 'STORAGE_UNAVAILABLE', true])
  assert.ok(!existsSync(site.data))
})
