import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openSite, type Site } from './serve-process.ts'

const KILLS = Number(process.env['HOLDFAST_TEST_KILLS'] ?? 5)
const SEED = Number(process.env['HOLDFAST_TEST_SEED'] ?? 20_261_125)
const WRITERS = 4
const BATCH = 20
const ASK_AGAIN_MS = 20
/** Longest time between a start and the next kill, in milliseconds. */
const LIFE_MS_MAX = 600

interface Acknowledged {
  readonly id: string
  readonly version: number
}

async function tokenOf(site: Site): Promise<string> {
  const answer = await site.request('/api/v1/auth/register', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.org', password: 'correct horse' }),
  })
  return ((await answer.json()) as { accessToken: string }).accessToken
}

/** Asks until somebody answers; what is refused is the test's fault. */
async function ask<Answer>(site: Site, token: string, path: string, body?: object): Promise<Answer> {
  for (;;) {
    try {
      const answer = await site.request(path, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await answer.text()
      if (answer.status < 500) {
        assert.equal(answer.status, 200, text)
        return JSON.parse(text) as Answer
      }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error
    }
    await delay(ASK_AGAIN_MS)
  }
}

/** Pushes numbered batches, the same one again until it is answered, and notes what was acknowledged. */
async function write(site: Site, token: string, writer: number, work: { readonly stopped: () => boolean; readonly acknowledged: Acknowledged[] }): Promise<void> {
  for (let n = 1; !work.stopped(); n += BATCH) {
    const mutations = Array.from({ length: BATCH }, (_, index) => ({
      n: n + index,
      collection: 'content',
      id: `w${writer}-${n + index}`,
      op: 'put',
      base: 0,
      data: { type: 'TEXT', content: `${writer} ${n + index}`, writtenAt: 1, lastUpdated: 1 },
    }))
    const { results } = await ask<{ results: { status: string; version: number }[] }>(site, token, '/api/v1/journal/push', { clientId: `writer-${writer}`, ackedThrough: n - 1, mutations })
    for (const [index, { status, version }] of results.entries()) {
      assert.equal(status, 'applied')
      work.acknowledged.push({ id: `w${writer}-${n + index}`, version })
    }
  }
}

/** Reads from its cursor, page by page, through all the kills, until told to stop and at a checkpoint. */
async function read(site: Site, token: string, stopped: () => boolean): Promise<Map<string, number>> {
  const seen = new Map<string, number>()
  let last = 0
  for (let cursor = ''; ;) {
    const wasStopped = stopped()
    const page = await ask<{ changes: { id: string; version: number }[]; cursor: string; more: boolean }>(site, token, `/api/v1/journal/pull?limit=97${cursor === '' ? '' : `&cursor=${cursor}`}`)
    for (const { id, version } of page.changes) {
      assert.ok(version > last, `version ${version} came behind ${last}`)
      last = version
      seen.set(id, version)
    }
    ;({ cursor } = page)
    if (wasStopped && !page.more) return seen
  }
}

test('SERVE-2 Killed at random moments during pushes, the server loses nothing that it acknowledged and applies nothing twice', async (t) => {
  t.diagnostic(`seed ${SEED}, ${KILLS} kills`)
  await using site = await openSite()
  await site.serve()
  const token = await tokenOf(site)
  let [stop, written] = [false, false]
  const acknowledged: Acknowledged[] = []
  const work = { stopped: () => stop, acknowledged }
  const writers = Array.from({ length: WRITERS }, (_, writer) => write(site, token, writer, work))
  const reader = read(site, token, () => written)
  let state = SEED
  for (let kill = 0; kill < KILLS; kill += 1) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    await delay(50 + (state % LIFE_MS_MAX))
    await site.end('SIGKILL')
    await site.serve()
  }
  stop = true
  await Promise.all(writers)
  written = true
  const seen = await reader
  const late = await read(site, token, () => true)
  t.diagnostic(`${acknowledged.length} acknowledged`)
  assert.ok(acknowledged.length >= WRITERS * BATCH)
  assert.deepEqual(
    acknowledged.filter(({ id, version }) => late.get(id) !== version).map(({ id }) => id),
    [],
    'acknowledged and lost, or given another version',
  )
  assert.deepEqual(Object.fromEntries(seen), Object.fromEntries(late), 'what the reader saw is not the final state')
  assert.equal(await site.end('SIGTERM'), 0)
  const database = new DatabaseSync(join(site.data, 'holdfast.db'), { readOnly: true })
  try {
    assert.deepEqual(
      database
        .prepare('PRAGMA integrity_check')
        .all()
        .map((row) => ({ ...row })),
      [{ integrity_check: 'ok' }],
    )
    const twice = database.prepare("SELECT entity_id FROM holdfast_changes WHERE action = 'content.create' GROUP BY entity_id HAVING count(*) > 1").all()
    assert.deepEqual(twice, [], 'applied twice')
  } finally {
    database.close()
  }
  const check = await site.holdfast('audit', 'verify', '--json')
  assert.equal(check.code, 0, check.out + check.err)
})
