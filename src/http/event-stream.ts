import type { FastifyRequest } from 'fastify'
import type { SpaceRole } from '../app/collection.ts'
import { limits } from '../protocol/limits.ts'
import { Problem } from '../protocol/problem.ts'
import { WaitingNews, type JobNews } from '../realtime/job-news.ts'
import { listJobs } from '../storage/job-list.ts'
import { scanLines } from '../storage/scan-lines.ts'
import { readSpaceState } from '../storage/space-state.ts'
import { findSpaceByKey, spacesOf } from '../storage/space-store.ts'
import { credentialsOf } from './credentials-of.ts'
import type { HttpContext } from './http-context.ts'
import { appOf, mayRead, readableNames } from './route-scope.ts'
import { wireJob } from './wire-job.ts'

/** A proxy closes what is silent; so does a phone network. */
const HEARTBEAT_MS = 25_000
/** Changes inside one event at most; their size is bounded as well. */
const CHANGES_MAX = 100

interface WatchedSpace {
  readonly id: string
  readonly role: SpaceRole
  /** Version of the newest record that the device was told of. */
  told: number
}

/**
 * The events of one device. Pokes that come while the device is slow to read are joined, so a stream holds one number per space
 * and no more. The right to each space is read from the database again before every event.
 */
export class EventStream {
  readonly #context: HttpContext
  readonly #request: FastifyRequest
  readonly #app: string
  readonly #spaces = new Map<number, WatchedSpace>()
  readonly #rung = new Set<number>()
  readonly #jobNews = new WaitingNews()
  readonly #stops: (() => void)[] = []
  #ended = false
  #checkRights = false
  #beat = false
  #wake: () => void = () => {}

  private constructor(context: HttpContext, request: FastifyRequest, app: string) {
    this.#context = context
    this.#request = request
    this.#app = app
  }

  /** Begins to listen before it reads where the spaces stand, so that nothing falls between. */
  static async open(context: HttpContext, request: FastifyRequest, app: string): Promise<EventStream> {
    const stream = new EventStream(context, request, app)
    const { doorbell } = context
    stream.#stops.push(
      doorbell.listen(
        ({ space }) => stream.#ring(space),
        () => stream.#spaces.keys(),
      ),
      doorbell.listenJobNews((news) => {
        if (stream.#spaces.has(news.space)) stream.#call(() => stream.#jobNews.add(news))
      }),
      doorbell.listenRevocations(() => stream.#call(() => (stream.#checkRights = true))),
    )
    const heartbeat = setInterval(() => stream.#call(() => (stream.#beat = true)), HEARTBEAT_MS)
    heartbeat.unref()
    stream.#stops.push(() => clearInterval(heartbeat))
    try {
      await stream.#readSpaces()
    } catch (error) {
      stream.end()
      throw error
    }
    return stream
  }

  /** Ends the stream; the device comes back when it can. */
  end(): void {
    this.#ended = true
    for (const stop of this.#stops.splice(0)) stop()
    this.#wake()
  }

  /** Texts of events, each when there is something to tell. */
  async *events(): AsyncGenerator<string> {
    try {
      const known = positions(this.#request.headers['last-event-id'])
      for (const [space, watched] of this.#spaces) watched.told = Math.min(watched.told, known.get(space) ?? watched.told)
      yield this.#eventText('ready', { spaces: [...this.#spaces.values()].map(({ id, told }) => ({ space: id, version: told })) })
      for (const space of known.keys()) this.#ring(space)
      while (!this.#ended) {
        if (!this.#hasWork()) await new Promise<void>((resolve) => (this.#wake = resolve))
        if (this.#ended) return
        yield* this.#tell()
      }
    } catch (error) {
      this.#request.log.info({ requestId: this.#request.id, reason: error instanceof Error ? error.message : 'unknown' }, 'event stream ended')
    } finally {
      this.end()
    }
  }

  async *#tell(): AsyncGenerator<string> {
    if (this.#beat || this.#checkRights) {
      // An ended session, key or membership throws here, and with it ends the stream.
      await this.#readSpaces()
      if (this.#beat) yield ': still here\n\n'
      this.#beat = false
      this.#checkRights = false
    }
    for (const space of Array.from(this.#rung)) {
      this.#rung.delete(space)
      const text = await this.#changeEvent(space)
      if (text !== undefined) yield text
    }
    for (const news of this.#jobNews.take()) {
      const text = await this.#jobEvent(news)
      if (text !== undefined) yield text
    }
  }

  async #changeEvent(space: number): Promise<string | undefined> {
    await this.#readSpaces()
    const watched = this.#spaces.get(space)
    if (watched === undefined) return undefined
    const { id, role, told } = watched
    const readable = [...appOf(this.#context, this.#app).collections.values()].filter((collection) => mayRead({ role }, collection))
    const news = await this.#context.database.read(async (reader) => {
      const { recordVersion } = await readSpaceState(reader, space)
      if (recordVersion <= told) return undefined
      const scan = { space, after: told, upTo: recordVersion, tombstonesAfter: 0, limit: CHANGES_MAX, bytesMax: limits.EVENT_BYTES_MAX, separator: ',', end: '' } as const
      return { to: recordVersion, ...(await scanLines(reader, readable, scan)) }
    })
    if (news === undefined) return undefined
    watched.told = news.to
    const isSmall = !news.more && news.json.byteLength <= limits.EVENT_BYTES_MAX
    const head = JSON.stringify({ space: id, from: told, to: news.to })
    return this.#eventText('change', isSmall ? `${head.slice(0, -1)},"changes":[${news.json.toString()}]}` : head)
  }

  /** The jobs as they stand now: what was told of one before may be told again. */
  async #jobEvent({ space, ids }: JobNews): Promise<string | undefined> {
    await this.#readSpaces()
    const watched = this.#spaces.get(space)
    if (watched === undefined) return undefined
    const { id, role } = watched
    if (ids === undefined) return this.#eventText('job', { space: id, more: true })
    const collections = readableNames(appOf(this.#context, this.#app), { role })
    const rows = await this.#context.database.read((reader) => listJobs(reader, { space, collections, states: undefined, kind: undefined, ids, before: undefined, limit: ids.length }))
    const definitions = this.#context.apps.get(this.#app)?.jobs
    return rows.length === 0 ? undefined : this.#eventText('job', { space: id, jobs: rows.map((row) => wireJob(definitions, row)) })
  }

  /** Reads again who asks and which spaces they may see. A space that was lost is told; one that is new is watched from now on. */
  async #readSpaces(): Promise<void> {
    const principal = await this.#context.authenticator.authenticate(credentialsOf(this.#request))
    const asked = (this.#request.query as { readonly space?: string }).space
    const seats = await this.#context.database.read(async (reader) => {
      const mine =
        principal.kind === 'key'
          ? [await findSpaceByKey(reader, principal.space)].flatMap((space) => (space === undefined || space.app !== this.#app ? [] : [{ ...space, role: principal.role }]))
          : await spacesOf(reader, this.#app, principal.userId)
      const wanted = asked === undefined ? mine : mine.filter(({ id }) => id === asked)
      const states = new Map<number, number>()
      for (const { space } of wanted) if (!this.#spaces.has(space)) states.set(space, (await readSpaceState(reader, space)).recordVersion)
      return wanted.map((space) => ({ space, recordVersion: states.get(space.space) ?? 0 }))
    })
    // Nothing would ever come of it again: its device learns that the space is lost by asking.
    if (asked !== undefined && seats.length === 0) throw new Problem('space.not_found')
    const seen = new Set(seats.map(({ space }) => space.space))
    for (const space of this.#spaces.keys()) if (!seen.has(space)) this.#spaces.delete(space)
    for (const { space, recordVersion } of seats) {
      const known = this.#spaces.get(space.space)
      this.#spaces.set(space.space, { id: space.id, role: space.role, told: known?.told ?? recordVersion })
    }
  }

  #hasWork(): boolean {
    return this.#rung.size > 0 || !this.#jobNews.isEmpty || this.#beat || this.#checkRights
  }

  #ring(space: number): void {
    if (this.#spaces.has(space)) this.#call(() => this.#rung.add(space))
  }

  #call(note: () => void): void {
    note()
    this.#wake()
  }

  /** Every event says where all spaces stand, so that the id of the last one is enough to go on from. */
  #eventText(name: string, data: object | string): string {
    const id = [...this.#spaces].map(([space, { told }]) => `${space}:${told}`).join(',')
    return `id: ${id}\nevent: ${name}\ndata: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
  }
}

/** Reads the positions out of an event's id. Whatever is not one is as if it had not been sent. */
function positions(lastEventId: unknown): ReadonlyMap<number, number> {
  if (typeof lastEventId !== 'string' || !/^\d{1,15}:\d{1,16}(,\d{1,15}:\d{1,16}){0,999}$/.test(lastEventId)) return new Map()
  return new Map(lastEventId.split(',').map((part) => part.split(':').map(Number) as [number, number]))
}
