import type { JobRequest } from '../app/job-request.ts'
import type { SpaceReader } from '../app/rule.ts'
import type { Outcome } from '../engine/mutation.ts'
import type { JsonValue } from '../lib/json.ts'
import type { JobWrite, Lane } from './define-job.ts'
import type { JobEnd, JobReason } from './job-state.ts'

/** A job leased to a worker. `lease` is new with every claim: who does not hold the current one cannot write. */
export interface ClaimedJob {
  readonly id: string
  readonly app: string
  readonly space: number
  readonly kind: string
  readonly payload: JsonValue
  readonly record: JobRequest['record']
  readonly uniqueKey: string | undefined
  /** A worker died under it once, so it runs beside no other such job. */
  readonly alone: boolean
  /** Attempts so far; the one that the claim begins counts. */
  readonly attempts: number
  readonly lease: string
}

/** A running job whose lease has run out. */
export interface ExpiredJob {
  readonly job: ClaimedJob
  readonly leaseUntil: number
}

/** Jobs whose worker died under them have a pool of their own with one place; all others share their lane's. */
export type Pool = Lane | 'alone'

/** What a worker would take, in this order. */
export interface ClaimWish {
  readonly app: string
  readonly kind: string
  readonly pool: Pool
  /** At most this many, and no more than the pool has places. */
  readonly count: number
  /** So many more that wait in the process for a place: not on their last attempt, which a crash there would take from them. */
  readonly ahead: number
  /** Attempts that the kind allows. */
  readonly attemptsMax: number
}

export interface Claim {
  readonly wishes: readonly ClaimWish[]
  readonly places: Readonly<Record<Pool, number>>
  /** The time of some has come that waited for it. */
  readonly promotes: boolean
  readonly lease: string
  readonly now: number
  readonly leaseUntil: number
}

/** What a look has found. */
export interface WaitingWork {
  /** Jobs wait for a place. */
  readonly ready: boolean
  /** Running jobs whose lease has run out. */
  readonly expired: boolean
  /** When the next job comes due that waits for its time; undefined when none does. */
  readonly nextAt: number | undefined
}

export interface JobEnding {
  readonly end: JobEnd
  readonly reason: JobReason | undefined
  readonly write: JobWrite
}

/** What became of an ending. `lost`: the lease was no longer held; `refused`: a write was not accepted and nothing was stored. */
export type EndResult = { readonly kind: 'ended' } | { readonly kind: 'lost' } | { readonly kind: 'refused'; readonly outcome: Outcome }

/** The port to where jobs are kept. */
export interface JobStore {
  /** One cheap look, without a lock. */
  look(now: number): Promise<WaitingWork>
  /** Takes due jobs in turn of their spaces, counts the attempt, and leases them. Durable before it resolves. */
  claim(claim: Claim): Promise<readonly ClaimedJob[]>
  /** Running jobs whose lease has run out by the caller's clock. */
  expired(now: number, limit: number): Promise<readonly ExpiredJob[]>
  /** Lets all leases be over that begin so. */
  expireHeld(holder: string): Promise<void>
  /** How many jobs of the job's kind have begun in its space since a time, with the job: of those that ask together, in any processes, one is the first. Throws `LeaseLost` when the lease is not held. */
  began(job: ClaimedJob, since: number): Promise<number>
  /** Renews leases and answers which of them are still held. */
  extend(held: readonly ClaimedJob[], leaseUntil: number): Promise<ReadonlySet<string>>
  /** False when the lease is not held. */
  progress(job: ClaimedJob, progress: { readonly fraction: number; readonly label: string | undefined }): Promise<boolean>
  /** Ends the job and writes what belongs to its end, in one transaction. */
  end(job: ClaimedJob, ending: JobEnding): Promise<EndResult>
  /** Writes while the job goes on. */
  write(job: ClaimedJob, space: number, write: JobWrite): Promise<EndResult>
  /** Puts the job back. `refund` gives the attempt back; `alone` runs it beside no other such job. False when the lease is not held. */
  putBack(job: ClaimedJob, wait: PutBack): Promise<boolean>
  records(app: string, space: number): SpaceReader
  spaces(app: string, after: number, limit: number): Promise<readonly number[]>
  /** Takes a schedule's turn if it is due and adds its job; of several processes one does. */
  fire(turn: ScheduleTurn): Promise<void>
  /** Removes ended jobs and stored answers that have been kept long enough, in a batch; answers how many of the kind that had most went. */
  sweep(now: number): Promise<number>
}

export interface PutBack {
  readonly runAt: number
  readonly now: number
  readonly reason: JobReason | undefined
  readonly refund: boolean
  /** From now on it runs beside no other such job. */
  readonly alone: boolean
}

export interface ScheduleTurn {
  readonly app: string
  readonly kind: string
  /** What identifies the schedule: a changed one begins anew. */
  readonly schedule: string
  readonly payload: JsonValue
  readonly now: number
  /** The turn after a time. */
  next(after: number): number | undefined
}
