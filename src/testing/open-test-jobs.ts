import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { compileApp, type CompiledApp } from '../app/compile-app.ts'
import { defineApp } from '../app/define-app.ts'
import type { JobRequest } from '../app/job-request.ts'
import type { Rule, Scope } from '../app/rule.ts'
import type { JobDefinitions } from '../jobs/define-job.ts'
import type { JobEvent } from '../jobs/job-event.ts'
import { JobRunner, type RunnerOptions } from '../jobs/job-runner.ts'
import type { JobStore } from '../jobs/job-store.ts'
import type { Chance } from '../lib/chance.ts'
import { createLocalDoorbell, type Doorbell } from '../realtime/doorbell.ts'
import { commit } from '../storage/commit.ts'
import type { CommitRequest, CommitResult } from '../storage/commit-request.ts'
import type { Database } from '../storage/database.ts'
import { createJobStore } from '../storage/job-store.ts'
import { migrate } from '../storage/migrate.ts'
import { ensureSpace } from '../storage/space-store.ts'
import { openTestDatabase } from './open-test-database.ts'

/** An app with one collection, spaces to work in, and workers on demand; the clock stands until the test moves it. */
export interface TestJobs extends AsyncDisposable {
  readonly database: Database
  readonly location: string
  readonly app: CompiledApp
  readonly store: JobStore
  readonly doorbell: Doorbell
  readonly chance: Chance
  readonly events: JobEvent[]
  readonly space: number
  addSpace(name: string): Promise<number>
  commit(request: Partial<CommitRequest>, space?: number, actor?: Scope['actor']): Promise<CommitResult>
  enqueue(jobs: readonly JobRequest[], space?: number): Promise<void>
  /** A worker that begins nothing by itself. */
  worker(jobs: JobDefinitions, options?: Partial<RunnerOptions>): JobRunner
  /** Rounds of a worker until nothing is left to do now. */
  finish(worker: JobRunner): Promise<void>
  jobs(): Promise<readonly JobRow[]>
  advance(ms: number): void
}

export interface JobRow {
  readonly id: string
  readonly kind: string
  readonly state: string
  readonly attempts: number
  readonly alone: number
  readonly run_at: number
  readonly reason_code: string | null
  readonly reason_message: string | null
  readonly progress: number | null
  readonly progress_label: string | null
  readonly payload: string
}

export const testApp = compileApp(defineApp({ name: 'shop', collections: { items: collection(z.object({ name: z.string().max(100), state: z.string().max(20).default('new') })) } }))

/** Times of tests begin here: far from any schedule's turn and from a change of clocks. */
export const TEST_START_MS = Date.UTC(2026, 5, 15, 10, 0, 30)

/** Opens the test app; `await using` stops its workers and removes it. */
export async function openTestJobs(rules: Readonly<Record<string, Rule>> = {}): Promise<TestJobs> {
  const opened = await openTestDatabase()
  const { database, location } = opened
  const clock = { now: TEST_START_MS, count: 0 }
  const next = () => String((clock.count += 1)).padStart(12, '0')
  const chance: Chance = { now: () => clock.now, id: () => `01890000-0000-7000-8000-${next()}`, secret: () => next().padStart(43, 's') }
  const { epoch } = await migrate(database, [testApp], [], clock.now)
  const doorbell = createLocalDoorbell()
  const commitTo = (scope: Scope, request: CommitRequest) => commit({ database, app: testApp, rules, epoch, chance, doorbell }, scope, request)
  const store = createJobStore({ database, apps: new Map([['shop', { app: testApp }]]), chance, commit: commitTo })
  const addSpace = async (name: string) => (await database.write((tx) => ensureSpace(tx, { id: chance.id(), app: 'shop', kind: 'personal', name, ownerId: name, now: clock.now }))).space
  const space = await addSpace('ada')
  const workers: JobRunner[] = []
  const events: JobEvent[] = []
  const world: TestJobs = {
    database,
    location,
    app: testApp,
    store,
    doorbell,
    chance,
    events,
    space,
    addSpace,
    commit: (request, inSpace = space, actor = { type: 'user', id: 'ada', name: 'Ada' }) => {
      const scope: Scope = { actor, device: 'phone', app: 'shop', space: inSpace, role: 'owner', requestId: 'test' }
      return commitTo(scope, { mutations: [], keepRejected: false, keepConflicts: false, ...request })
    },
    enqueue: async (jobs, inSpace) => void (await world.commit({ jobs }, inSpace)),
    worker: (jobs, options = {}) => {
      const worker = new JobRunner({
        store,
        jobs: new Map([['shop', jobs]]),
        chance,
        listen: (listener) => doorbell.listenJobs(listener),
        record: (event) => events.push(event),
        options: { graceMs: 0, ...options },
      })
      workers.push(worker)
      return worker
    },
    finish: async (worker) => {
      while ((await worker.runOnce()) > 0) await worker.settled()
    },
    jobs: () =>
      database.read((reader) => reader.all<JobRow>('SELECT id, kind, state, attempts, alone, run_at, reason_code, reason_message, progress, progress_label, payload FROM holdfast_jobs ORDER BY id')),
    advance: (ms) => {
      clock.now += ms
    },
    [Symbol.asyncDispose]: async () => {
      for (const worker of workers) await worker.close()
      await opened[Symbol.asyncDispose]()
    },
  }
  return world
}
