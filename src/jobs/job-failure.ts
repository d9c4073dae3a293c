/** A failed attempt whose cause is known. Anything else that a job throws is a failed attempt with the code `error`. */
export class JobFailure extends Error {
  override readonly name = 'JobFailure'
  readonly code: string
  /** True when another attempt would end the same way: the job is dead at once. */
  readonly final: boolean
  /** Least wait before the next attempt, in milliseconds. */
  readonly afterMs: number

  constructor(code: string, message: string, options: { readonly final?: boolean; readonly afterMs?: number } = {}) {
    super(message)
    this.code = code
    this.final = options.final ?? false
    this.afterMs = options.afterMs !== undefined && Number.isFinite(options.afterMs) ? options.afterMs : 0
  }
}

/** The job is no longer this worker's: it was cancelled, or its lease ran out and another took it. Nothing of it may be written. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'

  constructor() {
    super("The job is no longer this worker's.")
  }
}
