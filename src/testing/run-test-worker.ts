import { randomBytes } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import type { Scope } from '../app/rule.ts'
import { defineJob, type JobDefinitions } from '../jobs/define-job.ts'
import { JobRunner } from '../jobs/job-runner.ts'
import { openDatabase } from '../server/open-database.ts'
import { openDoorbell } from '../server/open-doorbell.ts'
import { commit } from '../storage/commit.ts'
import type { CommitRequest } from '../storage/commit-request.ts'
import { createJobStore } from '../storage/job-store.ts'
import { testApp } from './open-test-jobs.ts'

/** What a worker process tells the test that started it. */
export interface WorkerMessage {
  /** A job's code has begun. */
  readonly began?: { readonly id: string; readonly kind: string; readonly attempt: number }
  /** Jobs that are not at their end yet, looked up again and again. */
  readonly live?: number
}

const LOOK_MS = 20

/** Program of a process that works on the test app's jobs: `node run-test-worker.ts <location> <leaseMs>`. */
async function main(location: string, leaseMs: number): Promise<void> {
  const chance = { now: () => Date.now(), id: uuidv7, secret: () => randomBytes(32).toString('base64url') }
  const database = await openDatabase(location)
  const doorbell = await openDoorbell(location, { database, chance })
  const commitTo = (scope: Scope, request: CommitRequest) => commit({ database, app: testApp, rules: {}, epoch: 'test', chance, doorbell }, scope, request)
  const store = createJobStore({ database, apps: new Map([['shop', { app: testApp }]]), chance, commit: commitTo })
  const listen = doorbell.listenJobs.bind(doorbell)
  const runner = new JobRunner({ store, jobs: new Map([['shop', jobs()]]), chance, listen, record: () => {}, options: { leaseMs, pollMs: LOOK_MS, graceMs: 0 } })
  runner.start()
  const look = async () => {
    const [row] = await database.read((reader) => reader.all<{ live: number }>("SELECT count(*) AS live FROM holdfast_jobs WHERE state IN ('later', 'ready', 'running')"))
    tell({ live: row?.live ?? 0 })
  }
  setInterval(() => void look(), LOOK_MS)
  process.once('disconnect', () => process.exit(0))
}

/** Every job counts its effect in a record of its own: one that took effect twice shows. */
function jobs(): JobDefinitions {
  const counted = (id: string) => ({ mutations: [{ collection: 'items', id: `made-by-${id}`, op: 'put', data: { name: id } }] }) as const
  return {
    note: defineJob(z.null(), async ({ id, kind, attempt }) => (tell({ began: { id, kind, attempt } }), { kind: 'done', write: counted(id) }), { attempts: 10, backoffMs: [1] }),
    hang: defineJob(z.null(), async ({ id, kind, attempt }) => {
      tell({ began: { id, kind, attempt } })
      // The first attempt is the one that the test kills.
      if (attempt === 1) await new Promise<never>(() => {})
      return { kind: 'done', write: counted(id) }
    }),
    poison: defineJob(
      z.null(),
      async ({ id, kind, attempt }) => {
        tell({ began: { id, kind, attempt } })
        process.kill(process.pid, 'SIGKILL')
        return new Promise<never>(() => {})
      },
      { attempts: 3, backoffMs: [1] },
    ),
  }
}

function tell(message: WorkerMessage): void {
  process.send?.(message)
}

const [, , location, leaseMs] = process.argv
if (import.meta.main && location !== undefined) await main(location, Number(leaseMs))
