import { simulate } from './simulate.ts'

/** Plays the seeds that its parent names, one at a time, and says how each ended. */

/** What the parent hears of a seed. */
export interface SeedAnswer {
  readonly seed: number
  /** What went wrong. */
  readonly says?: string
}

process.on('message', (seed: number) => {
  void simulate(seed).then((failed) => {
    const answer: SeedAnswer = { seed, ...(failed === undefined ? {} : { says: tell(failed.error) }) }
    process.send?.(answer)
  })
})

function tell(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
