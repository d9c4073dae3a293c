/** Jobs of a space that were added, began, told progress, wait again or ended. */
export interface JobNews {
  readonly space: number
  /** Which ones; undefined when they are too many to name. */
  readonly ids: readonly string[] | undefined
}

/** Least time between two tellings, in milliseconds: what people look at need not change more often. */
const JOB_NEWS_MS = 200
/** Jobs of one space that are told by name; a list of more would be longer than the list of jobs that one can ask for. */
export const JOB_NEWS_MAX = 50
/** Spaces whose news wait. Beyond them nothing is told: whoever shows work also looks from time to time. */
const SPACES_MAX = 10_000

/** What waits to be told: each job once, however much happened to it. */
export class WaitingNews {
  #waiting = new Map<number, Set<string> | undefined>()

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  add({ space, ids }: JobNews): void {
    if (ids?.length === 0) return
    const known = this.#waiting.get(space)
    if (known === undefined && (this.#waiting.has(space) || this.#waiting.size >= SPACES_MAX)) return
    const all = known ?? new Set<string>()
    for (const id of ids ?? []) all.add(id)
    this.#waiting.set(space, ids === undefined || all.size > JOB_NEWS_MAX ? undefined : all)
  }

  take(): readonly JobNews[] {
    const taken = [...this.#waiting].map(([space, ids]) => ({ space, ids: ids === undefined ? undefined : [...ids] }))
    this.#waiting = new Map()
    return taken
  }
}

/** Tells the first news at once, and what comes within the pause after it together. */
export function createNewsPacer(deliver: (news: readonly JobNews[]) => void, pause: (over: () => void) => void = pauseForNews): (news: JobNews) => void {
  const waiting = new WaitingNews()
  let isPausing = false
  const tell = () => {
    isPausing = !waiting.isEmpty
    if (!isPausing) return
    deliver(waiting.take())
    pause(tell)
  }
  return (news) => {
    waiting.add(news)
    if (!isPausing) tell()
  }
}

/** A process may end meanwhile: what is not told any more is stored. */
function pauseForNews(over: () => void): void {
  setTimeout(over, JOB_NEWS_MS).unref()
}
