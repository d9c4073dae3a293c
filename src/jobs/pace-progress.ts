import { jobLimits } from './job-limits.ts'

export interface Progress {
  /** From 0 to 1. */
  readonly fraction: number
  readonly label: string | undefined
}

/**
 * Stores the first progress at once and of those that come within the pause after it the last. What comes later than the job's end is
 * not held back: storing it says that the job is lost.
 */
export function paceProgress(
  signal: AbortSignal,
  store: (progress: Progress) => Promise<void>,
  pause: (over: () => void) => void = pauseForProgress,
): (fraction: number, label?: string) => Promise<void> {
  let isPausing = false
  let waiting: Progress | undefined
  const over = () => {
    isPausing = false
    const last = waiting
    waiting = undefined
    // Whether it could be stored shows with the next one.
    if (last !== undefined && !signal.aborted) write(last).catch(() => {})
  }
  const write = (progress: Progress) => {
    isPausing = true
    pause(over)
    return store(progress)
  }
  return async (fraction, label) => {
    const progress = { fraction: Math.min(1, Math.max(0, fraction)), label }
    if (signal.aborted || !isPausing) await write(progress)
    else waiting = progress
  }
}

function pauseForProgress(over: () => void): void {
  setTimeout(over, jobLimits.PROGRESS_MS).unref()
}
