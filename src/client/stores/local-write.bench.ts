import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { diary } from '../diary-app.fixture.ts'
import { openTestDevice } from '../testing/open-test-client.ts'
import { nodeSqliteStore } from './node-sqlite.ts'

/** What a local write costs beside the raw insert of the same row with the same durability. Both in turn, best of several rounds. */
const WRITES = 400
const ROUNDS = 7

const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'))
const device = openTestDevice({ url: 'http://localhost', app: diary, transport: () => Promise.reject(new TypeError('no network')), store: nodeSqliteStore(join(folder, 'client.db')) })
device.network.setOnline(false)
const raw = new DatabaseSync(join(folder, 'raw.db'))
raw.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE records (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID')
const insert = raw.prepare('INSERT INTO records (key, value) VALUES (?, ?)')
const body = 'x'.repeat(300)

let count = 0
const best = { client: Number.POSITIVE_INFINITY, raw: Number.POSITIVE_INFINITY }
for (let round = 0; round < ROUNDS; round += 1) {
  const ids = Array.from({ length: WRITES }, () => `n${String((count += 1)).padStart(8, '0')}`)
  let start = performance.now()
  for (const id of ids) insert.run(`0/notes/${id}`, JSON.stringify({ version: 0, shown: { title: id, body, likes: 0, tags: [] } }))
  best.raw = Math.min(best.raw, (performance.now() - start) / WRITES)
  start = performance.now()
  for (const id of ids) await device.client.notes.put(id, { title: id, body })
  best.client = Math.min(best.client, (performance.now() - start) / WRITES)
}
process.stdout.write(`${JSON.stringify({ rawMs: best.raw, clientMs: best.client, ratio: best.client / best.raw })}\n`)
await device[Symbol.asyncDispose]()
raw.close()
await rm(folder, { recursive: true })
