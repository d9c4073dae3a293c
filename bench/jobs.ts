import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { uuidv7 } from 'uuidv7'
import { makePostgresDatabase } from '../src/testing/make-postgres-database.ts'
import { startTestPostgres } from '../src/testing/test-postgres.ts'
import { figure, median, percentile } from './figures.ts'
import { openJobWorld, type BenchJob, type JobWorld } from './job-world.ts'
import { openRawPostgres, openRawSqlite, type RawJobs } from './raw-jobs.ts'

/** Jobs of one commit, and rows of one raw transaction. */
const BATCH = 1_000
/** One job in so many is poisonous. */
const POISON_EVERY = 100
/** The steady load: so many jobs in one commit, that often. */
const STEADY_JOBS = 5
const STEADY_EVERY_MS = 10
const STEADY_COMMITS = 1_000

export const jobsHead = ['', 'jobs/s', 'raw/s', '×raw', 'burst p50 ms', 'p95', 'steady p50 ms', 'p95']

/** Jobs that do nothing, enqueued while one worker runs them, beside a plain table in the same database; without and with poison. */
export async function benchJobs(count: number, rounds: number): Promise<string[][]> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'))
  await using postgres = await startTestPostgres({ durable: true })
  try {
    let files = 0
    const sqlite = async () => join(folder, `${(files += 1)}.db`)
    const server = async () => (await makePostgresDatabase(postgres.url)).location
    return [
      ...(await benchDatabase('SQLite', { count, rounds, make: sqlite, openRaw: async (location) => openRawSqlite(location) })),
      ...(await benchDatabase('PostgreSQL', { count, rounds, make: server, openRaw: openRawPostgres })),
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}

interface Contest {
  readonly count: number
  readonly rounds: number
  /** Makes an empty database. */
  make(): Promise<string>
  openRaw(location: string): Promise<RawJobs>
}

interface Seen {
  readonly ms: number
  readonly burst: readonly number[]
  readonly steady: readonly number[]
}

async function benchDatabase(name: string, { count, rounds, make, openRaw }: Contest): Promise<string[][]> {
  const rawMs: number[] = []
  const healthy: Seen[] = []
  const poisoned: Seen[] = []
  for (let round = 0; round < rounds; round += 1) {
    rawMs.push(await timeRaw(await openRaw(await make()), count))
    healthy.push(await timeJobs(await make(), count, () => false))
    poisoned.push(await timeJobs(await make(), count, (index) => index % POISON_EVERY === POISON_EVERY / 2))
  }
  const row = (title: string, seen: readonly Seen[]) => [
    `${name}, ${title}`,
    figure(median(seen.map(({ ms }) => (count / ms) * 1_000))),
    figure(median(rawMs.map((ms) => (count / ms) * 1_000))),
    figure(median(seen.map(({ ms }, round) => (rawMs[round] ?? Number.NaN) / ms))),
    ...[(one: Seen) => one.burst, (one: Seen) => one.steady].flatMap((delays) => [50, 95].map((percent) => figure(median(seen.map((one) => percentile(delays(one), percent)))))),
  ]
  return [row('healthy', healthy), row('1 % poison', poisoned)]
}

async function timeRaw(raw: RawJobs, count: number): Promise<number> {
  const ids = Array.from({ length: count }, () => uuidv7())
  const batches = Array.from({ length: Math.ceil(count / BATCH) }, (_, index) => ids.slice(index * BATCH, (index + 1) * BATCH))
  const started = performance.now()
  for (const batch of batches) await raw.insert(batch)
  for (const batch of batches) await raw.finish(batch)
  const ms = performance.now() - started
  await raw.close()
  return ms
}

/** All at once for the rate, then a steady load for the delay when there is no queue. */
async function timeJobs(location: string, count: number, isPoison: (index: number) => boolean): Promise<Seen> {
  await using world = await openJobWorld(location)
  const jobs = (start: number, length: number): BenchJob[] => Array.from({ length }, (_, offset) => ({ isPoison: isPoison(start + offset) }))
  const started = performance.now()
  for (let start = 0; start < count; start += BATCH) await world.enqueue(jobs(start, Math.min(BATCH, count - start)))
  await world.healthyEnded(count - jobs(0, count).filter(({ isPoison: isSick }) => isSick).length)
  const ms = performance.now() - started
  await world.ended(count)
  const burst = [...world.delaysMs]
  await beSteady(world, jobs)
  await world.ended(count + STEADY_COMMITS * STEADY_JOBS)
  return { ms, burst, steady: world.delaysMs.slice(burst.length) }
}

/** Commits by the clock, whatever became of those before: a worker that falls behind is not waited for. */
async function beSteady(world: JobWorld, jobs: (start: number, length: number) => BenchJob[]): Promise<void> {
  const started = performance.now()
  const commits: Promise<void>[] = []
  for (let index = 0; index < STEADY_COMMITS; index += 1) {
    await delay(Math.max(0, started + index * STEADY_EVERY_MS - performance.now()))
    commits.push(world.enqueue(jobs(index * STEADY_JOBS, STEADY_JOBS)))
  }
  await Promise.all(commits)
}
