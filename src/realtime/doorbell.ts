import { createNewsPacer, type JobNews } from './job-news.ts'

/** Something is new in a space: versions in (from, to]. */
export interface Poke {
  readonly space: number
  readonly from: number
  readonly to: number
}

/** Jobs are waiting or were stopped. */
export interface JobCall {
  /** Ids of jobs that are no longer wanted: whoever runs one breaks off. */
  readonly stopped: readonly string[]
}

/** Wakes whoever listens after a commit. A lost poke costs nothing: a gap means pull. */
export interface Doorbell {
  ring(poke: Poke): void
  /**
   * Returns how to stop listening. `watched` names the spaces that this listener cares for at the moment: a doorbell between
   * processes looks after them from time to time and makes up for a poke that got lost on the way.
   */
  listen(listener: (poke: Poke) => void, watched?: () => Iterable<number>): () => void
  /** A session, key or membership has ended: streams check their right again. */
  revoke(): void
  listenRevocations(listener: () => void): () => void
  /** Whoever runs jobs looks now and not at their next round. */
  wakeJobs(call: JobCall): void
  listenJobs(listener: (call: JobCall) => void): () => void
  /** Jobs have changed. Told a few times a second, joined; who shows jobs reads them. */
  tellJobs(news: JobNews): void
  listenJobNews(listener: (news: JobNews) => void): () => void
}

/** A doorbell for one process. `overhear` is called with news of jobs as they are told. */
export function createLocalDoorbell(overhear: (news: JobNews) => void = () => {}): Doorbell & { hearJobNews(news: JobNews): void } {
  const pokes = createListeners<Poke>()
  const revocations = createListeners<void>()
  const jobs = createListeners<JobCall>()
  const jobNews = createListeners<JobNews>()
  const tellJobs = createNewsPacer((all) => {
    for (const news of all) {
      jobNews.call(news)
      overhear(news)
    }
  })
  return {
    ring: (poke) => pokes.call(poke),
    listen: (listener) => pokes.add(listener),
    revoke: () => revocations.call(),
    listenRevocations: (listener) => revocations.add(listener),
    wakeJobs: (call) => jobs.call(call),
    listenJobs: (listener) => jobs.add(listener),
    tellJobs,
    listenJobNews: (listener) => jobNews.add(listener),
    hearJobNews: (news) => jobNews.call(news),
  }
}

function createListeners<Message>() {
  const listeners = new Set<(message: Message) => void>()
  return {
    call: (message: Message) => {
      for (const listener of listeners) listener(message)
    },
    add: (listener: (message: Message) => void) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
  }
}
