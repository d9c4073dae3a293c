import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../../src/app/collection.ts'
import { defineApp } from '../../src/app/define-app.ts'
import { hostApp } from '../../src/http/host-app.ts'
import { call, type Method } from '../../src/http/test-calls.fixture.ts'
import { defineJob } from '../../src/jobs/define-job.ts'
import { openTestServer, type TestServer, type TestUser } from '../../src/testing/open-test-server.ts'

const team = hostApp({
  app: defineApp({ name: 'team', spaces: 'organisation', collections: { notes: collection(z.object({ title: z.string() }), { search: ['title'] }) } }),
  jobs: { read: defineJob(z.object({}), async () => ({ kind: 'done' })) },
})

/** A space with two of everything that is listed. */
async function openSpace(world: TestServer, owner: TestUser, name: string) {
  const principal = await world.accounts.authenticate({ bearer: owner.accessToken })
  if (principal.kind === 'key') throw new Error('This is a key.')
  const { id } = await world.accounts.createSpace(principal, { app: 'team', name })
  const send = (method: Method, path: string, body?: unknown) => call(world, owner.headers, method, `/api/v1/team/${path}${path.includes('?') ? '&' : '?'}space=${id}`, body)
  const ids = ['a', 'b']
  const put = (data: object) => ids.map((record) => ({ collection: 'notes', id: record, op: 'put', base: 0, data }))
  const { body } = await send('POST', 'push', { mutations: put({ title: 'words' }) })
  const patch = (title: string) => ids.map((record, index) => ({ collection: 'notes', id: record, op: 'patch', base: Number(body['results']?.[index]?.['version']), data: { title } }))
  await send('POST', 'push', { mutations: patch('words one') })
  await send('POST', 'push', { mutations: patch('words two') })
  await send('POST', 'push', { mutations: ids.map((record) => ({ collection: 'notes', id: `bad${record}`, op: 'put', base: 0, data: { title: 1 } })) })
  const rows = await world.database.read((reader) => reader.all<{ space: number }>('SELECT space FROM holdfast_spaces WHERE id = ?', [id]))
  const scope = { actor: principal.actor, device: 'test', app: 'team', space: rows[0]?.space ?? 0, role: 'owner', requestId: 'test' } as const
  await world.context.commit(scope, { mutations: [], keepRejected: false, keepConflicts: false, jobs: ids.map(() => ({ kind: 'read', payload: {} })) })
  return send
}

test('HTTP-10 CUR-2 REC-7 No cursor of one space is taken in another, of whatever list, and none of one list in another', async () => {
  await using world = await openTestServer({ apps: [team] })
  const owner = await world.register('owner@example.org')
  const [north, south] = [await openSpace(world, owner, 'north'), await openSpace(world, owner, 'south')]
  const lists = [
    'pull?',
    'records/notes?',
    'records/notes?sort=title&',
    'conflicts?',
    'conflicts?state=all&',
    'rejected?',
    'audit?',
    'audit?order=oldest&',
    'search?q=words&',
    'search?q=words&sort=recent&',
    'jobs?',
  ]
  const cursors = new Map<string, string>()
  for (const list of lists) {
    const { body } = await north('GET', `${list}limit=1`)
    assert.equal(typeof body['cursor'], 'string', list)
    cursors.set(list, String(body['cursor']))
  }
  for (const [list, cursor] of cursors) {
    const elsewhere = await south('GET', `${list}limit=1&cursor=${encodeURIComponent(cursor)}`)
    assert.deepEqual([elsewhere.status, elsewhere.body['code']], [400, 'cursor.invalid'], list)
    assert.equal((await north('GET', `${list}limit=1&cursor=${encodeURIComponent(cursor)}`)).status, 200, list)
    for (const other of lists) {
      if (other === list) continue
      const answer = await north('GET', `${other}limit=1&cursor=${encodeURIComponent(cursor)}`)
      assert.deepEqual([answer.status, answer.body['code']], [400, 'cursor.invalid'], `${list} in ${other}`)
    }
  }
  // What a push has proved of one space proves nothing of another.
  const { body } = await north('POST', 'push', { mutations: [] })
  const proof = encodeURIComponent(String(body['proof']))
  for (const answer of [await south('POST', `push?proof=${proof}`, { mutations: [] }), await south('GET', `pull?proof=${proof}`)])
    assert.deepEqual([answer.status, answer.body['code']], [400, 'cursor.invalid'])
})
