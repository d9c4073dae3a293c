import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../protocol/limits.ts'
import { compact } from '../storage/compact.ts'
import { openTestServer } from '../testing/open-test-server.ts'
import { call, hostedDiary } from './test-calls.fixture.ts'

const DAY_MS = 86_400_000

interface Line {
  readonly snapshot?: { readonly version: number; readonly count: number }
  readonly cursor?: string
  readonly id?: string
  readonly version: number
}

test('SNAP-3 A snapshot of a space from which tombstones were purged long ago goes on with after and began', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  let { headers } = await world.register('ada@example.org')
  const push = (mutations: readonly object[]) => call(world, headers, 'POST', '/api/v1/diary/push', { mutations })
  const note = (id: string) => ({ collection: 'notes', id, op: 'put', base: 0, data: { title: id } })
  const made = await push(['a', 'b', 'c', 'gone'].map(note))
  await push([{ collection: 'notes', id: 'gone', op: 'delete', base: made.body['results']?.[3]?.['version'] }])
  world.advance(40 * DAY_MS)
  headers = (await world.signIn('ada@example.org')).headers
  await compact(world.database, { app: hostedDiary.app, before: world.chance.now() - 30 * DAY_MS })
  const read = async (query: string) => {
    const { status, text } = await call(world, headers, 'GET', `/api/v1/diary/snapshot${query}`)
    const lines = text.trim().split('\n')
    return { status, lines: lines.map((line) => JSON.parse(line) as Line) }
  }
  const { lines } = await read('')
  const began = lines[0]?.snapshot?.version ?? 0
  const after = lines[1]?.version ?? 0
  const rest = await read(`?after=${after}&began=${began}`)
  assert.equal(rest.status, 200)
  assert.deepEqual(
    rest.lines.flatMap(({ id }) => id ?? []),
    ['b', 'c'],
  )
  // Who does not say what the broken one knew is told that it cannot go on.
  assert.equal((await read(`?after=${after}`)).status, 410)
  assert.equal((await read(`?after=${after}&began=${began + DAY_MS * 400}`)).status, 410)
})

test('SNAP-5 An account has a bounded number of snapshots under way', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const { headers } = await world.register('ada@example.org')
  const mutations = Array.from({ length: 60 }, (_, index) => ({ collection: 'notes', id: `n${index}`, op: 'put', base: 0, data: { title: 'long', body: 'x'.repeat(130_000) } }))
  await call(world, headers, 'POST', '/api/v1/diary/push', { mutations })
  const abort = new AbortController()
  const open = () => fetch(`${world.url}/api/v1/diary/snapshot`, { headers: { ...headers, 'accept-encoding': 'identity' }, signal: abort.signal })
  const answers = await Promise.all(Array.from({ length: limits.SNAPSHOTS_MAX + 3 }, open))
  assert.deepEqual(
    answers.map(({ status }) => status).filter((status) => status !== 200),
    [429, 429, 429],
  )
  const other = await world.register('bob@example.org')
  assert.equal((await call(world, other.headers, 'GET', '/api/v1/diary/snapshot')).status, 200)
  abort.abort()
})
