import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makePostgresDatabase } from '../../src/testing/make-postgres-database.ts'
import { readEvents } from '../../src/testing/read-events.ts'
import { startTestPostgres } from '../../src/testing/test-postgres.ts'
import { startServerProcess, type ServerPlace, type ServerProcess } from './server-process.ts'

interface ToldJob {
  readonly recordId: string
  readonly state: string
  readonly progress: { readonly fraction: number; readonly label: string } | null
}

interface EventData {
  readonly jobs?: readonly ToldJob[]
  readonly changes?: readonly { readonly id: string; readonly data: { readonly name: string } }[]
}

/** Three processes that work in one mill: what happens in each is told by one of them while another takes the writes. */
async function hearThree({ listening, writing }: { readonly listening: ServerProcess; readonly writing: ServerProcess }): Promise<void> {
  const registered = await fetch(`${writing.url}/api/v1/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.org', password: 'correct horse' }),
  })
  const { accessToken } = (await registered.json()) as { readonly accessToken: string }
  const headers = { authorization: `Bearer ${accessToken}` }
  const add = async (ids: readonly string[]) => {
    const mutations = ids.map((id) => ({ collection: 'grains', id, op: 'put', data: { name: id } }))
    const answer = await fetch(`${writing.url}/api/v1/mill/push`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ mutations }) })
    assert.equal(answer.status, 200)
  }
  const stream = await readEvents<EventData>(`${listening.url}/api/v1/mill/events`, headers)
  assert.equal((await stream.next())?.event, 'ready')
  /** Newest that was told of each record's job, and of each record, once the condition is met. */
  const newest = new Map<string, ToldJob>()
  const names = new Map<string, string>()
  const until = async (isMet: (jobs: readonly ToldJob[]) => boolean) => {
    while (!isMet([...newest.values()])) {
      const event = await stream.next()
      assert.ok(event !== undefined, 'the stream goes on')
      for (const job of event.data.jobs ?? []) newest.set(job.recordId, job)
      for (const { id, data } of event.data.changes ?? []) names.set(id, data.name)
    }
  }
  // Each process has one place for them, so that all three work.
  await add(['rye', 'oat', 'rice'])
  await until((jobs) => jobs.filter(({ progress }) => progress?.fraction === 0.5).length === 3)
  assert.equal(new Set([...newest.values()].map(({ progress }) => progress?.label)).size, 3, 'three processes')
  assert.deepEqual(new Set([...newest.values()].map(({ state }) => state)), new Set(['running']))
  await add(['go'])
  await until((jobs) => jobs.filter(({ state, progress }) => state === 'done' && progress?.fraction === 1).length === 3)
  await until(() => [...names.values()].filter((name) => name === 'flour').length === 3)
  stream.close()
}

async function startAll(opened: AsyncDisposableStack, places: readonly ServerPlace[]): Promise<readonly ServerProcess[]> {
  const processes = []
  for (const place of places) processes.push(opened.use(await startServerProcess(place)))
  return processes
}

test('EVT-7 A stream tells of the jobs of all servers on one PostgreSQL: where they run, how far they are, and that they are done', async () => {
  await using opened = new AsyncDisposableStack()
  const dataFolder = await mkdtemp(join(tmpdir(), 'holdfast-mill-'))
  opened.defer(() => rm(dataFolder, { recursive: true }))
  const postgres = opened.use(await startTestPostgres())
  const { location: databaseUrl } = await makePostgresDatabase(postgres.url)
  const [listening, writing] = await startAll(
    opened,
    Array.from({ length: 3 }, () => ({ databaseUrl, dataFolder, app: 'mill' })),
  )
  assert.ok(listening !== undefined && writing !== undefined)
  await hearThree({ listening, writing })
})

test('EVT-7 EVT-1 A server on SQLite tells of the jobs of worker processes beside it, and of what they write', async () => {
  await using opened = new AsyncDisposableStack()
  const dataFolder = await mkdtemp(join(tmpdir(), 'holdfast-mill-'))
  opened.defer(() => rm(dataFolder, { recursive: true }))
  const place = { dataFolder, app: 'mill' } as const
  const [server] = await startAll(opened, [place, { ...place, command: 'work' }, { ...place, command: 'work' }])
  assert.ok(server !== undefined)
  await hearThree({ listening: server, writing: server })
})
