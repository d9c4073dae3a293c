import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestServer } from '../testing/open-test-server.ts'
import { openDiaryDevice, openDiaryServer, settled } from './diary.fixture.ts'
import type { Progress } from './ports.ts'
import { nodeSqliteStore } from './stores/node-sqlite.ts'
import { refuseEvents } from './testing/open-test-client.ts'

interface PushBody {
  readonly mutations: readonly { readonly n: number; readonly id: string }[]
}

async function fill(server: TestServer, count: number): Promise<void> {
  const { headers } = await server.signIn('ada@example.org', 'filler')
  for (let start = 0; start < count; start += 1_000) {
    const mutations = Array.from({ length: Math.min(1_000, count - start) }, (_, index) => ({
      collection: 'notes',
      id: `n${start + index}`,
      op: 'put',
      base: 0,
      data: { title: `note ${start + index}` },
    }))
    const response = await fetch(`${server.url}/api/v1/diary/push`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ mutations }) })
    assert.equal(response.status, 200)
    await response.arrayBuffer()
  }
}

async function inFolder(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bulk-'))
  try {
    await work(join(folder, 'device.db'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('SDK-35 JRN-66 Ten thousand waiting edits go in bounded batches with progress; an interruption sends nothing again that was acknowledged', () =>
  inFolder(async (path) => {
    await using server = await openDiaryServer()
    await using phone = await openDiaryDevice(server, 'a', { store: nodeSqliteStore(path) })
    phone.network.setOnline(false)
    for (let start = 0; start < 10_000; start += 500) {
      await phone.client.transaction(async ({ notes }) => {
        for (let index = start; index < start + 499; index += 1) await notes.put(`n${index}`, { title: `note ${index}`, body: 'x'.repeat(200) })
      })
      await phone.client.notes.put(`n${start + 499}`, { title: 'alone', body: 'é'.repeat(50_000) })
    }
    const progress: Progress[] = []
    phone.client.onProgress((one) => progress.push(one))
    let pushes = 0
    phone.network.fault = (request) => {
      if (request.url.includes('/push')) pushes += 1
      return request.url.includes('/push') && pushes === 8 ? { kind: 'unreachable' } : refuseEvents(request)
    }
    phone.network.setOnline(true)
    assert.equal((await phone.client.sync()).kind, 'failed')
    await phone.restart({ store: nodeSqliteStore(path) })
    assert.deepEqual(await phone.client.sync(), { kind: 'synced' })
    await settled(() => phone.client.status.get().pending === 0 && phone.client.status.get().lastSuccessAt !== null)
    const bodies = phone.network.requests.filter(({ url }) => url.includes('/push')).map(({ body = '' }) => body)
    const sent = bodies.map((body) => (JSON.parse(body) as PushBody).mutations)
    assert.ok(sent.every((mutations) => mutations.length <= 500))
    assert.ok(bodies.every((body) => Buffer.byteLength(body) <= 1_048_576 + 1_000))
    const failed = sent[7] ?? []
    const numbers = sent.flat().map(({ n }) => n)
    assert.equal(numbers.length - failed.length, 10_000)
    assert.equal(new Set(numbers).size, 10_000)
    const sending = progress.filter(({ phase }) => phase === 'sending')
    assert.ok(sending.length >= 7 && sending.every(({ total }) => total === 10_000))
    const [row] = await server.database.read((reader) => reader.all<{ count: number }>('SELECT count(*) AS count FROM diary_notes'))
    assert.equal(Number(row?.count), 10_000)
  }))

test('SDK-36 A first sync is read as a stream with progress and goes on after a kill where it was', () =>
  inFolder(async (path) => {
    await using server = await openDiaryServer()
    await using phone = await openDiaryDevice(server, 'a', { store: nodeSqliteStore(path) })
    await settled(() => phone.client.status.get().lastSuccessAt !== null)
    await phone.client.close()
    await fill(server, 8_000)
    await using laptop = await openDiaryDevice(server, 'b', { store: nodeSqliteStore(`${path}-2`) })
    laptop.network.fault = (request) => (request.url.includes('/snapshot') ? { kind: 'cut', bytes: 1_000_000 } : refuseEvents(request))
    assert.equal((await laptop.client.sync()).kind, 'failed')
    const before = (await laptop.client.notes.list()).length
    assert.ok(before >= 1_000 && before < 8_000, `${before} records were kept`)
    // Long ago something was purged, behind what was read so far: that is nothing to a first sync.
    const place = `SELECT space, 'notes', version FROM holdfast_spaces WHERE app = 'diary'`
    await server.database.write((tx) => tx.run(`INSERT INTO holdfast_horizons (space, collection, version) ${place}`))
    // What changes while the first sync is broken: one record that was read, and one that was not.
    const { headers } = await server.signIn('ada@example.org', 'filler')
    const versions = await laptop.client.notes.get('n1')
    const mutations = [
      { collection: 'notes', id: 'n1', op: 'delete', base: versions?.version },
      { collection: 'notes', id: 'n2', op: 'patch', base: (await laptop.client.notes.get('n2'))?.version, data: { title: 'changed' } },
    ]
    await fetch(`${server.url}/api/v1/diary/push`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ mutations }) })
    await laptop.restart({ store: nodeSqliteStore(`${path}-2`) })
    laptop.network.fault = refuseEvents
    const progress: Progress[] = []
    laptop.client.onProgress((one) => progress.push(one))
    laptop.network.requests.length = 0
    assert.deepEqual(await laptop.client.sync(), { kind: 'synced' })
    const asked = laptop.network.requests.filter(({ url }) => url.includes('/snapshot')).map(({ url }) => new URL(url).searchParams.get('after'))
    assert.equal(asked.length, 1, 'it does not begin anew')
    assert.ok(Number(asked[0]) > 0)
    assert.ok((progress[0]?.done ?? 0) >= before)
    assert.ok(progress.every(({ total }) => total === null || total >= 8_000))
    const notes = await laptop.client.notes.list()
    assert.equal(notes.length, 7_999)
    assert.equal((await laptop.client.notes.get('n2'))?.data.title, 'changed')
  }))
