import { errorCodes, type ProblemCode } from './error-codes.ts'

export interface ProblemOptions {
  /** One sentence on what was wrong and what to do; the code's own text when absent. Never holds a secret or a stack. */
  readonly detail?: string
  readonly fields?: readonly { readonly path: string; readonly message: string }[]
  /** Further members of the answer, such as `reason` of a 410 or `record` of a 409. */
  readonly extra?: Readonly<Record<string, unknown>>
  readonly retryAfterS?: number
}

/** A request that cannot be answered as asked. Becomes `application/problem+json`, or the envelope of an app's own dialect. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly options: ProblemOptions

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super(options.detail ?? errorCodes[code].says)
    this.code = code
    this.options = options
  }

  get status(): number {
    return errorCodes[this.code].status
  }
}
