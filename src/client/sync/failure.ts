import * as clientLimits from '../client-limits.ts'

/** Why a request did not do what was asked, by what the client does about it. */
export type Failure =
  /** No request was made. */
  | { readonly kind: 'offline' }
  /** The person must sign in again. */
  | { readonly kind: 'sign-in' }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number }
  /** No answer, or the server failed: tried again, with growing waits, for ever. */
  | { readonly kind: 'transient'; readonly status: number | undefined }
  /** The request itself is wrong; sending it again would not help. */
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'resync'; readonly reason: string }
  /** There is no right to the space, or none any more. */
  | { readonly kind: 'no-access'; readonly status: number }
  /** The client was closed, or is not the one that syncs any more. */
  | { readonly kind: 'stopped' }

export class RequestFailure extends Error {
  override readonly name = 'RequestFailure'
  readonly failure: Failure
  readonly code: string
  readonly fields: ProblemBody['fields']

  constructor(failure: Failure, says: { readonly code: string; readonly message: string; readonly fields?: ProblemBody['fields']; readonly cause?: unknown }) {
    super(says.message, { cause: says.cause })
    this.failure = failure
    this.code = says.code
    this.fields = says.fields
  }
}

/** There is no answer that could be used: asked again later. */
export function unanswered(code: string, message: string, cause?: unknown): RequestFailure {
  return new RequestFailure({ kind: 'transient', status: undefined }, { code, message, cause })
}

/** What an answer that is not 2xx says. `body` is its text, `now` epoch milliseconds. */
export function failureOfAnswer(answer: { readonly status: number; readonly body: string; readonly retryAfter: string | null; readonly now: number }): RequestFailure {
  const { status } = answer
  const problem = readProblem(answer.body)
  const says = { code: problem.code ?? `http.${status}`, message: problem.detail ?? `The server answered ${status}.`, fields: problem.fields }
  if (status === 413) return new RequestFailure({ kind: 'too-large' }, says)
  if (status === 429 || status === 503) {
    const asked = retryAfterMs(answer.retryAfter, answer.now)
    return new RequestFailure(asked === undefined ? { kind: 'transient', status } : { kind: 'throttled', retryAfterMs: asked }, says)
  }
  // Without a code it is not the server that says so, such as the sign-in page of a hotel, or the answer was cut off.
  if (problem.code === undefined || status === 408 || status >= 500 || status < 400) return new RequestFailure({ kind: 'transient', status }, says)
  if (status === 401) return new RequestFailure({ kind: 'sign-in' }, says)
  if (status === 403 || status === 404) return new RequestFailure({ kind: 'no-access', status }, says)
  // What to do depends on the reason: one that broke off on its way is asked for again.
  if (status === 410) return new RequestFailure(problem.reason === undefined ? { kind: 'transient', status } : { kind: 'resync', reason: problem.reason }, says)
  return new RequestFailure({ kind: 'refused', status }, says)
}

/**
 * Wait that a server asks for, in seconds or as a date (RFC 9110, 10.2.3). Undefined when it does not say, or asks for less than the first of
 * the own waits: those, which grow, are waited then.
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  const seconds = Number(header)
  const asked = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header ?? '') - now
  return asked >= clientLimits.RETRY_MS[0] ? Math.min(asked, clientLimits.RETRY_AFTER_MS_MAX) : undefined
}

/** Wait before the next try after `failures` in a row, each ±20 % so that devices do not come together. */
export function backoffMs(failures: number, fraction: number): number {
  const waits = clientLimits.RETRY_MS
  const wait = waits[Math.min(failures, waits.length) - 1] ?? waits[0]
  return Math.round(wait * (1 - clientLimits.RETRY_JITTER + 2 * clientLimits.RETRY_JITTER * fraction))
}

/** A wait is still on. One longer than any that is ever set was set by a clock that has been put back since, and is over. */
export function isWaiting({ until, now }: { readonly until: number; readonly now: number }): boolean {
  return until > now && until - now <= clientLimits.WAIT_MS_MAX
}

interface ProblemBody {
  readonly code?: string | undefined
  readonly detail?: string | undefined
  readonly reason?: string | undefined
  readonly fields?: readonly { readonly path: string; readonly message: string }[] | undefined
}

function readProblem(body: string): ProblemBody {
  try {
    const parsed = JSON.parse(body) as Readonly<Record<string, unknown>> | null
    const text = (name: string) => (typeof parsed?.[name] === 'string' ? parsed[name] : undefined)
    return { code: text('code'), detail: text('detail'), reason: text('reason'), fields: Array.isArray(parsed?.['fields']) ? (parsed['fields'] as ProblemBody['fields']) : undefined }
  } catch {
    return {}
  }
}
