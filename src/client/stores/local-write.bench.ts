import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { createClient } from '../client.ts'
import { diary } from '../diary-app.fixture.ts'
import { nodeSqliteStore } from './node-sqlite.ts'

/**
 * What a local write costs beside the raw insert of the same row with the same durability, on a device without network whose status is
 * kept. The loop of events turns behind
 * each write, so that timers run. Both in turn; the median of many short rounds.
 */
const WRITES = 100
const ROUNDS = 41

const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'))
const client = createClient({ url: 'http://localhost', app: diary, transport: () => Promise.reject(new TypeError('no network')), store: nodeSqliteStore(join(folder, 'client.db')) })
const raw = new DatabaseSync(join(folder, 'raw.db'))
raw.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE records (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID')
const insert = raw.prepare('INSERT INTO records (key, value) VALUES (?, ?)')
const body = 'x'.repeat(300)

let count = 0
const rounds: { readonly rawMs: number; readonly clientMs: number }[] = []
for (let round = 0; round < ROUNDS; round += 1) {
  const ids = Array.from({ length: WRITES }, () => `n${String((count += 1)).padStart(8, '0')}`)
  let start = performance.now()
  for (const id of ids) {
    insert.run(`0/notes/${id}`, JSON.stringify({ version: 0, shown: { title: id, body, likes: 0, tags: [] } }))
    await setImmediate()
  }
  const rawMs = (performance.now() - start) / WRITES
  start = performance.now()
  for (const id of ids) {
    await client.notes.put(id, { title: id, body })
    await setImmediate()
  }
  rounds.push({ rawMs, clientMs: (performance.now() - start) / WRITES })
}
const median = (values: readonly number[]): number => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0
process.stdout.write(
  `${JSON.stringify({ rawMs: median(rounds.map(({ rawMs }) => rawMs)), clientMs: median(rounds.map(({ clientMs }) => clientMs)), ratio: median(rounds.map(({ rawMs, clientMs }) => clientMs / rawMs)) })}\n`,
)
await client.close()
raw.close()
await rm(folder, { recursive: true })
