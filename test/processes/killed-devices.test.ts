import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { PullResponse } from '../../src/protocol/pull.ts'
import { verifyChain } from '../../src/storage/verify-chain.ts'
import { openTestDatabase } from '../../src/testing/open-test-database.ts'
import type { DeviceNews, DeviceOrders } from './ledger-device.ts'
import { TALLY, wordsIn } from './ledger.ts'
import { startServerProcess } from './server-process.ts'

/** Scaled by the environment; small by default. */
const KILLS = Number(process.env['HOLDFAST_TEST_KILLS'] ?? 8)
const DEVICES = Number(process.env['HOLDFAST_TEST_WRITERS'] ?? 4)
const SEED = Number(process.env['HOLDFAST_TEST_SEED'] ?? 20_261_126)
/** Longest time between two kills, in milliseconds. */
const LIFE_MS_MAX = 700
const AGAIN_MS = 30
const PASSWORD = 'correct horse'
const accounts = ['p', 'q'] as const
type Account = (typeof accounts)[number]

const program = fileURLToPath(new URL('ledger-device.ts', import.meta.url))

/** What people were told of the edits of one account. */
class Book {
  readonly kept = new Set<string>()
  readonly discarded = new Set<string>()
  /** Counts that a device has, and those that it died over. */
  readonly counts = { kept: 0, asked: 0 }

  hear(news: DeviceNews): void {
    if (news.kind === 'discarded') for (const word of news.words) this.discarded.add(word)
    if (news.kind !== 'asked' && news.kind !== 'kept') return
    if (news.word === undefined) this.counts[news.kind] += 1
    else if (news.kind === 'kept') this.kept.add(news.word)
  }
}

type Rested = Extract<DeviceNews, { readonly kind: 'rested' }>

/** One device: a file that stays, and processes on it that come and go. */
class Device {
  readonly #path: string
  readonly #url: string
  readonly #books: Readonly<Record<Account, Book>>
  readonly #index: number
  #starts = 0
  #child: ChildProcess | undefined

  constructor(place: { readonly path: string; readonly url: string; readonly books: Readonly<Record<Account, Book>>; readonly index: number }) {
    this.#path = place.path
    this.#url = place.url
    this.#books = place.books
    this.#index = place.index
  }

  /** Starts it for an account. Resolves when nobody writes on it any more, with what it shows if it was to rest. */
  start(account: Account, { rest }: { readonly rest: boolean }): Promise<Rested | undefined> {
    const child = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#child = child
    this.#starts += 1
    const orders: DeviceOrders = { url: this.#url, path: this.#path, account, email: `${account}@example.org`, password: PASSWORD, name: `${this.#index}x${this.#starts}`, rest }
    child.send(orders)
    return new Promise((resolve, reject) => {
      child.on('message', (news: DeviceNews) => {
        this.#books[account].hear(news)
        if (news.kind === 'failed') reject(new Error(`Device ${this.#index}: ${news.says}`))
        if (news.kind === 'rested') resolve(news)
      })
      child.once('exit', (code) => (code === null ? resolve(undefined) : reject(new Error(`Device ${this.#index} ended with ${code}.`))))
    })
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    // What it said is read to the end.
    const closed = once(child, 'close')
    child.kill('SIGKILL')
    await closed
  }
}

/** Asks until somebody answers. */
async function ask<Answer>(url: string, init: RequestInit): Promise<Answer> {
  for (;;) {
    const answer = await fetch(url, init).catch(() => undefined)
    if (answer !== undefined && answer.status < 500) {
      const text = await answer.text().catch(() => undefined)
      if (text !== undefined) {
        assert.equal(answer.status, 200, text)
        return JSON.parse(text) as Answer
      }
    }
    await delay(AGAIN_MS)
  }
}

/** Reads on from its cursor through all that happens, in the order of versions, until it is told to stop and has everything. */
async function read(url: string, token: string, stopped: () => boolean): Promise<Record<string, unknown>> {
  const seen: Record<string, unknown> = {}
  for (let [cursor, last] = ['', 0]; ;) {
    const wasStopped = stopped()
    const page = await ask<PullResponse>(`${url}/api/v1/ledger/pull?limit=23${cursor === '' ? '' : `&cursor=${cursor}`}`, { headers: { authorization: `Bearer ${token}` } })
    for (const { id, version, data } of page.changes) {
      assert.ok(version > last, `version ${version} came behind ${last}`)
      last = version
      seen[id] = data
    }
    cursor = page.cursor
    if (wasStopped && !page.more) return seen
    if (!page.more) await delay(AGAIN_MS)
  }
}

test(
  'SIM-9 Server and devices are killed again and again while people write: no edit is lost or doubled, nobody sees words of others, and all end with the same',
  { timeout: 3_600_000 },
  async (t) => {
    t.diagnostic(`${KILLS} kills, ${DEVICES} devices, seed ${SEED}`)
    await using opened = await openTestDatabase()
    const onPostgres = opened.location.startsWith('postgres')
    await using server = await startServerProcess({ app: 'ledger', dataFolder: opened.folder, ...(onPostgres ? { databaseUrl: opened.location } : {}) })
    const { url } = server
    const json = { 'content-type': 'application/json' }
    const tokens = {} as Record<Account, string>
    for (const account of accounts) {
      const registered = await fetch(`${url}/api/v1/auth/register`, { method: 'POST', headers: json, body: JSON.stringify({ email: `${account}@example.org`, password: PASSWORD }) })
      tokens[account] = ((await registered.json()) as { accessToken: string }).accessToken
      const tally = { n: 1, collection: 'tallies', id: TALLY, op: 'put', base: 0, data: {} }
      await ask(`${url}/api/v1/ledger/push`, {
        method: 'POST',
        headers: { ...json, authorization: `Bearer ${tokens[account]}` },
        body: JSON.stringify({ clientId: 'first', ackedThrough: 0, mutations: [tally] }),
      })
    }

    const books = { p: new Book(), q: new Book() }
    const devices = Array.from({ length: DEVICES }, (_, index) => new Device({ path: join(opened.folder, `device-${index}.db`), url, books, index }))
    let stopped = false
    const readers = accounts.map((account) => read(url, tokens[account], () => stopped))
    let state = SEED
    const pick = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((state / 2_147_483_648) * below)
    }
    /** Devices of one account each, and the last of whoever comes. */
    const nextAt = (index: number): Account => (index === DEVICES - 1 ? accounts[pick(2)] : accounts[index % 2]) ?? 'p'
    const failures: unknown[] = []
    const begin = (device: Device, index: number) => void device.start(nextAt(index), { rest: false }).catch((error: unknown) => failures.push(error))
    for (const [index, device] of devices.entries()) begin(device, index)
    // The first have something to lose.
    while (accounts.some((account) => books[account].kept.size === 0) && failures.length === 0) await delay(AGAIN_MS)
    for (let kill = 0; kill < KILLS && failures.length === 0; kill += 1) {
      await delay(50 + pick(LIFE_MS_MAX))
      const index = pick(DEVICES * 2)
      const device = devices[index]
      if (device === undefined) {
        await server.kill()
        await server.start()
      } else {
        await device.kill()
        begin(device, index)
      }
    }
    for (const device of devices) await device.kill()
    assert.deepEqual(failures, [])

    // Twice: what one decides the others must hear of.
    const shown = new Map<Account, (Rested | undefined)[]>()
    for (let round = 0; round < 2; round += 1) {
      for (const account of accounts) {
        const theirs = devices.filter((_, index) => index === DEVICES - 1 || accounts[index % 2] === account)
        const rested = await Promise.all(theirs.map((device) => device.start(account, { rest: true })))
        for (const device of theirs) await device.kill()
        shown.set(account, rested)
      }
    }
    stopped = true
    const readOn = await Promise.all(readers)

    const spaces = await opened.database.read((reader) => reader.all<{ space: number }>("SELECT space FROM holdfast_spaces WHERE app = 'ledger' ORDER BY space"))
    for (const [index, account] of accounts.entries()) {
      const stored = await read(url, tokens[account], () => true)
      const text = JSON.stringify(stored)
      const book = books[account]
      t.diagnostic(`${account}: ${book.kept.size} words kept, ${book.discarded.size} decided against, ${book.counts.kept} counts`)
      const there = new Set(wordsIn(text))
      for (const rested of shown.get(account) ?? []) assert.deepEqual(rested, { kind: 'rested', shown: stored, refused: 0 })
      assert.deepEqual(
        [...book.kept].filter((word) => !there.has(word) && !book.discarded.has(word)),
        [],
        `${account}: kept and lost`,
      )
      assert.deepEqual(
        [...there].filter((word) => !word.startsWith(account)),
        [],
        `${account} has words of somebody else`,
      )
      for (const { body = '', tags = [] } of Object.values(stored) as { body?: string; tags?: string[] }[]) {
        for (const words of [wordsIn(body), tags]) assert.equal(new Set(words).size, words.length, `${account}: a line or a tag stands twice: ${words.join(' ')}`)
      }
      const { count } = stored[TALLY] as { count: number }
      assert.ok(count >= book.counts.kept && count <= book.counts.asked, `${account} counted ${book.counts.kept} to ${book.counts.asked} times; the tally says ${count}`)
      assert.deepEqual(readOn[index], stored, `${account}: who read on through all the kills has something else`)
      const chain = await verifyChain(opened.database, spaces[index]?.space ?? 0)
      assert.equal(chain.kind, 'intact', JSON.stringify(chain))
    }
    const twice = await opened.database.read((reader) => reader.all("SELECT entity_id FROM holdfast_changes WHERE action = 'entries.create' GROUP BY space, entity_id HAVING count(*) > 1"))
    assert.deepEqual(twice, [], 'applied twice')
  },
)
