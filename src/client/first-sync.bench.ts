import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDiaryDevice, openDiaryServer } from './diary.fixture.ts'
import { nodeSqliteStore } from './stores/node-sqlite.ts'

/** A first sync into SQLite, and as many waiting edits sent: time, and how much the heap grows on the way. */
const RECORDS = Number(process.argv[2] ?? 100_000)
const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'))
const server = await openDiaryServer()

async function measured(name: string, work: () => Promise<unknown>): Promise<void> {
  const before = process.memoryUsage().heapUsed
  let most = 0
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().heapUsed - before)), 20)
  const start = performance.now()
  const outcome = await work()
  clearInterval(timer)
  process.stdout.write(`${JSON.stringify({ name, records: RECORDS, ms: Math.round(performance.now() - start), heapMostMib: Math.round(most / 1_048_576), outcome })}\n`)
}

const phone = await openDiaryDevice(server, 'a', { store: nodeSqliteStore(join(folder, 'a.db')) })
phone.network.setOnline(false)
await measured('write', async () => {
  for (let start = 0; start < RECORDS; start += 500) {
    await phone.client.transaction(async ({ notes }) => {
      for (let index = start; index < Math.min(start + 500, RECORDS); index += 1) await notes.put(`n${index}`, { title: `note ${index}`, body: 'x'.repeat(200) })
    })
  }
})
phone.network.setOnline(true)
await measured('send', async () => {
  const outcome = await phone.client.sync()
  phone.network.requests.length = 0
  return outcome
})
await phone.client.close()
const laptop = await openDiaryDevice(server, 'b', { store: nodeSqliteStore(join(folder, 'b.db')) })
await measured('first sync', () => laptop.client.sync())
await measured('list', async () => (await laptop.client.notes.list({ sort: '-title', limit: 10 })).length)
await laptop.client.close()
await server[Symbol.asyncDispose]()
await rm(folder, { recursive: true })
