import { setTimeout as delay } from 'node:timers/promises'
import { createClient } from '../../src/client/client.ts'
import { nodeSqliteStore } from '../../src/client/stores/node-sqlite.ts'
import { ledger, TALLY, wordsIn } from './ledger.ts'

/** A device of one person, as a process: it writes on until it is killed, or told to come to rest. What it says is heard before it goes on. */

export interface DeviceOrders {
  readonly url: string
  /** File of its store. */
  readonly path: string
  readonly account: 'p' | 'q'
  readonly email: string
  readonly password: string
  /** Makes words that no other start of a device makes. */
  readonly name: string
  /** Writes nothing, and answers `rested` when nothing waits and nothing is open. */
  readonly rest: boolean
}

export type DeviceNews =
  | { readonly kind: 'ready' }
  /** It is about to write the word, or to count where there is none. */
  | { readonly kind: 'asked'; readonly word: string | undefined }
  /** The device says that it has it. */
  | { readonly kind: 'kept'; readonly word: string | undefined }
  /** A person is about to decide against these words. */
  | { readonly kind: 'discarded'; readonly words: readonly string[] }
  | { readonly kind: 'rested'; readonly shown: Readonly<Record<string, unknown>>; readonly refused: number }
  | { readonly kind: 'failed'; readonly says: string }

const NOTES = 6
const PAUSE_MS_MAX = 40
const AGAIN_MS = 50
/** How long somebody looks at a conflict. */
const LOOK_MS_MAX = 400

const client = (orders: DeviceOrders) => createClient({ url: orders.url, app: ledger, store: nodeSqliteStore(orders.path) })
type LedgerClient = ReturnType<typeof client>

process.on('message', (orders: DeviceOrders) => {
  run(orders).catch((error: unknown) => tell({ kind: 'failed', says: error instanceof Error ? (error.stack ?? error.message) : String(error) }))
})

// Nobody hears of what is kept from then on.
process.once('disconnect', () => process.exit())

async function run(orders: DeviceOrders): Promise<void> {
  const device = client(orders)
  await signIn(device, orders)
  await tell({ kind: 'ready' })
  if (orders.rest) return rest(device)
  for (let n = 0; ; n += 1) {
    await edit(device, `${orders.account}.${orders.name}.${n.toString(36)};`)
    if (pick(5) === 0) void device.sync()
    if (pick(10) === 0) await decide(device)
    await delay(pick(PAUSE_MS_MAX))
  }
}

/** The account that works here is the one that is wanted; the server may be away meanwhile. */
async function signIn(device: LedgerClient, { email, password }: DeviceOrders): Promise<void> {
  while (device.status.get().signedIn === 'starting') await delay(1)
  const { user } = device.status.get()
  if (user?.email === email) return
  if (user !== null) await device.signOut()
  for (;;) {
    try {
      return await device.signIn({ email, password })
    } catch {
      await delay(AGAIN_MS)
    }
  }
}

/** What is written goes on from what is read in the same transaction: whoever overwrites a title keeps its words. */
async function edit(device: LedgerClient, word: string): Promise<void> {
  const id = `n${pick(NOTES)}`
  const kind = pick(5)
  if (kind === 0) {
    if ((await device.tallies.get(TALLY)) === undefined) return
    return say(undefined, () =>
      device.transaction(async ({ tallies }) => {
        const tally = await tallies.get(TALLY)
        await tallies.patch(TALLY, { count: (tally?.data.count ?? 0) + 1 })
      }),
    )
  }
  if (kind === 1) return say(word, () => device.entries.add({ text: word }))
  return say(word, () =>
    device.transaction(async ({ notes }) => {
      const note = (await notes.get(id))?.data
      if (note === undefined) await notes.put(id, { title: word })
      else await notes.patch(id, kind === 2 ? { title: `${note.title} ${word}` } : kind === 3 ? { body: `${note.body}\n${word}` } : { tags: [...note.tags, word] })
    }),
  )
}

async function say(word: string | undefined, write: () => Promise<void | string>): Promise<void> {
  await tell({ kind: 'asked', word })
  await write()
  await tell({ kind: 'kept', word })
}

/** Decides what is open, one way or the other. */
async function decide(device: LedgerClient): Promise<void> {
  for (const conflict of await device.conflicts.list()) {
    const choice = pick(2) === 0 ? 'mine' : 'theirs'
    const [stays, goes] = choice === 'mine' ? [conflict.mine, conflict.theirs] : [conflict.theirs, conflict.mine]
    const kept = new Set(wordsIn(JSON.stringify(stays)))
    await tell({ kind: 'discarded', words: wordsIn(JSON.stringify(goes)).filter((word) => !kept.has(word)) })
    await delay(pick(LOOK_MS_MAX))
    await device.conflicts.resolve(conflict, choice)
  }
}

async function rest(device: LedgerClient): Promise<void> {
  for (;;) {
    const { kind } = await device.sync()
    await decide(device)
    // What is shown may be a moment behind; the lists are not.
    const items = [...(await device.notes.list()), ...(await device.entries.list()), ...(await device.tallies.list())]
    if (kind === 'synced' && items.every(({ sync }) => sync === 'synced') && device.status.get().pending === 0) {
      const shown = Object.fromEntries(items.map(({ id, data }) => [id, data]))
      return tell({ kind: 'rested', shown, refused: (await device.rejected.list()).length })
    }
    await delay(AGAIN_MS)
  }
}

/** Resolves when the message has left: what a kill cuts off was never said. */
function tell(news: DeviceNews): Promise<void> {
  return new Promise((resolve) => process.send?.(news, () => resolve()))
}

function pick(below: number): number {
  return Math.floor(Math.random() * below)
}
