export interface GateOptions {
  readonly runningMax: number
  readonly waitingMax: number
  /** What to throw when too many wait. */
  full(): Error
}

/** Runs at most `runningMax` works at once, the others in the order they came. */
export function createGate({ runningMax, waitingMax, full }: GateOptions): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (running < runningMax) running += 1
    else if (waiting.length >= waitingMax) throw full()
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
