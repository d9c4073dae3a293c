import type { TabMessage, Tabs } from '../ports.ts'

/** Tabs of one browser that share a store: Web Locks choose the one that syncs, a BroadcastChannel tells all of changes. */
export function browserTabs(place: string): Tabs {
  const name = `holdfast:${place}`
  const listeners = new Set<(message: TabMessage) => void>()
  const channel = new BroadcastChannel(name)
  channel.onmessage = (event: MessageEvent<TabMessage>) => {
    for (const listener of listeners) listener(event.data)
  }
  return {
    lead: (lead, signal) => {
      signal.addEventListener('abort', () => channel.close())
      // A tab that is closed, or crashes, gives its lock back; the next in line gets it.
      navigator.locks.request(`${name}:sync`, { signal }, lead).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
    },
    post: (message) => {
      try {
        channel.postMessage(message)
      } catch {
        // Closed: nobody here has anything to tell any more.
      }
    },
    listen: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    exclusive: (work, run) => navigator.locks.request(`${name}:${work}`, run),
  }
}
