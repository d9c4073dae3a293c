import { TEST_PASSWORD } from '../testing/open-test-server.ts'
import { createClient } from './client.ts'
import { diary } from './diary-app.fixture.ts'
import { nodeSqliteStore } from './stores/node-sqlite.ts'

/** A device in a process of its own: writes so many notes of so many bytes, then syncs. Says how far it is, and at its end how it went. */
const [url = '', path = '', count = '0', bytes = '0'] = process.argv.slice(2)
/** Edits of one local transaction. */
const TOGETHER = 20
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

await using client = createClient({ url, app: diary, store: nodeSqliteStore(path) })
for (let start = 0; start < Number(count); start += TOGETHER) {
  await client.transaction(async ({ notes }) => {
    for (let index = start; index < Math.min(start + TOGETHER, Number(count)); index += 1) await notes.put(`n${index}`, { title: `note ${index}`, body: String(index % 10).repeat(Number(bytes)) })
  })
}
client.onProgress(say)
await client.signIn({ email: 'ada@example.org', password: TEST_PASSWORD })
say({ outcome: await client.sync() })
