import { setTimeout as delay } from 'node:timers/promises'
import type { PullResponse } from '../../src/protocol/pull.ts'
import type { PushResponse } from '../../src/protocol/push.ts'

/** What a client of these tests knows: where the servers are, which is any of them, and who it is. */
export interface Caller {
  /** Address of a server, another one with every call. */
  anyServer(): string
  readonly token: string
  /** Ends all asking when something else of the test has failed; its reason is then the error. */
  readonly signal: AbortSignal
}

export interface WrittenNote {
  readonly id: string
  readonly version: number
}

/** What a writer was told; every edit is told of once. */
export interface WriterLog {
  readonly name: string
  readonly notes: WrittenNote[]
  /** Seats that it won. */
  readonly seats: string[]
  /** Requests that got no answer, or that of a server in trouble. */
  failures: number
}

const RETRY_MS = 20

/** Writes notes of its own, and with each tries to take a seat that every other writer of the space wants too. Keeps asking until it is answered. */
export async function write(caller: Caller, name: string, { count, onAcknowledged }: { readonly count: number; onAcknowledged(): void }): Promise<WriterLog> {
  const log: WriterLog = { name, notes: [], seats: [], failures: 0 }
  for (let round = 1; round <= count; round += 1) {
    const n = round * 2 - 1
    const [note, seat] = [`note-${name}-${round}`, `seat-${round}`]
    const answer = await ask<PushResponse>(caller, log, '/api/v1/hall/push', {
      clientId: name,
      ackedThrough: n - 1,
      mutations: [
        { n, collection: 'notes', id: note, op: 'put', base: 0, data: { text: `${name} ${round}` } },
        { n: n + 1, collection: 'seats', id: seat, op: 'put', base: 0, data: { owner: name } },
      ],
    })
    const [written, taken] = answer.results
    if (written?.status !== 'applied' || written.version === undefined) throw new Error(`${note} was ${written?.status}.`)
    if (taken?.status !== 'applied' && taken?.status !== 'conflict') throw new Error(`${seat} was ${taken?.status}.`)
    log.notes.push({ id: note, version: written.version })
    if (taken.status === 'applied') log.seats.push(seat)
    onAcknowledged()
  }
  return log
}

/** What a reader saw, in the order in which it came. */
export interface ReaderLog {
  readonly changes: { readonly collection: string; readonly id: string; readonly version: number }[]
  failures: number
}

/** Reads the space page by page, from any server, until it has seen as many records as there will be. */
export async function read(caller: Caller, { records, limit }: { readonly records: number; readonly limit: number }): Promise<ReaderLog> {
  const log: ReaderLog = { changes: [], failures: 0 }
  for (let cursor = ''; log.changes.length < records;) {
    const page = await ask<PullResponse>(caller, log, `/api/v1/hall/pull?limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`)
    for (const { collection, id, version } of page.changes) log.changes.push({ collection, id, version })
    cursor = page.cursor
    if (page.changes.length === 0) await delay(RETRY_MS)
  }
  return log
}

/** Asks one server after the other until one answers. An answer that blames the request is an error of the test. */
async function ask<Answer>(caller: Caller, log: { failures: number }, path: string, body?: object): Promise<Answer> {
  for (;;) {
    caller.signal.throwIfAborted()
    const request = {
      headers: { authorization: `Bearer ${caller.token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    }
    const answer = await answered(`${caller.anyServer()}${path}`, request)
    if (answer?.status === 200) return JSON.parse(answer.text) as Answer
    if (answer !== undefined && answer.status < 500) throw new Error(`${path} answered ${answer.status}: ${answer.text}`)
    if (answer !== undefined && answer.status !== 503) throw new Error(`${path} answered ${answer.status}: ${answer.text}`)
    log.failures += 1
    await delay(RETRY_MS)
  }
}

async function answered(url: string, request: RequestInit): Promise<{ readonly status: number; readonly text: string } | undefined> {
  try {
    const response = await fetch(url, request)
    return { status: response.status, text: await response.text() }
  } catch {
    return undefined
  }
}
