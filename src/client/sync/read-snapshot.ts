import type { WireRecord } from '../../protocol/push.ts'
import * as clientLimits from '../client-limits.ts'
import type { SnapshotPlace, SyncRow } from '../settings.ts'
import { unanswered } from './failure.ts'
import { collectionsQuery, notHoldfast } from './reading.ts'
import { forgetUnreadable } from './lose-space.ts'
import { knownKept } from './reload.ts'
import type { SyncDeps } from './sync-deps.ts'
import { openRecords, takeRecords } from './take-records.ts'

interface SnapshotLine extends Partial<WireRecord> {
  readonly snapshot?: { readonly epoch: string; readonly version: number; readonly count: number; readonly unreadable?: readonly string[] }
  readonly cursor?: string
}

/** Reads the whole space as a stream. What has been applied is noted with it, so that a break goes on there. */
export async function readSnapshot(deps: SyncDeps, before: SyncRow): Promise<SyncRow> {
  const reader = new SnapshotReader(deps, before)
  const { after, began } = reader.place
  const query = new URLSearchParams({ ...collectionsQuery(deps), after: String(after), ...(after === 0 || began === undefined ? {} : { began: String(began) }) })
  const answer = await deps.server.open({ method: 'GET', path: `/snapshot?${query}`, accept: 'application/x-ndjson', signal: deps.signal })
  let done = false
  for await (const line of answer.lines()) {
    // Read to its end, the connection can serve the next request.
    if (line !== '' && !done) done = await reader.take(parseLine(line), line.length)
  }
  if (done) return reader.sync
  throw unanswered('unreachable', 'The first sync broke off; it goes on from where it was.')
}

class SnapshotReader {
  readonly #deps: SyncDeps
  #waiting: WireRecord[] = []
  #chars = 0
  sync: SyncRow
  place: SnapshotPlace

  constructor(deps: SyncDeps, sync: SyncRow) {
    this.#deps = deps
    this.sync = sync
    this.place = sync.snapshot ?? { after: 0, done: 0 }
  }

  /** True when the line was the last one. */
  async take(line: SnapshotLine, chars: number): Promise<boolean> {
    if (line.snapshot !== undefined) await this.#begin(line.snapshot)
    else if (typeof line.cursor === 'string') {
      await this.#apply(line.cursor)
      return true
    } else {
      this.#waiting.push(line as WireRecord)
      this.#chars += chars
      if (this.#waiting.length >= clientLimits.SNAPSHOT_RECORDS || this.#chars >= clientLimits.SNAPSHOT_CHARS) await this.#apply(undefined)
    }
    return false
  }

  /** A stream that goes on from where another broke must be of the same timeline and the same collections; otherwise it begins anew. */
  async #begin({ epoch, version, count, unreadable = [] }: NonNullable<SnapshotLine['snapshot']>): Promise<void> {
    const isOther = this.place.epoch !== epoch || unreadable.join() !== (this.sync.unreadable ?? []).join()
    if (this.place.after > 0 && isOther) {
      this.sync = await takeRecords(this.#deps, [], (sync) => ({ ...sync, snapshot: { after: 0, done: 0 }, sweep: true, reload: sync.reload + 1 }))
      throw unanswered('snapshot.changed', 'The server was restored, or the role changed, during the first sync; it begins anew.')
    }
    this.sync = await forgetUnreadable(this.#deps, unreadable)
    this.place = this.place.after === 0 ? { ...this.place, epoch, began: version, count } : { ...this.place, epoch, count: this.place.count ?? count }
    this.#report()
  }

  async #apply(cursor: string | undefined): Promise<void> {
    this.#deps.signal.throwIfAborted()
    const records = this.#waiting
    this.#waiting = []
    this.#chars = 0
    const opened = await openRecords(this.#deps, records)
    const after = records.reduce((highest, { version }) => Math.max(highest, version), this.place.after)
    this.place = { ...this.place, after, done: this.place.done + records.length }
    this.sync = await takeRecords(this.#deps, opened, (sync) => {
      const { snapshot: _before, ...kept } = sync
      const next = { ...kept, version: Math.max(sync.version, after), ...knownKept(sync, records) }
      return cursor === undefined ? { ...next, snapshot: this.place } : { ...next, cursor }
    })
    this.#report()
  }

  #report(): void {
    const { done, count } = this.place
    this.#deps.report({ phase: 'reading', done, total: count === undefined ? null : Math.max(count, done) })
  }
}

function parseLine(line: string): SnapshotLine {
  try {
    const parsed: unknown = JSON.parse(line)
    if (typeof parsed === 'object' && parsed !== null) return parsed
  } catch {
    // A line that was cut: the stream is broken.
  }
  throw notHoldfast()
}
