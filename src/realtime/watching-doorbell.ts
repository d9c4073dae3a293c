import { createLocalDoorbell, type Doorbell, type Poke } from './doorbell.ts'

/** A job as a look from outside finds it. */
export interface SeenJob {
  readonly space: number
  readonly id: string
  /** Other than before whenever the job is. */
  readonly mark: string
  readonly isRunning: boolean
  /** Nobody wants it any more: whoever runs it breaks off. */
  readonly isStopped: boolean
}

/** What other processes write into the same database. */
export interface Outside {
  /** Another number than before when another process has written since. */
  version(): number
  /** Newest version of the records of spaces. */
  recordVersions(spaces: readonly number[]): Promise<readonly { readonly space: number; readonly version: number }[]>
  /** Jobs that run now, and those that ended lately or have begun lately and wait again. */
  jobs(): Promise<readonly SeenJob[]>
}

export interface WatchingDoorbell extends Doorbell, AsyncDisposable {
  /** Looks whether another process has written, and rings for it. */
  look(): Promise<void>
}

/** Time between two looks, in milliseconds. One in vain is a number that is read from memory. */
const LOOK_MS = 250

/** A doorbell of one process that also notices what others write into its database, where nobody can tell it. */
export function createWatchingDoorbell(outside: Outside, lookMs: number = LOOK_MS): WatchingDoorbell {
  const local = createLocalDoorbell()
  const watchers = new Set<() => Iterable<number>>()
  let version = outside.version()
  /** Newest version that the listeners of a watched space know of. */
  let heard = new Map<number, number>()
  let seen: ReadonlyMap<string, SeenJob> = new Map()
  let looking: Promise<void> | undefined

  const hear = ({ space, to }: Poke) => {
    if ((heard.get(space) ?? to) < to) heard.set(space, to)
  }
  const lookForRecords = async (watched: ReadonlySet<number>) => {
    const before = heard
    heard = new Map([...watched].map((space) => [space, before.get(space) ?? 0]))
    for (const { space, version: to } of await outside.recordVersions([...watched])) {
      const from = heard.get(space) ?? 0
      if (to <= from) continue
      heard.set(space, to)
      // At first sight nobody knows what its listeners have.
      local.ring({ space, from, to })
    }
  }
  const lookForJobs = async (watched: ReadonlySet<number>) => {
    const before = seen
    const found = await outside.jobs()
    seen = new Map(found.map((job) => [job.id, job]))
    // One that ran at the last look and is nowhere now was put back.
    const changed = [...found.filter(({ id, mark }) => before.get(id)?.mark !== mark), ...[...before.values()].filter(({ id, isRunning }) => isRunning && !seen.has(id))]
    local.wakeJobs({ stopped: changed.flatMap(({ id, isStopped }) => (isStopped ? [id] : [])) })
    for (const [space, jobs] of Map.groupBy(changed, (job) => job.space)) if (watched.has(space)) local.hearJobNews({ space, ids: jobs.map(({ id }) => id) })
  }
  const look = async () => {
    const now = outside.version()
    if (now === version) return
    version = now
    const watched = new Set([...watchers].flatMap((spaces) => [...spaces()]))
    if (watched.size > 0) await lookForRecords(watched)
    await lookForJobs(watched)
  }
  const timer = setInterval(() => {
    // A look that fails is made up for by the next one.
    looking ??= look()
      .catch(() => void (version = -1))
      .finally(() => (looking = undefined))
  }, lookMs)
  timer.unref()
  return {
    ...local,
    ring: (poke) => {
      hear(poke)
      local.ring(poke)
    },
    listen: (listener, watched) => {
      const stop = local.listen(listener)
      if (watched !== undefined) watchers.add(watched)
      return () => {
        stop()
        if (watched !== undefined) watchers.delete(watched)
      }
    },
    look,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      await looking
    },
  }
}
