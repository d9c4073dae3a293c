import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SingleBar } from 'cli-progress'
import type { Transaction } from 'holdfast/client'
import type { journal } from '../../apps/journal/app.ts'
import { openDevice, settled, type Device } from './device.ts'
import { signInPlain } from './plain-program.ts'
import { journalId, linkId, readDiary, writtenAt, type DiaryEntry } from './read-diary.ts'
import { startServerProcess, type ServerProcess } from './server-process.ts'

/**
 * `npm run demo [diary.jsonl]`: a real diary goes from one device to another through a server that is killed on the way,
 * then both devices write in the same note. Both are the client on an SQLite file.
 */
const account = { email: 'samuel@example.org', password: 'a password for the demo' }
/** Edits of one local transaction; the server takes them together. */
const TOGETHER = 200

const diary = await readDiary(process.argv[2])
const folder = await mkdtemp(join(tmpdir(), 'holdfast-demo-'))
try {
  await using server = await startServerProcess(folder)
  await tell(server)
} finally {
  await rm(folder, { recursive: true })
}

async function tell(server: ServerProcess): Promise<void> {
  const { url } = server
  say(`${diary.entries.length} entries from ${diary.source}`)
  say(`A server of its own at ${url}, its data and both devices' in ${folder}`)
  await using phone = openDevice({ url, name: 'phone', folder })
  await using laptop = openDevice({ url, name: 'laptop', folder })
  const edits = editsOf(diary.entries)

  const writing = await timed(() => write(phone, edits))
  say(`The phone wrote ${edits.length} records on its own disk in ${seconds(writing.ms)} (${perSecond(edits.length, writing.ms)}), signed in nowhere.`)
  const upload = await timed(() => withBar('Phone uploads  ', edits.length, (step) => uploadThroughCrash(server, phone, step)))
  say(
    `The phone sent them in ${seconds(upload.ms)} (${perSecond(edits.length, upload.ms)}), although the server was killed and started half-way; ${phone.unanswered()} requests got no answer and were made again.`,
  )

  const download = await timed(() => withBar('Laptop reads   ', edits.length, (step) => firstSync(laptop, step)))
  say(`The laptop read ${edits.length} records in ${seconds(download.ms)} (${perSecond(edits.length, download.ms)}).`)
  await compare(edits, laptop)

  const long = longestEntry(diary.entries)
  await showMerge(phone, laptop, long)
  await showConflict(phone, laptop, long)
  await showPlainConflict(url, phone, long)
  say('Done. Nothing was lost.')
}

/** A record to write, and how. */
interface Edit {
  readonly collection: 'journals' | 'content' | 'associations'
  readonly id: string
  readonly data: Readonly<Record<string, unknown>>
  write(to: Transaction<typeof journal>): Promise<void>
}

/** Journals, notes, and links between them. */
function editsOf(entries: readonly DiaryEntry[]): Edit[] {
  const now = Date.now()
  const titles = [...new Set(entries.map((entry) => entry.journal))]
  const journals = titles.map((title): Edit => {
    const [id, data] = [journalId(title), { title, writtenAt: now, lastUpdated: now }]
    return { collection: 'journals', id, data, write: (to) => to.journals.put(id, data) }
  })
  const notes = entries.map((entry): Edit => {
    const [id, data] = [entry.id, { type: 'TEXT' as const, content: entry.text, writtenAt: writtenAt(entry), lastUpdated: now, entryDate: entry.date }]
    return { collection: 'content', id, data, write: (to) => to.content.put(id, data) }
  })
  const links = entries.map((entry): Edit => {
    const data = { journalId: journalId(entry.journal), contentId: entry.id, writtenAt: now }
    const id = linkId(data.journalId, data.contentId)
    return { collection: 'associations', id, data, write: (to) => to.associations.put(id, data) }
  })
  return [...journals, ...notes, ...links]
}

async function write({ client }: Device, edits: readonly Edit[]): Promise<void> {
  for (let start = 0; start < edits.length; start += TOGETHER) {
    await client.transaction(async (to) => {
      for (const edit of edits.slice(start, start + TOGETHER)) await edit.write(to)
    })
  }
}

/** What was written before anybody had signed in is sent for whoever does. The server dies under a push, when half of it is there. */
async function uploadThroughCrash(server: ServerProcess, phone: Device, step: (done: number) => void): Promise<void> {
  let crash: Promise<void> | undefined
  let half = false
  const stop = phone.client.onProgress(({ phase, done, total }) => {
    if (phase !== 'sending' || total === null) return
    step(done)
    half = done >= total / 2 || total <= 2 * TOGETHER
  })
  phone.beforePush = () => {
    if (half) crash ??= server.kill().then(() => server.start())
  }
  await phone.client.register({ ...account, device: { id: phone.name, name: phone.name } })
  await settled(phone)
  await crash
  stop()
  const refused = await phone.client.rejected.list()
  if (refused.length > 0) throw new Error(`${refused.length} records were refused: ${JSON.stringify(refused[0])}`)
}

async function firstSync(laptop: Device, step: (done: number) => void): Promise<void> {
  const stop = laptop.client.onProgress(({ done }) => step(done))
  await laptop.client.signIn({ ...account, device: { id: laptop.name, name: laptop.name } })
  await syncNow(laptop)
  stop()
}

/** Every field that the phone wrote stands on the laptop byte for byte. */
async function compare(edits: readonly Edit[], { client }: Device): Promise<void> {
  let bytes = 0
  for (const { collection, id, data } of edits) {
    const there: Readonly<Record<string, unknown>> = (await client[collection].get(id))?.data ?? {}
    for (const [name, value] of Object.entries(data)) {
      const [sent, got] = [Buffer.from(JSON.stringify(value)), Buffer.from(JSON.stringify(there[name] ?? null))]
      if (!sent.equals(got)) throw new Error(`${collection}/${id}.${name} differs on the laptop.`)
      bytes += sent.byteLength
    }
  }
  const lists = [await client.journals.list(), await client.content.list(), await client.associations.list()]
  const count = lists.reduce((sum, list) => sum + list.length, 0)
  if (count !== edits.length) throw new Error(`The laptop has ${count} records instead of ${edits.length}.`)
  say(`Compared ${edits.length} records, ${bytes.toLocaleString('en')} bytes: all equal.`)
}

async function showMerge(phone: Device, laptop: Device, { id }: DiaryEntry): Promise<void> {
  const lines = (await textOn(phone, id)).split('\n')
  await Promise.all([rewrite(phone, id, ['(Written on the phone.)', ...lines].join('\n')), rewrite(laptop, id, [...lines, '(Written on the laptop.)'].join('\n'))])
  for (const device of [phone, laptop, phone]) await syncNow(device)
  const [text, same] = [await textOn(laptop, id), await textOn(phone, id)]
  if (!text.startsWith('(Written on the phone.)') || !text.endsWith('(Written on the laptop.)') || text !== same) throw new Error(`Not merged: ${text}`)
  say(`Both wrote in ${id}, one at its beginning, one at its end: merged, both lines are there.`)
}

async function showConflict(phone: Device, laptop: Device, { id }: DiaryEntry): Promise<void> {
  const before = await textOn(phone, id)
  await Promise.all([rewrite(phone, id, `${before}\nThe phone's ending.`), rewrite(laptop, id, `${before}\nThe laptop's ending.`)])
  for (const device of [phone, laptop, phone]) await syncNow(device)
  const met = await Promise.all([phone, laptop].map(async (device) => ({ device, conflicts: await device.client.conflicts.list() })))
  const [asked] = met.filter(({ conflicts }) => conflicts.length === 1)
  const [conflict] = asked?.conflicts ?? []
  if (asked === undefined || conflict?.mine === null || conflict === undefined || conflict.theirs === null) throw new Error(`No conflict: ${JSON.stringify(met.map(({ conflicts }) => conflicts))}`)
  say(`Both changed the last line of ${id}: a conflict on the ${asked.device.name}, which has what was before, its own side and the other.`)
  const both = `${before}\nThe phone's ending.\nThe laptop's ending.`
  await asked.device.client.conflicts.resolve(conflict, { merged: { ...conflict.theirs, content: both } })
  for (const device of [asked.device, phone, laptop]) await syncNow(device)
  for (const device of [phone, laptop]) if ((await textOn(device, id)) !== both) throw new Error(`The choice did not reach the ${device.name}.`)
  say('A person kept both endings, and both devices show them.')
}

/** A program that knows an old version only is told so, and nothing of either side is lost. */
async function showPlainConflict(url: string, phone: Device, { id }: DiaryEntry): Promise<void> {
  const known = await phone.client.content.get(id)
  await rewrite(phone, id, `${known?.data.content ?? ''}\nOne more from the phone.`)
  await syncNow(phone)
  const program = await signInPlain(url, account)
  const text = `${known?.data.content ?? ''}\nOne more from a script.`
  const refused = await program.post<{ code: string; details: { reason: string }; conflictId: string; current: { serverVersion: number } }>(`/journal/sync/content/${id}`, {
    content: text,
    lastUpdated: Date.now(),
    clientLastKnownServerVersion: known?.version,
  })
  const { code, details, conflictId, current } = refused.body
  if (refused.status !== 409 || details.reason !== 'stale') throw new Error(`Not refused: ${JSON.stringify(refused)}`)
  say(`A script with an old version got ${refused.status} ${code} (${details.reason}) with the server's version ${current.serverVersion}; both sides are kept.`)
  const resolved = await program.post<{ version: number }>(`/api/v1/journal/conflicts/${conflictId}/resolve`, { resolution: 'merged', data: { content: `${text}\nOne more from the phone.` } })
  await syncNow(phone)
  if ((await textOn(phone, id)) !== `${text}\nOne more from the phone.`) throw new Error('The resolution did not reach the phone.')
  say(`It kept both; that is version ${resolved.body.version}, and the phone has it.`)
}

async function rewrite({ client }: Device, id: string, content: string): Promise<void> {
  await client.content.patch(id, { content, lastUpdated: Date.now() })
}

async function textOn({ client }: Device, id: string): Promise<string> {
  return (await client.content.get(id))?.data.content ?? ''
}

async function syncNow({ name, client }: Device): Promise<void> {
  const outcome = await client.sync()
  if (outcome.kind !== 'synced') throw new Error(`The ${name} did not sync: ${JSON.stringify(outcome)}`)
}

function longestEntry(entries: readonly DiaryEntry[]): DiaryEntry {
  return entries.reduce((longest, entry) => (entry.text.length > longest.text.length ? entry : longest))
}

async function withBar(title: string, total: number, work: (step: (done: number) => void) => Promise<void>): Promise<void> {
  const bar = new SingleBar({ format: `${title} {bar} {value}/{total}`, hideCursor: true, noTTYOutput: false })
  bar.start(total, 0)
  try {
    await work((done) => bar.update(done))
    bar.update(total)
  } finally {
    bar.stop()
  }
}

async function timed(work: () => Promise<void>): Promise<{ readonly ms: number }> {
  const started = performance.now()
  await work()
  return { ms: performance.now() - started }
}

function say(line: string): void {
  console.log(line)
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`
}

function perSecond(count: number, ms: number): string {
  return `${Math.round((count / ms) * 1_000).toLocaleString('en')}/s`
}
