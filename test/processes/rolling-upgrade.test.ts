import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { PullResponse } from '../../src/protocol/pull.ts'
import type { PushResponse } from '../../src/protocol/push.ts'
import { openDatabase } from '../../src/server/open-database.ts'
import { verifyChain } from '../../src/storage/verify-chain.ts'
import { makePostgresDatabase } from '../../src/testing/make-postgres-database.ts'
import { startTestPostgres } from '../../src/testing/test-postgres.ts'
import { startServerProcess, type ServerProcess } from './server-process.ts'

/** Edits through each process in turn. */
const ROUNDS = 20

async function ask(server: ServerProcess, token: string, path: string, body?: object): Promise<unknown> {
  const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  const response = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...sent })
  const text = await response.text()
  assert.equal(response.status, 200, text)
  return JSON.parse(text)
}

async function put(server: ServerProcess, token: string, collection: string, id: string, data: object, base = 0): Promise<number> {
  const { results } = (await ask(server, token, '/api/v1/hall/push', { mutations: [{ collection, id, op: 'put', base, data }] })) as PushResponse
  assert.equal(results[0]?.status, 'applied', JSON.stringify(results[0]))
  return results[0]?.version ?? 0
}

async function pull(server: ServerProcess, token: string, cursor: string): Promise<PullResponse> {
  return (await ask(server, token, `/api/v1/hall/pull${cursor === '' ? '' : `?cursor=${cursor}`}`)) as PullResponse
}

async function register(server: ServerProcess): Promise<string> {
  const body = JSON.stringify({ email: 'ada@example.org', password: 'correct horse' })
  const response = await fetch(`${server.url}/api/v1/auth/register`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return ((await response.json()) as { readonly accessToken: string }).accessToken
}

test('PG-19 A newer program starts beside an older one that serves; both are written and read in turn, the older one ends, and none like it starts again', async () => {
  await using opened = new AsyncDisposableStack()
  const dataFolder = await mkdtemp(join(tmpdir(), 'holdfast-rolling-'))
  opened.defer(() => rm(dataFolder, { recursive: true }))
  const postgres = opened.use(await startTestPostgres())
  const { location: databaseUrl } = await makePostgresDatabase(postgres.url)
  const older = opened.use(await startServerProcess({ databaseUrl, dataFolder }))
  const token = await register(older)
  const kept = await put(older, token, 'notes', 'before', { text: 'before' })

  const newer = opened.use(await startServerProcess({ databaseUrl, dataFolder, environment: { HOLDFAST_TEST_HALL: 'newer' } }))
  const seen = new Set<string>()
  let cursor = ''
  const read = async (server: ServerProcess) => {
    const page = await pull(server, token, cursor)
    for (const { collection, id } of page.changes) seen.add(`${collection}/${id}`)
    cursor = page.cursor
  }
  await read(newer)
  for (let round = 0; round < ROUNDS; round += 1) {
    await put(older, token, 'notes', `old-${round}`, { text: 'from the older' })
    await put(newer, token, 'notes', `new-${round}`, { text: 'from the newer', stars: 5, about: 'more' })
    await put(newer, token, 'marks', `mark-${round}`, { colour: 'red' })
    // The cursor of one is good at the other.
    await read(round % 2 === 0 ? older : newer)
  }
  await put(older, token, 'notes', 'before', { text: 'after' }, kept)
  await read(newer)
  assert.equal(seen.size, 1 + ROUNDS * 3)

  const byId = new Map((await pull(newer, token, '')).changes.map(({ id, data }) => [id, data]))
  assert.deepEqual(byId.get('old-0'), { text: 'from the older', stars: 3, about: null })
  assert.deepEqual(byId.get('new-0'), { text: 'from the newer', stars: 5, about: 'more' })
  assert.deepEqual(byId.get('before'), { text: 'after', stars: 3, about: null })

  const touched = (await pull(newer, token, '')).changes.find(({ id }) => id === 'new-1')?.version ?? 0
  await put(older, token, 'notes', 'new-1', { text: 'edited by the older' }, touched)
  const edited = (await pull(newer, token, cursor)).changes.find(({ id }) => id === 'new-1')
  assert.deepEqual(edited?.data, { text: 'edited by the older', stars: 5, about: 'more' }, 'what the older one does not know stays')

  await older.kill()
  await assert.rejects(older.start(), /no longer declares|newer version/)
  await put(newer, token, 'notes', 'end', { text: 'end' })
  const database = await openDatabase(databaseUrl)
  try {
    const spaces = await database.read((reader) => reader.all<{ space: number }>('SELECT space FROM holdfast_spaces'))
    for (const { space } of spaces) assert.equal((await verifyChain(database, space)).kind, 'intact')
  } finally {
    await database.close()
  }
})
