import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { journalId, linkId, readDiary, writtenAt, type DiaryEntry } from '../../examples/diary/read-diary.ts'
import type { PullResponse } from '../../src/protocol/pull.ts'
import type { PushResponse } from '../../src/protocol/push.ts'
import { makePostgresDatabase } from '../../src/testing/make-postgres-database.ts'
import { postgresServer, withoutPostgres } from '../../src/testing/open-postgres-world.ts'
import { openSite, type Site } from './serve-process.ts'

const only = { skip: withoutPostgres }
const program = fileURLToPath(new URL('../../src/cli/holdfast.js', import.meta.url))
/** Records that are generated beside the diary; `HOLDFAST_TEST_ITEMS=100000` is the move of docs/guide/scale.md. */
const ITEMS = Number(process.env['HOLDFAST_TEST_ITEMS'] ?? 100)
/** Mutations of one push. */
const TOGETHER = 200

interface Person {
  readonly token: string
}

interface Mutation {
  readonly n: number
  readonly collection: string
  readonly id: string
  readonly op: 'put' | 'delete'
  readonly base: number
  readonly data?: object
}

/** Journals, notes and links of a diary, numbered as a client numbers them. */
function mutationsOf(entries: readonly DiaryEntry[]): Mutation[] {
  const titles = [...new Set(entries.map(({ journal }) => journal))]
  const records = [
    ...titles.map((title) => ({ collection: 'journals', id: journalId(title), data: { title, writtenAt: 1, lastUpdated: 1 } })),
    ...entries.map((entry) => ({ collection: 'content', id: entry.id, data: { type: 'TEXT', content: entry.text, writtenAt: writtenAt(entry), lastUpdated: 1, entryDate: entry.date } })),
    ...entries.map((entry) => {
      const data = { journalId: journalId(entry.journal), contentId: entry.id, writtenAt: 1 }
      return { collection: 'associations', id: linkId(data.journalId, data.contentId), data }
    }),
  ]
  return records.map((record, index) => ({ ...record, n: index + 1, op: 'put', base: 0 }))
}

/** Entries of about the size of a diary's; each makes two records, itself and its link. */
function generated(records: number): DiaryEntry[] {
  const text = 'It rained until noon, then we walked down to the harbour and watched the boats come in. '
  return Array.from({ length: records / 2 }, (_, index) => ({ journal: 'Generated', id: `generated-${index}`, date: '2024-05-01', text: `${index}. ${text.repeat(1 + (index % 6))}` }))
}

function figure(ms: number): string {
  return (ms / 1_000).toFixed(1)
}

async function ask<Answer>(site: Site, { token }: Person, path: string, body?: object): Promise<Answer> {
  const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  const response = await site.request(path, { headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...sent })
  const text = await response.text()
  assert.equal(response.status, 200, `${path} answered ${response.status}: ${text.slice(0, 500)}`)
  return JSON.parse(text) as Answer
}

async function register(site: Site, email: string): Promise<Person> {
  const response = await site.request('/api/v1/auth/register', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email, password: 'correct horse' }) })
  const { accessToken } = (await response.json()) as { readonly accessToken: string }
  return { token: accessToken }
}

/** What waits for a person to decide. */
async function waitingOf(site: Site, person: Person): Promise<{ readonly conflicts: readonly { readonly id: string }[]; readonly rejected: readonly object[] }> {
  const conflicts = await ask<{ conflicts: { id: string }[] }>(site, person, '/api/v1/journal/conflicts')
  const rejected = await ask<{ rejected: object[] }>(site, person, '/api/v1/journal/rejected')
  return { conflicts: conflicts.conflicts, rejected: rejected.rejected }
}

async function pushAll(site: Site, person: Person, mutations: readonly Mutation[], clientId = 'phone'): Promise<PushResponse['results']> {
  const results: PushResponse['results'] = []
  for (let start = 0; start < mutations.length; start += TOGETHER)
    results.push(...(await ask<PushResponse>(site, person, '/api/v1/journal/push', { clientId, mutations: mutations.slice(start, start + TOGETHER) })).results)
  return results
}

/** Everything behind a cursor, and where it ends. */
async function pullAll(site: Site, person: Person, from = ''): Promise<{ readonly changes: PullResponse['changes']; readonly cursor: string }> {
  const changes: PullResponse['changes'] = []
  for (let cursor = from; ;) {
    const page = await ask<PullResponse>(site, person, `/api/v1/journal/pull?limit=1000${cursor === '' ? '' : `&cursor=${cursor}`}`)
    changes.push(...page.changes)
    cursor = page.cursor
    if (!page.more) return { changes, cursor }
  }
}

/** Runs the command and kills it when it says a line that matches; answers whether it came to that. */
async function moveAndKill(site: Site, places: readonly string[], at: RegExp): Promise<boolean> {
  const child = spawn(process.execPath, [program, 'migrate-database', ...places], {
    cwd: site.folder,
    env: { ...process.env, HOLDFAST_APPS: 'journal', HOLDFAST_DATA: site.data, HOLDFAST_DATABASE_URL: '' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (at.test(line)) child.kill('SIGKILL')
  })
  await once(child, 'exit')
  return child.signalCode === 'SIGKILL'
}

/** A line for each space: how many entries, and that the chain is whole. */
async function verify(site: Site): Promise<string> {
  const { code, out, err } = await site.holdfast('audit', 'verify', '--app', 'journal', '--json')
  assert.equal(code, 0, err)
  return out
}

test('MOVE-2 A diary goes from SQLite to PostgreSQL and back by the command, killed on the way at every step; devices go on with their cursors', only, async () => {
  await using small = await openSite({ HOLDFAST_RATE_LIMITS: 'on' })
  const made = await makePostgresDatabase(postgresServer ?? '')
  await using _ = { [Symbol.asyncDispose]: () => made.drop() }
  const { entries } = await readDiary(undefined)
  const mutations = mutationsOf([...entries, ...generated(ITEMS)])
  await small.serve()
  const [ada, bob] = [await register(small, 'ada@example.org'), await register(small, 'bob@example.org')]
  const results = await pushAll(small, ada, mutations)
  assert.ok(results.every(({ status }) => status === 'applied'))
  await pushAll(small, bob, mutations.slice(0, 3))
  const half = await ask<PullResponse>(small, ada, '/api/v1/journal/pull?limit=7')
  const last = results.at(-1)?.version ?? 0
  const gone = mutations.at(-1)
  await ask(small, ada, '/api/v1/journal/push', { mutations: [{ collection: 'associations', id: gone?.id, op: 'delete', base: last }] })
  const [unread] = await pushAll(
    small,
    ada,
    [{ n: 1, collection: 'journals', id: journalId(entries[0]?.journal ?? ''), op: 'put', base: 0, data: { title: 'other', writtenAt: 1, lastUpdated: 1 } }],
    'tablet',
  )
  assert.equal(unread?.status, 'conflict')
  const [refused] = await pushAll(
    small,
    ada,
    [{ n: 2, collection: 'associations', id: 'of-nothing', op: 'put', base: 0, data: { journalId: 'nowhere', contentId: 'nowhere', writtenAt: 1 } }],
    'tablet',
  )
  assert.equal(refused?.status, 'rejected')
  const waiting = await waitingOf(small, ada)
  assert.deepEqual([waiting.conflicts.length, waiting.rejected.length], [1, 1])
  const rest = await pullAll(small, ada, half.cursor)
  assert.equal(await small.end('SIGTERM'), 0)
  const logs = await verify(small)

  const places = ['--from', join(small.data, 'holdfast.db'), '--to', made.location]
  const firstStarted = performance.now()
  for (const at of [/^Copying holdfast_c/, /^Copying records/, /^Comparing holdfast_/, /^Comparing journal_/, /^Checking/]) {
    assert.ok(await moveAndKill(small, places, at), `killed at ${at}`)
  }
  await using large = await openSite({ HOLDFAST_DATA: small.data, HOLDFAST_DATABASE_URL: made.location, HOLDFAST_RATE_LIMITS: 'on' })
  await assert.rejects(large.serve(), /not complete/)
  const started = performance.now()
  const moved = await small.holdfast('migrate-database', ...places, '--json')
  // The last run has the comparing and the chains of all, and the copying of nothing.
  if (process.env['HOLDFAST_TEST_ITEMS'] !== undefined)
    console.error(`Moved ${moved.out.trim()}: killed five times in ${figure(started - firstStarted)} s, then to the end in ${figure(performance.now() - started)} s.`)
  assert.equal(moved.code, 0, moved.err)

  await large.serve()
  // Sign-ins are counted in a table of PostgreSQL alone, which stays behind on the way back.
  await register(large, 'cleo@example.org')
  assert.deepEqual(await pullAll(large, ada, half.cursor), rest)
  assert.deepEqual(await waitingOf(large, ada), waiting)
  // Not the last, which was deleted: a replay is answered with the record as it is now.
  const sentAgain = mutations.slice(0, Math.min(TOGETHER, mutations.length - 1))
  const replayed = await pushAll(large, ada, sentAgain)
  assert.deepEqual(
    replayed.map(({ version }) => version),
    results.slice(0, sentAgain.length).map(({ version }) => version),
  )
  assert.deepEqual(await verify(large), logs)
  const [more] = await pushAll(large, ada, [{ n: mutations.length + 1, collection: 'journals', id: 'after', op: 'put', base: 0, data: { title: 'after', writtenAt: 1, lastUpdated: 1 } }])
  assert.equal(more?.status, 'applied')
  await ask(large, ada, `/api/v1/journal/conflicts/${waiting.conflicts[0]?.id}/resolve`, { resolution: 'server' })
  const decided = await waitingOf(large, ada)
  assert.deepEqual(decided.conflicts, [])
  assert.equal(await large.end('SIGTERM'), 0)
  const largeLogs = await verify(large)

  const back = join(small.folder, 'back')
  const returning = ['--from', made.location, '--to', join(back, 'holdfast.db')]
  await using again = await openSite({ HOLDFAST_DATA: back })
  for (const at of [/^Copying holdfast_c/, /^Checking/]) assert.ok(await moveAndKill(small, returning, at), `killed at ${at}`)
  const returned = await small.holdfast('migrate-database', ...returning, '--json')
  assert.equal(returned.code, 0, returned.err)
  assert.ok(existsSync(join(back, 'holdfast.db')))
  await cp(join(small.data, 'secret'), join(back, 'secret'))
  await again.serve()
  const { changes } = await pullAll(again, ada, rest.cursor)
  assert.deepEqual(
    changes.map(({ id, version }) => [id, version]),
    [['after', more?.version]],
  )
  assert.equal((await pullAll(again, ada)).changes.length, mutations.length)
  assert.equal((await pullAll(again, bob)).changes.length, 3)
  assert.deepEqual(await waitingOf(again, ada), decided)
  assert.equal(await again.end('SIGTERM'), 0)
  assert.deepEqual(await verify(again), largeLogs)
})
