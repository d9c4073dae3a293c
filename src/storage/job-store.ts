import type { CompiledApp } from '../app/compile-app.ts'
import type { Scope, SpaceReader } from '../app/rule.ts'
import type { JobWrite } from '../jobs/define-job.ts'
import { LeaseLost } from '../jobs/job-failure.ts'
import type { ClaimedJob, EndResult, JobStore, PutBack } from '../jobs/job-store.ts'
import { jobScope } from '../jobs/job-scope.ts'
import type { CommitRequest, CommitResult } from './commit-request.ts'
import { createBatch } from './create-batch.ts'
import type { Database } from './database.ts'
import { claimJobs, lookForWork } from './job-claim.ts'
import { countBegan, endAllHeld, expiredJobs, expireLeases, extendLeases, noteProgress, putBackJob, type HeldEnd, type JobHold } from './job-lease.ts'
import { fireSchedule } from './job-schedules.ts'
import { sweepJobs } from './job-sweep.ts'
import { jobWriteRequest } from './job-write.ts'
import { findRecords, getRecord } from './read-records.ts'
import { sweepAnswers } from './stored-answer.ts'

export interface JobStoreDeps {
  readonly database: Database
  readonly apps: ReadonlyMap<string, { readonly app: CompiledApp }>
  readonly chance: { now(): number; id(): string }
  commit(scope: Scope, request: CommitRequest): Promise<CommitResult>
}

/** Keeps jobs in the platform's table. */
export function createJobStore(deps: JobStoreDeps): JobStore {
  const { database } = deps
  // Where the last claim of each kind stopped among the spaces, so that the next one goes on behind it.
  const turns = new Map<string, number>()
  // What becomes of jobs at the same time is one transaction, whether they end or wait again. Each is answered whether it was held.
  const settle = createBatch<Settlement, boolean>(BATCH_MAX, (settlements) =>
    database.write(async (tx) => {
      const [ended, waits] = await Promise.all([
        endAllHeld(
          tx,
          settlements.flatMap((settlement) => ('hold' in settlement ? [settlement.hold] : [])),
          deps.chance.now(),
        ),
        Promise.all(settlements.map(async (settlement) => 'wait' in settlement && putBackJob(tx, settlement.job, settlement.wait))),
      ])
      return settlements.map((settlement, index) => ('hold' in settlement ? ended.has(settlement.hold.id) : waits[index] === true))
    }),
  )
  return {
    look: (now) => database.read((reader) => lookForWork(reader, now)),
    claim: (claim) => database.write((tx) => claimJobs(tx, claim, turns)),
    expired: (now, limit) => database.read((reader) => expiredJobs(reader, now, limit)),
    expireHeld: (holder) => database.write((tx) => expireLeases(tx, holder)),
    began: (job, since) => database.write((tx) => countBegan(tx, job, since)),
    extend: (held, leaseUntil) => database.write((tx) => extendLeases(tx, held, leaseUntil)),
    progress: (job, progress) => database.write((tx) => noteProgress(tx, job, progress)),
    end: (job, { end: how, reason, write }) => {
      const hold = { space: job.space, id: job.id, lease: job.lease, ending: { end: how, reason } }
      // An end that writes nothing needs no lock on the space.
      return isEmpty(write) ? settle({ hold }).then((isEnded) => ({ kind: isEnded ? 'ended' : 'lost' })) : commitWrite(deps, job, { space: job.space, hold, write })
    },
    write: (job, space, write) => commitWrite(deps, job, { space, hold: { space: job.space, id: job.id, lease: job.lease }, write }),
    putBack: (job, wait) => settle({ job, wait }),
    records: (app, space) => spaceReader(deps, app, space),
    spaces: async (app, after, limit) => {
      const rows = await database.read((reader) =>
        reader.query.selectFrom('holdfast_spaces').select('space').where('app', '=', app).where('kind', '!=', 'server').where('space', '>', after).orderBy('space').limit(limit).execute(),
      )
      return rows.map(({ space }) => space)
    },
    fire: async (turn) => void (await database.write((tx) => fireSchedule(tx, turn, () => deps.chance.id()))),
    sweep: (now) => database.write(async (tx) => Math.max(await sweepJobs(tx, now), await sweepAnswers(tx, now))),
  }
}

/** Jobs settled in one transaction. */
const BATCH_MAX = 500

type Settlement = { readonly hold: HeldEnd } | { readonly job: ClaimedJob; readonly wait: PutBack }

function isEmpty({ mutations = [], jobs = [], stops = [] }: JobWrite): boolean {
  return mutations.length + jobs.length + stops.length === 0
}

interface HeldWrite {
  readonly space: number
  readonly hold: JobHold
  readonly write: JobWrite
}

async function commitWrite(deps: JobStoreDeps, job: ClaimedJob, { space, hold, write }: HeldWrite): Promise<EndResult> {
  try {
    const result = await deps.commit(jobScope(job, space), { ...jobWriteRequest(write), hold })
    const refused = result.outcomes.find(({ status }) => status === 'conflict' || status === 'rejected')
    return refused === undefined ? { kind: 'ended' } : { kind: 'refused', outcome: refused }
  } catch (error) {
    if (error instanceof LeaseLost) return { kind: 'lost' }
    throw error
  }
}

function spaceReader({ database, apps }: JobStoreDeps, appName: string, space: number): SpaceReader {
  const collectionOf = (name: string) => {
    const collection = apps.get(appName)?.app.collections.get(name)
    if (collection === undefined) throw new Error(`${appName} has no collection "${name}".`)
    return collection
  }
  return {
    get: (name, id) => database.read((reader) => getRecord(reader, collectionOf(name), space, id)),
    find: (name, filters, limit) => database.read((reader) => findRecords(reader, collectionOf(name), { space, filters, limit })),
  }
}
