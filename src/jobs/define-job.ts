import type { z } from 'zod'
import type { JobRequest, JobTarget } from '../app/job-request.ts'
import type { RuleMutation, Scope, SpaceReader } from '../app/rule.ts'
import type { JsonValue } from '../lib/json.ts'
import { JobFailure } from './job-failure.ts'
import { jobLimits } from './job-limits.ts'
import type { JobReason, JobSuccess } from './job-state.ts'

/** Each lane has places of its own, so that slow or bulk work never holds up quick work. */
export type Lane = 'quick' | 'slow' | 'bulk'
export const lanes: readonly Lane[] = ['quick', 'slow', 'bulk']

/** What a job writes: through the one write path, with the system's rights, and only while the job is the worker's. */
export interface JobWrite {
  /** All are accepted or none is. */
  readonly mutations?: readonly RuleMutation[]
  readonly jobs?: readonly JobRequest[]
  /** Jobs that are no longer wanted. */
  readonly stops?: readonly JobTarget[]
}

/** How an attempt ended that did not throw. `later` gives the attempt back and waits. */
export type JobOutcome = { readonly kind: JobSuccess; readonly reason?: JobReason; readonly write?: JobWrite } | { readonly kind: 'later'; readonly runAt: number; readonly reason?: JobReason }

/** The job as its code sees it. */
export interface Job<Payload = JsonValue> {
  readonly id: string
  readonly kind: string
  readonly payload: Payload
  /** The attempt under way, from 1. */
  readonly attempt: number
  readonly record: JobRequest['record']
  readonly uniqueKey: string | undefined
}

/** What a job may use while it runs. */
export interface JobContext {
  /** The system in the job's space. */
  readonly scope: Scope
  /** Aborted at the time limit, when the job is cancelled or lost, and when the process is told to stop. */
  readonly signal: AbortSignal
  /** Epoch milliseconds. */
  now(): number
  /** The space as committed. */
  readonly records: SpaceReader
  /** Keys of the app's spaces, ascending, from behind `after`: for work that goes through all of them. */
  spaces(after: number, limit: number): Promise<readonly number[]>
  /** The same worker in another space of the app. */
  inSpace(space: number): Pick<JobContext, 'scope' | 'records' | 'commit'>
  /** How many jobs of this kind have begun in the space since a time, with this one: what a limit for a time counts. What was put back by `later` has not begun. Asking counts as begun: the job's progress is 0. */
  beganSince(time: number): Promise<number>
  /** How far the job is, from 0 to 1, with a label for people. May be called for every step: a few times a second it is stored. */
  progress(fraction: number, label?: string): Promise<void>
  /** Writes before the job is over. Throws `LeaseLost` when the job is no longer this worker's, `JobFailure` when a write is refused. */
  commit(write: JobWrite): Promise<void>
}

/** A job that ended without success, for what must be written with that end. */
export interface EndedJob<Payload = JsonValue> extends Omit<Job<Payload>, 'attempt'> {
  readonly attempts: number
  readonly end: 'dead' | 'cancelled' | 'skipped'
  readonly reason: JobReason
}

export interface JobOptions<Payload> {
  readonly lane?: Lane
  /** How often it is tried before it is dead. */
  readonly attempts?: number
  /** Waits after the first, second… failed attempt, in milliseconds; the last repeats. Each is spread by up to a fifth. */
  readonly backoffMs?: readonly number[]
  /** Longest attempt, in milliseconds. */
  readonly timeoutMs?: number
  /** How many of this kind one process runs at once. */
  readonly concurrency?: number
  /** The collection whose records have this job as a step. */
  readonly collection?: string
  /** Runs by itself, once across all processes, in the app's server space. */
  readonly schedule?: JobSchedule
  /** What is written in the transaction in which the job dies, or is cancelled or skipped by a person. */
  readonly ended?: (job: EndedJob<Payload>) => JobWrite
  /** What is written in the transaction in which a person starts an ended job once more. */
  readonly retried?: (job: Omit<Job<Payload>, 'attempt'>) => JobWrite
}

export interface JobSchedule {
  /** Five or six fields, as cron has them. */
  readonly cron: string
  /** IANA name; UTC when absent. */
  readonly timezone?: string
  readonly payload: JsonValue
}

/** A kind of job with its options filled in. */
export interface JobDefinition extends Required<Pick<JobOptions<unknown>, 'lane' | 'attempts' | 'backoffMs' | 'timeoutMs' | 'concurrency'>> {
  readonly collection: string | undefined
  readonly schedule: JobSchedule | undefined
  run(job: Job, context: JobContext): Promise<JobOutcome>
  ended(job: EndedJob): JobWrite
  retried(job: Omit<Job, 'attempt'>): JobWrite
}

/** An app's kinds of jobs by name. */
export type JobDefinitions = Readonly<Record<string, JobDefinition>>

/**
 * Declares a kind of job. `schema` checks the payload before every attempt; one that does not fit is dead at once.
 * `run` may run more than once, in any process: what it returns to be written takes effect once.
 */
export function defineJob<Schema extends z.ZodType>(
  schema: Schema,
  run: (job: Job<z.infer<Schema>>, context: JobContext) => Promise<JobOutcome>,
  options: JobOptions<z.infer<Schema>> = {},
): JobDefinition {
  const parse = <AnyJob extends { readonly payload: JsonValue }>(job: AnyJob) => ({ ...job, payload: parsePayload(schema, job.payload) })
  // A job whose payload never was of this kind has nothing to write either.
  const fits = ({ payload }: { readonly payload: JsonValue }) => schema.safeParse(payload).success
  return {
    lane: options.lane ?? 'quick',
    attempts: options.attempts ?? jobLimits.ATTEMPTS_DEFAULT,
    backoffMs: options.backoffMs ?? jobLimits.BACKOFF_MS_DEFAULT,
    timeoutMs: options.timeoutMs ?? jobLimits.TIMEOUT_MS_DEFAULT,
    concurrency: options.concurrency ?? jobLimits.CONCURRENCY_DEFAULT,
    collection: options.collection,
    schedule: options.schedule,
    run: async (job, context) => run(parse(job), context),
    ended: (job) => (options.ended !== undefined && fits(job) ? options.ended(parse(job)) : {}),
    retried: (job) => (options.retried !== undefined && fits(job) ? options.retried(parse(job)) : {}),
  }
}

function parsePayload<Schema extends z.ZodType>(schema: Schema, payload: JsonValue): z.infer<Schema> {
  const parsed = schema.safeParse(payload)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new JobFailure('payload.invalid', `The payload is not valid: ${issue === undefined ? '' : `${issue.path.join('.')} ${issue.message}`}`, { final: true })
}
