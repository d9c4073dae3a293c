import { lanes, type JobDefinition, type JobDefinitions, type Lane } from './define-job.ts'
import { jobLimits } from './job-limits.ts'
import type { ClaimedJob, ClaimWish, Pool } from './job-store.ts'

/** A claimed job that waits for its place or has it. */
export interface PlacedJob {
  readonly job: ClaimedJob
  readonly definition: JobDefinition
}

interface Kind {
  readonly app: string
  readonly kind: string
  readonly definition: JobDefinition
  /** How many have a place of the lane. */
  running: number
  /** What its jobs took lately, in milliseconds; undefined before the first. */
  lastMs: number | undefined
}

/** The places of a process: who has one, who waits for one, and what a claim may bring. */
export class Places<Placed extends PlacedJob> {
  readonly #kinds = new Map<string, Kind>()
  readonly #free: Record<Pool, number>
  #waiting: Placed[] = []
  /** Which kind a claim begins with. */
  #turn = 0

  constructor(jobs: ReadonlyMap<string, JobDefinitions>, places: Readonly<Record<Lane, number>>) {
    this.#free = { ...places, alone: 1 }
    for (const [app, definitions] of jobs) {
      for (const [kind, definition] of Object.entries(definitions)) this.#kinds.set(keyOf({ app, kind }), { app, kind, definition, running: 0, lastMs: undefined })
    }
  }

  free(): Readonly<Record<Pool, number>> {
    return { ...this.#free }
  }

  /** Whether some kind has no place now, so that its jobs wait even though nobody claims them. */
  get isShort(): boolean {
    return this.#free.alone === 0 || lanes.some((lane) => this.#free[lane] === 0) || [...this.#kinds.values()].some(({ running, definition }) => running >= definition.concurrency)
  }

  /** Every kind that has a free place; each time begins with another, so that no kind is always first. */
  wishes(): ClaimWish[] {
    const wishes = [...this.#kinds.values()].flatMap((known): ClaimWish[] => {
      const { app, kind, running, definition } = known
      const attemptsMax = definition.attempts
      return [
        { app, kind, pool: definition.lane, count: definition.concurrency - running, ahead: aheadOf(known), attemptsMax },
        { app, kind, pool: 'alone', count: 1, ahead: 0, attemptsMax },
      ]
    })
    this.#turn += 1
    const first = wishes.length === 0 ? 0 : this.#turn % wishes.length
    return [...wishes.slice(first), ...wishes.slice(0, first)].filter(({ pool, count }) => count > 0 && this.#free[pool] > 0)
  }

  /** A claimed job waits for its place; one on its last attempt is not kept waiting by others. */
  wait(placed: Placed): void {
    if (isLast(placed)) this.#waiting.unshift(placed)
    else this.#waiting.push(placed)
  }

  /** Gives the next free place to the first that can have it. */
  take(): Placed | undefined {
    const index = this.#waiting.findIndex(({ job }) => this.#hasPlace(job))
    const [placed] = index === -1 ? [] : this.#waiting.splice(index, 1)
    if (placed !== undefined) this.#move(placed.job, 1)
    return placed
  }

  leave({ job }: Placed, tookMs: number): void {
    this.#move(job, -1)
    const known = this.#kindOf(job)
    known.lastMs = known.lastMs === undefined ? tookMs : known.lastMs + (tookMs - known.lastMs) * jobLimits.LAST_MS_SHARE
  }

  /** Takes out those that wait for a place and match. */
  release(matches: (placed: Placed) => boolean): readonly Placed[] {
    const released = this.#waiting.filter(matches)
    if (released.length > 0) this.#waiting = this.#waiting.filter((placed) => !matches(placed))
    return released
  }

  #hasPlace(job: ClaimedJob): boolean {
    if (job.alone) return this.#free.alone > 0
    const { running, definition } = this.#kindOf(job)
    return running < definition.concurrency && this.#free[definition.lane] > 0
  }

  #move(job: ClaimedJob, count: 1 | -1): void {
    if (job.alone) {
      this.#free.alone -= count
      return
    }
    const known = this.#kindOf(job)
    known.running += count
    this.#free[known.definition.lane] -= count
  }

  #kindOf(job: ClaimedJob): Kind {
    const known = this.#kinds.get(keyOf(job))
    if (known === undefined) throw new Error(`${job.app} has no jobs of the kind "${job.kind}".`)
    return known
  }
}

/** How many quick jobs are claimed beyond the free places: as many as begin soon, if they take as long as the last ones. */
function aheadOf({ definition, lastMs }: Kind): number {
  if (lastMs === undefined || definition.lane !== 'quick') return 0
  return Math.min(jobLimits.AHEAD_MAX, Math.floor((jobLimits.AHEAD_MS * definition.concurrency) / Math.max(lastMs, 1)))
}

function isLast({ job, definition }: PlacedJob): boolean {
  return job.attempts >= definition.attempts
}

function keyOf({ app, kind }: { readonly app: string; readonly kind: string }): string {
  return `${app}/${kind}`
}
