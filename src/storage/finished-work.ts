/** What a work has left to do around the commit of its transaction. */
export interface CommitHooks {
  readonly before: (() => Promise<void>)[]
  readonly after: (() => void)[]
}

export function newHooks(): CommitHooks {
  return { before: [], after: [] }
}

/** A work whose statements have all run. */
export interface FinishedWork {
  /** Answers whoever waits for it. */
  readonly settle: () => void
  readonly hooks: CommitHooks
}

/** Runs what the works of a commit have left for its end, and what that leaves in turn. */
export async function endWorks(works: readonly FinishedWork[]): Promise<void> {
  for (const { hooks } of works) for (const run of hooks.before) await run()
}

/**
 * Answers all works of a commit, then calls their listeners. What is committed stays so: a listener that fails is a warning of the
 * process, and neither the writer nor another listener hears of it.
 */
export function finishWorks(works: readonly FinishedWork[]): void {
  for (const { settle } of works) settle()
  for (const callback of works.flatMap(({ hooks }) => hooks.after)) {
    try {
      callback()
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error))
    }
  }
}
