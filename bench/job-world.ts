import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { compileApp } from '../src/app/compile-app.ts'
import type { Scope } from '../src/app/rule.ts'
import { defineJob } from '../src/jobs/define-job.ts'
import { JobRunner } from '../src/jobs/job-runner.ts'
import { openDatabase } from '../src/server/open-database.ts'
import { openDoorbell } from '../src/server/open-doorbell.ts'
import { commit } from '../src/storage/commit.ts'
import { createJobStore } from '../src/storage/job-store.ts'
import { migrate } from '../src/storage/migrate.ts'
import { ensureSpace } from '../src/storage/space-store.ts'
import { benchApp } from './bench-app.ts'

/** Spaces that take turns. */
const SPACES = 8

/** Real jobs in a real database with one worker. */
export interface JobWorld extends AsyncDisposable {
  /** Adds jobs in one commit, in the next space in turn. */
  enqueue(jobs: readonly BenchJob[]): Promise<void>
  /** Milliseconds from enqueue to the stored end of every healthy job that has ended. */
  readonly delaysMs: readonly number[]
  /** Resolves when so many jobs are at their end, healthy or not. */
  ended(count: number): Promise<void>
  healthyEnded(count: number): Promise<void>
}

export interface BenchJob {
  /** A poisonous job fails with every attempt. */
  readonly isPoison: boolean
}

const payloadSchema = z.object({ isPoison: z.boolean(), at: z.number() })

export async function openJobWorld(location: string): Promise<JobWorld> {
  const app = compileApp(benchApp)
  const chance = { now: () => Date.now(), id: () => uuidv7(), secret: () => crypto.randomUUID() }
  const database = await openDatabase(location)
  const doorbell = await openDoorbell(location, { database, chance })
  const { epoch } = await migrate(database, [app], [], chance.now())
  const commitTo = (scope: Scope, request: Parameters<typeof commit>[2]) => commit({ database, app, rules: {}, epoch, chance, doorbell }, scope, request)
  const spaces: number[] = []
  for (let index = 0; index < SPACES; index += 1) {
    const { space } = await database.write((tx) => ensureSpace(tx, { id: chance.id(), app: app.name, kind: 'personal', name: `space ${index}`, ownerId: `${index}`, now: chance.now() }))
    spaces.push(space)
  }
  const delaysMs: number[] = []
  let count = 0
  let waiting: { readonly isOver: () => boolean; resolve(): void } | undefined
  const until = (isOver: () => boolean) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting = { isOver, resolve }
    if (isOver()) resolve()
    return promise
  }
  const store = createJobStore({ database, apps: new Map([[app.name, { app }]]), chance, commit: commitTo })
  const noop = defineJob(
    payloadSchema,
    async ({ payload }) => {
      if (payload.isPoison) throw new Error('poison')
      return { kind: 'done' }
    },
    { attempts: 3, backoffMs: [200, 500], concurrency: 8 },
  )
  const runner = new JobRunner({
    store: {
      ...store,
      end: async (job, ending) => {
        const result = await store.end(job, ending)
        if (result.kind === 'ended') {
          count += 1
          if (ending.end === 'done') delaysMs.push(performance.now() - payloadSchema.parse(job.payload).at)
          if (waiting?.isOver() === true) waiting.resolve()
        }
        return result
      },
    },
    jobs: new Map([[app.name, { noop }]]),
    chance,
    listen: (listener) => doorbell.listenJobs(listener),
    record: ({ action, level, detail }) => {
      if (level === 'warn' && action !== 'jobs.dead') console.error(action, detail)
    },
  })
  runner.start()
  let turn = 0
  return {
    delaysMs,
    enqueue: async (jobs) => {
      const space = spaces[(turn += 1) % SPACES] ?? 0
      const scope: Scope = { actor: { type: 'user', id: 'bench', name: 'Bench' }, device: null, app: app.name, space, role: 'owner', requestId: 'bench' }
      const at = performance.now()
      await commitTo(scope, { mutations: [], keepRejected: false, keepConflicts: false, jobs: jobs.map(({ isPoison }) => ({ kind: 'noop', payload: { isPoison, at } })) })
    },
    ended: (wanted) => until(() => count >= wanted),
    healthyEnded: (wanted) => until(() => delaysMs.length >= wanted),
    [Symbol.asyncDispose]: async () => {
      await runner.close()
      await doorbell[Symbol.asyncDispose]()
      await database.close()
    },
  }
}
