import { createClient, memoryStore } from 'holdfast/client'
import { notes } from './app.ts'

/** `node examples/quick-start/device.ts http://127.0.0.1:8787`: a device that writes before it has ever been online. */
const [url = 'http://127.0.0.1:8787', email = 'ada@example.org', password = 'correct horse'] = process.argv.slice(2)

const client = createClient({ url, app: notes, store: memoryStore() })
await client.register({ email, password }).catch(() => client.signIn({ email, password }))

const id = await client.notes.add({ title: 'Written at once', tags: ['first'] })
await client.notes.patch(id, { body: 'and sent when there is a network.' })
await client.sync()

for (const { data, sync } of await client.notes.list()) console.log(`${data.title} (${sync})`)
await client.close()
