import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { decodeMessage, encodeMessage } from './doorbell-message.ts'
import { createLocalDoorbell, type Doorbell, type JobCall, type Poke } from './doorbell.ts'
import { WaitingNews, type JobNews } from './job-news.ts'

export interface PostgresDoorbellOptions {
  /** How often the watched spaces are looked after, in milliseconds: the longest that a lost poke goes unnoticed. */
  readonly catchUpMs: number
  /** First and longest pause before the connection is made again, in milliseconds. */
  readonly reconnectMs: number
  readonly reconnectMsMax: number
  /** How long the server may take to answer, in milliseconds, before the connection counts as lost. */
  readonly answerMsMax: number
}

export const postgresDoorbellDefaults: PostgresDoorbellOptions = { catchUpMs: 10_000, reconnectMs: 100, reconnectMsMax: 5_000, answerMsMax: 5_000 }

/** A doorbell that all processes on one database hear. */
export interface PostgresDoorbell extends Doorbell, AsyncDisposable {
  /** Looks after the watched spaces now and rings for what was missed. */
  catchUp(): Promise<void>
}

const CHANNEL = 'holdfast'
/** Spaces asked for in one statement. */
const SPACES_MAX = 1_000
/** Spaces whose pokes wait while there is no connection. Beyond them the others' catching up has to do. */
const WAITING_MAX = 10_000

/**
 * Opens a doorbell over LISTEN and NOTIFY on a connection of its own. Pokes are sent after the commit and not inside it: a NOTIFY in
 * a transaction holds a lock of the whole database until that transaction is on disk, so that spaces would no longer be written in
 * parallel. What is lost with a process or connection between the two is made up for by `catchUp`.
 */
export async function openPostgresDoorbell(url: string, options: PostgresDoorbellOptions = postgresDoorbellDefaults): Promise<PostgresDoorbell> {
  const bell = new ListeningDoorbell(url, options)
  await bell.start()
  return bell
}

class ListeningDoorbell implements PostgresDoorbell {
  readonly #url: string
  readonly #options: PostgresDoorbellOptions
  readonly #jobNews = new WaitingNews()
  readonly #local = createLocalDoorbell((news) => {
    this.#jobNews.add(news)
    this.#send()
  })
  readonly #watchers = new Set<() => Iterable<number>>()
  /** Newest version that the listeners of a watched space know of. */
  readonly #heard = new Map<number, number>()
  readonly #waiting = new Map<number, Poke>()
  readonly #stop = new AbortController()
  #revoked = false
  /** Ids of stopped jobs that are to be told; undefined when there is nothing to tell about jobs. */
  #stopped: Set<string> | undefined
  #client: pg.Client | undefined
  #sending: Promise<void> | undefined
  #loop: Promise<void> | undefined

  constructor(url: string, options: PostgresDoorbellOptions) {
    this.#url = url
    this.#options = options
  }

  async start(): Promise<void> {
    const first = await this.#connect()
    this.#loop = this.#run(first)
  }

  ring(poke: Poke): void {
    this.#hear(poke)
    this.#wait(poke)
    this.#send()
  }

  listen(listener: (poke: Poke) => void, watched?: () => Iterable<number>): () => void {
    const stop = this.#local.listen(listener)
    if (watched !== undefined) this.#watchers.add(watched)
    return () => {
      stop()
      if (watched !== undefined) this.#watchers.delete(watched)
    }
  }

  revoke(): void {
    this.#local.revoke()
    this.#revoked = true
    this.#send()
  }

  listenRevocations(listener: () => void): () => void {
    return this.#local.listenRevocations(listener)
  }

  wakeJobs(call: JobCall): void {
    this.#local.wakeJobs(call)
    this.#waitJobs(call)
    this.#send()
  }

  listenJobs(listener: (call: JobCall) => void): () => void {
    return this.#local.listenJobs(listener)
  }

  tellJobs(news: JobNews): void {
    this.#local.tellJobs(news)
  }

  listenJobNews(listener: (news: JobNews) => void): () => void {
    return this.#local.listenJobNews(listener)
  }

  async catchUp(): Promise<void> {
    const client = this.#client
    if (client === undefined) return
    const watched = new Set([...this.#watchers].flatMap((spaces) => [...spaces()]))
    for (const space of this.#heard.keys()) if (!watched.has(space)) this.#heard.delete(space)
    const spaces = [...watched]
    // One empty question is asked in any case: a dead connection shows by its silence.
    for (let start = 0; start === 0 || start < spaces.length; start += SPACES_MAX) {
      const sql = 'SELECT space, record_version AS version FROM holdfast_spaces WHERE space = ANY($1::bigint[])'
      const { rows } = await client.query<{ space: string; version: string }>(sql, [spaces.slice(start, start + SPACES_MAX)])
      for (const row of rows) this.#miss(Number(row.space), Number(row.version))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#loop
  }

  /** Keeps listening: on one connection until it breaks, then on the next. */
  async #run(first: pg.Client): Promise<void> {
    const { signal } = this.#stop
    for (let client: pg.Client | undefined = first; client !== undefined; client = await this.#reconnect()) {
      // Closed while it was being made: left open it would keep the process from ending.
      if (signal.aborted) return client.end().catch(() => {})
      await this.#serve(client)
    }
  }

  /** Looks after the watched spaces in turn until the connection is lost. */
  async #serve(client: pg.Client): Promise<void> {
    const lost = new AbortController()
    client.once('end', () => lost.abort())
    const over = AbortSignal.any([lost.signal, this.#stop.signal])
    this.#client = client
    // Whatever was said while nobody listened.
    this.#local.revoke()
    this.#local.wakeJobs({ stopped: [] })
    this.#send()
    while (!over.aborted) {
      await this.catchUp().catch(() => lost.abort())
      await delay(this.#options.catchUpMs, undefined, { signal: over }).catch(() => {})
    }
    this.#client = undefined
    await this.#sending
    await client.end().catch(() => {})
  }

  async #reconnect(): Promise<pg.Client | undefined> {
    const { signal } = this.#stop
    const { reconnectMs, reconnectMsMax } = this.#options
    for (let pauseMs = reconnectMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, reconnectMsMax)) {
      const client = await this.#connect().catch(() => undefined)
      if (client !== undefined) return client
      await delay(pauseMs, undefined, { signal }).catch(() => {})
    }
    return undefined
  }

  async #connect(): Promise<pg.Client> {
    const { answerMsMax } = this.#options
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'holdfast doorbell',
      keepAlive: true,
      connectionTimeoutMillis: answerMsMax,
      query_timeout: answerMsMax,
      pipeline: true,
    })
    client.on('error', () => {})
    client.on('notification', ({ processId, payload }) => {
      // Own messages come back too; their listeners here have been called.
      if (processId !== processIdOf(client)) this.#receive(payload ?? '')
    })
    await client.connect()
    try {
      await client.query(`LISTEN ${CHANNEL}`)
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    }
    return client
  }

  #receive(payload: string): void {
    const message = decodeMessage(payload)
    if (message === undefined) return
    for (const poke of message.pokes) this.#hear(poke)
    if (message.revoked) this.#local.revoke()
    if (message.jobs !== undefined) this.#local.wakeJobs(message.jobs)
    for (const news of message.jobNews) this.#local.hearJobNews(news)
  }

  #hear(poke: Poke): void {
    const known = this.#heard.get(poke.space)
    if (known !== undefined && known < poke.to) this.#heard.set(poke.space, poke.to)
    this.#local.ring(poke)
  }

  /** Rings for a space that is further than anybody here was told. At first sight nobody knows what its listeners have. */
  #miss(space: number, version: number): void {
    const known = this.#heard.get(space)
    this.#heard.set(space, Math.max(known ?? 0, version))
    if (version > (known ?? 0)) this.#local.ring({ space, from: known ?? 0, to: version })
  }

  #wait(poke: Poke): void {
    const waiting = this.#waiting.get(poke.space)
    if (waiting === undefined && this.#waiting.size >= WAITING_MAX) return
    this.#waiting.set(poke.space, waiting === undefined ? poke : { ...poke, from: Math.min(waiting.from, poke.from), to: Math.max(waiting.to, poke.to) })
  }

  #waitJobs({ stopped }: JobCall): void {
    this.#stopped ??= new Set()
    for (const id of stopped) if (this.#stopped.size < WAITING_MAX) this.#stopped.add(id)
  }

  /** Sends what waits, one message at a time; what comes meanwhile goes together with the next. */
  #send(): void {
    const client = this.#client
    if (client === undefined || this.#sending !== undefined) return
    this.#sending = this.#sendWaiting(client).finally(() => {
      this.#sending = undefined
      if (this.#client !== undefined && (this.#waiting.size > 0 || this.#revoked || this.#stopped !== undefined || !this.#jobNews.isEmpty)) this.#send()
    })
  }

  async #sendWaiting(client: pg.Client): Promise<void> {
    const message = { pokes: [...this.#waiting.values()], revoked: this.#revoked, jobs: this.#stopped === undefined ? undefined : { stopped: [...this.#stopped] }, jobNews: this.#jobNews.take() }
    this.#waiting.clear()
    this.#revoked = false
    this.#stopped = undefined
    try {
      await client.query(`SELECT pg_notify('${CHANNEL}', message) FROM unnest($1::text[]) AS message`, [encodeMessage(message)])
    } catch {
      // The connection is gone, and it is said again on the next one: hearing it twice harms nobody.
      for (const poke of message.pokes) this.#wait(poke)
      if (message.jobs !== undefined) this.#waitJobs(message.jobs)
      for (const news of message.jobNews) this.#jobNews.add(news)
      this.#revoked ||= message.revoked
      if (this.#client === client) this.#client = undefined
      client.end().catch(() => {})
    }
  }
}

/** Number of the server's process for this connection; the driver has it, its types do not. */
function processIdOf(client: pg.Client): unknown {
  return 'processID' in client ? client.processID : undefined
}
