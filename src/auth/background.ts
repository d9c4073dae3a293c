import { accountLimits } from './account-limits.ts'
import type { AccountEvent } from './account-event.ts'

/** Work that an answer does not wait for. */
export interface Background {
  /** Starts the work unless too much is waiting. Resolves at its end and never rejects: a failure is recorded. */
  run(name: string, work: () => Promise<void>): Promise<void>
  /** Resolves when everything started so far has ended. */
  settled(): Promise<void>
}

/** A bounded set of work under way. */
export function createBackground(record: (event: AccountEvent) => void): Background {
  const running = new Set<Promise<void>>()
  return {
    run: async (name, work) => {
      if (running.size >= accountLimits.BACKGROUND_MAX) {
        record({ action: 'background.refused', level: 'warn', detail: { name } })
        return
      }
      const done: Promise<void> = work()
        .catch((error: unknown) => record({ action: 'background.failed', level: 'warn', detail: { name, error: String(error) } }))
        .finally(() => running.delete(done))
      running.add(done)
      await done
    },
    settled: async () => {
      while (running.size > 0) await Promise.all(running)
    },
  }
}
