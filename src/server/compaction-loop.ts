import type { HostedApp, HttpContext } from '../http/http-context.ts'
import { compact } from '../storage/compact.ts'
import { forgetHistory } from '../storage/forget-history.ts'

const DAY_MS = 86_400_000
/** Longest that a timer waits, in milliseconds. */
const TIMER_MS_MAX = 2_147_483_647

export interface CompactionOptions {
  /** Rest between two rounds, milliseconds; an app may want a shorter one. */
  readonly intervalMs: number
  /** For apps that say nothing else. */
  readonly tombstonesKeptMs: number
}

export const compactionDefaults: CompactionOptions = { intervalMs: 3_600_000, tombstonesKeptMs: 30 * DAY_MS }

/** What a round has removed for one app. */
export interface Forgotten {
  readonly app: string
  readonly tombstones: number
  /** Entries of change logs. */
  readonly entries: number
}

export type CompactionEvent = Forgotten | { readonly app: string; readonly error: unknown }

export interface CompactionLoop {
  /** Rest between two rounds, milliseconds. */
  readonly intervalMs: number
  /** One round over all apps; what fails for one holds up no other. Answers what it removed. */
  runOnce(): Promise<readonly Forgotten[]>
  start(): void
  close(): Promise<void>
}

/** Forgets old tombstones and history from time to time. Several processes may do it: what one has forgotten the others do not find. */
export function createCompactionLoop(context: HttpContext, record: (event: CompactionEvent) => void, options = compactionDefaults): CompactionLoop {
  const { apps, settings } = context
  const wished = [...apps.values()].map(({ purgeEveryMs }) => purgeEveryMs?.(settings.environment) ?? options.intervalMs)
  const intervalMs = Math.min(...wished, options.intervalMs, TIMER_MS_MAX)
  let timer: NodeJS.Timeout | undefined
  let running: Promise<unknown> = Promise.resolve()
  const runOnce = async () => {
    const all: Forgotten[] = []
    for (const hosted of apps.values()) {
      try {
        const forgotten = await forgetOld(context, hosted, options)
        all.push(forgotten)
        if (forgotten.tombstones + forgotten.entries > 0) record(forgotten)
      } catch (error) {
        record({ app: hosted.app.name, error })
      }
    }
    return all
  }
  const rest = () => {
    timer = setTimeout(round, intervalMs)
    timer.unref()
  }
  const round = () => {
    running = runOnce().then(() => {
      if (timer !== undefined) rest()
    })
  }
  return {
    intervalMs,
    runOnce,
    // The first round waits as well: a start is busy enough.
    start: rest,
    close: async () => {
      clearTimeout(timer)
      timer = undefined
      await running
    },
  }
}

async function forgetOld({ database, chance, settings: { environment } }: HttpContext, { app, tombstonesKeptMs, historyKeptMs }: HostedApp, options: CompactionOptions): Promise<Forgotten> {
  const now = chance.now()
  const tombstones = await compact(database, { app, before: now - (tombstonesKeptMs?.(environment) ?? options.tombstonesKeptMs) })
  const keptMs = historyKeptMs?.(environment)
  const entries = keptMs === undefined ? 0 : await forgetHistory(database, { app: app.name, before: now - keptMs })
  return { app: app.name, tombstones, entries }
}
