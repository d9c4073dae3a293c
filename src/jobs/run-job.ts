import type { Chance } from '../lib/chance.ts'
import { chanceFraction } from '../lib/chance-fraction.ts'
import { backoffOf } from './backoff.ts'
import { checkOutcome } from './check-outcome.ts'
import type { Job, JobContext, JobDefinition, JobOutcome, JobWrite } from './define-job.ts'
import type { JobEvent } from './job-event.ts'
import { JobFailure, LeaseLost } from './job-failure.ts'
import { jobLimits } from './job-limits.ts'
import { jobScope } from './job-scope.ts'
import type { JobReason } from './job-state.ts'
import type { ClaimedJob, EndResult, JobStore } from './job-store.ts'
import { paceProgress } from './pace-progress.ts'
import { StopReason } from './stop-reason.ts'

export interface RunJobDeps {
  readonly store: JobStore
  readonly chance: Chance
  record(event: JobEvent): void
}

export interface ClaimedWork {
  readonly job: ClaimedJob
  readonly definition: JobDefinition
}

export interface Attempt extends ClaimedWork {
  readonly signal: AbortSignal
  /** Called when the job's code is through, before its end is stored: another may begin meanwhile. */
  onRan(): void
}

/** Runs one attempt of a claimed job, stores how it ended, and answers whether it waits again. Rejects only when that could not be stored: then the lease runs out. */
export async function runJob(deps: RunJobDeps, work: Attempt): Promise<boolean> {
  const { job, definition, signal } = work
  try {
    const outcome = await runUnlessStopped(signal, () => definition.run(jobView(job), contextOf(deps, job, signal))).finally(() => work.onRan())
    return await settle(deps, work, checkOutcome(outcome))
  } catch (error) {
    return giveUp(deps, work, error)
  }
}

/** The last time that there is, in epoch milliseconds (ECMAScript). */
const TIME_MS_MAX = 8.64e15

async function settle(deps: RunJobDeps, work: ClaimedWork, outcome: JobOutcome): Promise<boolean> {
  const { job } = work
  const { store, chance } = deps
  if (outcome.kind === 'later') {
    const now = chance.now()
    return store.putBack(job, { runAt: Math.ceil(Math.max(now, Math.min(outcome.runAt, TIME_MS_MAX))), now, reason: outcome.reason, refund: true, alone: false })
  }
  const result = await store.end(job, { end: outcome.kind, reason: outcome.reason, write: outcome.write ?? {} })
  if (result.kind === 'refused') throw refusedWrite(result)
  return false
}

/** What follows an attempt that was stopped or has failed. */
async function giveUp(deps: RunJobDeps, work: ClaimedWork, thrown: unknown): Promise<boolean> {
  const error = errorOf(thrown)
  if (error instanceof LeaseLost) return false
  if (error instanceof StopReason && error.why === 'gone') return false
  if (error instanceof StopReason && error.why === 'closing') return giveBack(deps, work.job)
  return failJob(deps, work, { failure: failureOf(error, work.definition), crashed: false })
}

/** Gives a job back as it was before it was claimed; answers whether it waits now. */
export function giveBack({ store, chance }: RunJobDeps, job: ClaimedJob): Promise<boolean> {
  const now = chance.now()
  return store.putBack(job, { runAt: now, now, reason: undefined, refund: true, alone: false })
}

/** Records a failed attempt: the job waits for the next one, or is dead when there is none. Answers whether it waits. */
export async function failJob(deps: RunJobDeps, work: ClaimedWork, { failure, crashed }: { readonly failure: JobFailure; readonly crashed: boolean }): Promise<boolean> {
  const { job, definition } = work
  const { attempts, backoffMs } = definition
  const reason = { code: failure.code, message: failure.message }
  const detail = { app: job.app, kind: job.kind, id: job.id, attempt: job.attempts, code: failure.code, message: failure.message.slice(0, jobLimits.REASON_MESSAGE_CHARS_MAX) }
  if (failure.final || job.attempts >= attempts) {
    deps.record({ action: 'jobs.dead', level: 'warn', detail })
    await bury(deps, work, reason)
    return false
  }
  const now = deps.chance.now()
  const wait = backoffOf({ attempts: job.attempts, backoffMs, afterMs: failure.afterMs, chance: chanceFraction(deps.chance) })
  deps.record({ action: 'jobs.failed', level: 'info', detail: { ...detail, waitMs: wait } })
  return deps.store.putBack(job, { runAt: now + wait, now, reason, refund: false, alone: crashed })
}

/** Ends the job for good with what its kind writes then. If even that is refused, the death alone is written: a job never lives on because of it. */
async function bury({ store, record }: RunJobDeps, { job, definition }: ClaimedWork, reason: JobReason): Promise<void> {
  const { attempt: attempts, ...view } = jobView(job)
  try {
    const result = await store.end(job, { end: 'dead', reason, write: definition.ended({ ...view, attempts, end: 'dead', reason }) })
    if (result.kind === 'refused') throw refusedWrite(result)
  } catch (error) {
    record({ action: 'jobs.end_refused', level: 'warn', detail: { app: job.app, kind: job.kind, id: job.id, message: String(error) } })
    await store.end(job, { end: 'dead', reason, write: {} })
  }
}

function jobView({ id, kind, payload, attempts, record, uniqueKey }: ClaimedJob): Job {
  return { id, kind, payload, attempt: attempts, record, uniqueKey }
}

function contextOf(deps: RunJobDeps, job: ClaimedJob, signal: AbortSignal): JobContext {
  const { store } = deps
  const inSpace = (space: number) => ({
    scope: jobScope(job, space),
    records: store.records(job.app, space),
    commit: async (write: JobWrite) => {
      // It is told to stop before the job is put back: what it would still write counts no more.
      if (signal.aborted) throw new LeaseLost()
      const result = await store.write(job, space, write)
      if (result.kind === 'lost') throw new LeaseLost()
      if (result.kind === 'refused') throw refusedWrite(result)
    },
  })
  return {
    ...inSpace(job.space),
    signal,
    now: () => deps.chance.now(),
    spaces: (after, limit) => store.spaces(job.app, after, Math.min(limit, jobLimits.SPACES_MAX)),
    inSpace,
    beganSince: (time) => store.began(job, time),
    progress: paceProgress(signal, async (progress) => {
      if (signal.aborted || !(await store.progress(job, progress))) throw new LeaseLost()
    }),
  }
}

/** The job's own end, or the reason why it was stopped; whatever it does after that goes nowhere. One that is stopped already does not begin. */
async function runUnlessStopped(signal: AbortSignal, run: () => Promise<JobOutcome>): Promise<JobOutcome> {
  signal.throwIfAborted()
  const stopped = Promise.withResolvers<never>()
  const stop = () => stopped.reject(signal.reason as Error)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([run(), stopped.promise])
  } catch (error) {
    // Once stopped, the job's own failure is but the echo.
    throw signal.aborted ? signal.reason : error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** What was thrown as an error with a text, whatever it was. */
function errorOf(thrown: unknown): Error {
  try {
    if (thrown instanceof Error && typeof thrown.message === 'string') return thrown
    return new Error(typeof thrown === 'object' ? JSON.stringify(thrown) : String(thrown))
  } catch {
    return new Error('It threw something that has no text.')
  }
}

function failureOf(error: Error, { timeoutMs }: JobDefinition): JobFailure {
  if (error instanceof JobFailure) return error
  if (error instanceof StopReason) return new JobFailure('timeout', `It took longer than ${timeoutMs} ms.`)
  return new JobFailure('error', error.message)
}

function refusedWrite({ outcome }: Extract<EndResult, { readonly kind: 'refused' }>): JobFailure {
  const what = outcome.status === 'rejected' ? `${outcome.error.code}: ${outcome.error.message}` : outcome.status
  return new JobFailure('write.refused', `What it would write is not accepted: ${what}`)
}
