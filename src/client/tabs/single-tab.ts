import { createQueue } from '../../lib/create-queue.ts'
import type { Tabs } from '../ports.ts'

/** For a store that nobody shares: this is the one that syncs. */
export function singleTab(): Tabs {
  const queues = new Map<string, ReturnType<typeof createQueue>>()
  return {
    lead: (lead) => void lead(),
    post: () => undefined,
    listen: () => () => undefined,
    exclusive: (name, work) => {
      const queue = queues.get(name) ?? createQueue()
      queues.set(name, queue)
      return queue(work)
    },
  }
}
