import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { z } from 'zod'
import { defineJob } from '../../src/jobs/define-job.ts'
import { hostedDiary } from '../../src/http/test-calls.fixture.ts'
import { migrate } from '../../src/storage/migrate.ts'
import { verifyChain } from '../../src/storage/verify-chain.ts'
import type { HostedApp } from '../../src/http/http-context.ts'
import { collection } from '../../src/app/collection.ts'
import { compileApp } from '../../src/app/compile-app.ts'
import { defineApp } from '../../src/app/define-app.ts'
import { termsOf } from '../../src/search/search-terms.ts'
import { searchRecords } from '../../src/storage/search-records.ts'
import type { PullResponse } from '../../src/protocol/pull.ts'
import type { PushResponse } from '../../src/protocol/push.ts'
import { withoutPostgres } from '../../src/testing/open-postgres-world.ts'
import { openTestSpace } from '../../src/testing/open-test-space.ts'
import { openTestServer, type TestServer, type TestUser } from '../../src/testing/open-test-server.ts'

const only = { skip: withoutPostgres }
const divideText = new URL('../../docs/guide/divide-by-space.sql', import.meta.url)
/** More than partitions, so that some partition has several spaces. */
const USERS = 20

/** Tables whose rows belong to no space, or are found before their space is known; why is in docs/decisions/keys-by-space.md. */
const whole = [
  'holdfast_devices',
  'holdfast_keys',
  'holdfast_meta',
  'holdfast_migrations',
  'holdfast_one_time_links',
  'holdfast_refresh_tokens',
  'holdfast_schedules',
  'holdfast_sessions',
  'holdfast_spaces',
  'holdfast_users',
]

/** Every note that is written has a job, which writes a page that refers to it. */
const hosted: HostedApp = {
  ...hostedDiary,
  rules: { notes: ({ id }) => ({ kind: 'accept', jobs: [{ kind: 'page', payload: id, uniqueKey: id, record: { collection: 'notes', id } }] }) },
  jobs: { page: defineJob(z.string(), async ({ payload }) => ({ kind: 'done', write: { mutations: [{ collection: 'pages', id: `of-${payload}`, op: 'put', data: { note: payload, number: 1 } }] } })) },
}

async function push(world: TestServer, user: TestUser, body: object): Promise<PushResponse> {
  const response = await fetch(`${world.url}/api/v1/diary/push`, { method: 'POST', headers: { ...user.headers, 'content-type': 'application/json' }, body: JSON.stringify(body) })
  assert.equal(response.status, 200)
  return (await response.json()) as PushResponse
}

async function pull(world: TestServer, user: TestUser, cursor = ''): Promise<PullResponse> {
  const response = await fetch(`${world.url}/api/v1/diary/pull?limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`, { headers: user.headers })
  assert.equal(response.status, 200)
  return (await response.json()) as PullResponse
}

async function work({ runner }: TestServer): Promise<void> {
  while ((await runner.runOnce()) > 0) await runner.settled()
}

async function divide({ database }: Pick<TestServer, 'database'>): Promise<void> {
  const text = await readFile(divideText, 'utf8')
  await database.write((tx) => tx.run(text))
}

/** Names of tables that are divided and of those that are whole. */
async function tablesOf({ database }: Pick<TestServer, 'database'>): Promise<{ readonly divided: readonly string[]; readonly whole: readonly string[] }> {
  const rows = await database.read((reader) =>
    reader.all<{ name: string; kind: string }>(
      `SELECT relname::text AS name, relkind::text AS kind FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname::text COLLATE "C"`,
    ),
  )
  const names = (wanted: string) => rows.filter(({ kind }) => kind === wanted).map(({ name }) => name)
  return { divided: names('p'), whole: names('r') }
}

/** Definitions of all keys, references and indexes of the tables, without those of single partitions. */
async function definitionsOf({ database }: TestServer): Promise<readonly string[]> {
  const rows = await database.read((reader) =>
    reader.all<{ definition: string }>(
      `SELECT replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') AS definition FROM pg_index JOIN pg_class ON oid = indrelid WHERE relnamespace = current_schema()::regnamespace AND NOT relispartition
UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(c.oid) FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = conrelid
WHERE connamespace = current_schema()::regnamespace AND contype IN ('p', 'u', 'f') AND NOT relispartition AND conparentid = 0`,
    ),
  )
  return rows.map(({ definition }) => definition).toSorted()
}

test('PG-18 Tables that the guide divides by space have the keys, references and indexes they had, and serve push, pull, conflicts and jobs', only, async () => {
  await using world = await openTestServer({ apps: [hosted] })
  const users: TestUser[] = []
  for (let index = 0; index < USERS; index += 1) users.push(await world.register(`user${index}@example.org`))
  const put = (n: number, id: string, base: number, title: string) => ({ clientId: 'c', ackedThrough: n - 1, mutations: [{ n, collection: 'notes', id, op: 'put', base, data: { title } }] })
  const firsts = await Promise.all(users.map((user) => push(world, user, put(1, 'n1', 0, 'before'))))
  const cursors = await Promise.all(users.map(async (user) => (await pull(world, user)).cursor))
  const before = await definitionsOf(world)

  await divide(world)
  await world.restart()
  assert.deepEqual(await definitionsOf(world), before)
  const tables = await tablesOf(world)
  assert.deepEqual(tables.whole, whole)
  assert.ok(
    ['diary_notes', 'holdfast_changes', 'holdfast_clients', 'holdfast_jobs', 'holdfast_members', 'holdfast_search'].every((name) => tables.divided.includes(name)),
    tables.divided.join(),
  )
  await divide(world)
  assert.deepEqual(await tablesOf(world), tables, 'a second run finds nothing to divide')

  await work(world)
  for (const [index, user] of users.entries()) {
    const note = firsts[index]?.results[0]?.version ?? 0
    assert.equal((await push(world, user, put(1, 'n1', 0, 'before'))).results[0]?.version, note, 'a replay changes nothing')
    const [changed, stale, unknown] = (
      await push(world, user, {
        mutations: [
          { collection: 'notes', id: 'n1', op: 'put', base: note, data: { title: 'after' } },
          { collection: 'forms', id: 'f1', op: 'put', base: 0, data: { text: 'one' } },
          { collection: 'pages', id: 'p1', op: 'put', base: 0, data: { note: 'nowhere', number: 1 } },
        ],
      })
    ).results
    assert.deepEqual([changed?.status, stale?.status, unknown?.status], ['applied', 'applied', 'rejected'])
    const [conflict] = (await push(world, user, { mutations: [{ collection: 'forms', id: 'f1', op: 'put', base: 1, data: { text: 'two' } }] })).results
    assert.equal(conflict?.status, 'conflict')
  }
  await work(world)
  for (const [index, user] of users.entries()) {
    const { changes, more } = await pull(world, user, cursors[index])
    assert.deepEqual([changes.map((change) => `${change.collection}/${change.id}`).toSorted(), more], [['forms/f1', 'notes/n1', 'pages/of-n1'], false])
    assert.ok(changes.every(({ version }, at) => at === 0 || version > (changes[at - 1]?.version ?? 0)))
  }
  const jobs = await world.database.read((reader) => reader.all<{ state: string; count: number }>('SELECT state, count(*) AS count FROM holdfast_jobs GROUP BY state'))
  assert.deepEqual(jobs, [{ state: 'done', count: USERS * 2 }])
  const spaces = await world.database.read((reader) => reader.all<{ space: number }>("SELECT space FROM holdfast_spaces WHERE app = 'diary'"))
  for (const { space } of spaces) assert.equal((await verifyChain(world.database, space)).kind, 'intact')
})

test('PG-18 The index of the search is divided too: each space finds what it found, and what is written from then on', only, async () => {
  const app = compileApp(defineApp({ name: 'shop', collections: { notes: collection(z.object({ title: z.string() }), { search: ['title'] }) } }))
  await using world = await openTestSpace(app)
  const spaces = [world.space]
  while (spaces.length < USERS) spaces.push(await world.addSpace(`shop${spaces.length}`))
  const put = (space: number, id: string, title: string) => world.pushOne({ collection: 'notes', id, base: 0, data: { title } }, { space, keepConflicts: false })
  const found = async (space: number, text: string) => {
    const matches = await world.database.read((reader) => searchRecords(reader, { space, collections: ['notes'], terms: termsOf(text), order: 'recent', limit: 10 }))
    return matches.map(({ id }) => id)
  }
  const storage = () =>
    world.database.read((reader) =>
      reader.all(
        "SELECT DISTINCT attname::text AS name, attstorage::text AS storage FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE starts_with(relname::text, 'holdfast_search') AND attname IN ('body', 'gram_numbers') AND relkind IN ('r', 'p')",
      ),
    )
  const versions = new Map<number, number>()
  for (const space of spaces) versions.set(space, (await put(space, 'old', `harbour of ${space}`)).record?.version ?? 0)
  const stored = await storage()

  await divide(world)
  assert.ok((await tablesOf(world)).divided.includes('holdfast_search'))
  assert.deepEqual(await storage(), stored)
  for (const space of spaces) {
    assert.deepEqual(await found(space, `harbour of ${space}`), ['old'])
    await put(space, 'new', 'a harbour')
    assert.deepEqual(await found(space, 'harbour'), ['new', 'old'])
    await world.pushOne({ collection: 'notes', id: 'old', op: 'delete', base: versions.get(space) ?? 0 }, { space })
    assert.deepEqual(await found(space, 'harbour'), ['new'])
  }
  await migrate(world.database, [app], [], 1)
  assert.ok((await tablesOf(world)).divided.includes('holdfast_search'), 'a start leaves it divided')
})

test('PG-18 A statement that names its space reads one partition', only, async () => {
  await using world = await openTestServer({ apps: [hosted] })
  await divide(world)
  const plan = await world.database.read((reader) => reader.all<{ 'QUERY PLAN': string }>("EXPLAIN UPDATE holdfast_jobs SET state = 'done' WHERE space = 5 AND id = 'a' AND lease = 'b'"))
  const lines = plan.map((row) => row['QUERY PLAN']).join('\n')
  assert.equal(new Set(lines.match(/ on holdfast_jobs_\d+/g)).size, 1, lines)
})
