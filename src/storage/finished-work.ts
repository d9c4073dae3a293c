/** A work whose transaction has been committed. */
export interface FinishedWork {
  /** Answers whoever waits for it. */
  readonly settle: () => void
  readonly callbacks: readonly (() => void)[]
}

/**
 * Answers all works of a commit, then calls their listeners. What is committed stays so: a listener that fails is a warning of the
 * process, and neither the writer nor another listener hears of it.
 */
export function finishWorks(works: readonly FinishedWork[]): void {
  for (const { settle } of works) settle()
  for (const callback of works.flatMap(({ callbacks }) => callbacks)) {
    try {
      callback()
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error))
    }
  }
}
