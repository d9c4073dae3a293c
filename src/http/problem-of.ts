import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { limits } from '../protocol/limits.ts'
import { cutText } from '../lib/cut-text.ts'
import { errorCodes, type ProblemCode } from '../protocol/error-codes.ts'
import { Problem } from '../protocol/problem.ts'
import { StorageUnavailable } from '../storage/database.ts'

/** Any thrown error as a client may see it. An app's dialect puts this into its own envelope. */
export interface ProblemView {
  readonly status: number
  readonly code: ProblemCode
  readonly detail: string
  readonly fields: readonly { readonly path: string; readonly message: string }[]
  /** Further members, such as `reason` of a 410. */
  readonly extra: Readonly<Record<string, unknown>>
  readonly retryAfterS: number | undefined
}

/** How long a client waits after a 503, in seconds: a full disk or a long lock is seldom over at once. */
const RETRY_UNAVAILABLE_S = 5

/** What a thrown error means to the client. What nobody foresaw is `internal`, without its text. */
export function problemOf(error: unknown): ProblemView {
  if (error instanceof Problem) {
    const { detail, fields, extra, retryAfterS } = error.options
    return view(error.code, { detail, fields, extra, retryAfterS })
  }
  if (error instanceof StorageUnavailable) return view('unavailable', { retryAfterS: RETRY_UNAVAILABLE_S })
  if (hasZodFastifySchemaValidationErrors(error)) {
    const fields = error.validation
      .slice(0, limits.TOLD_FIELDS_MAX)
      .map(({ instancePath, message, params }) => ({ path: cutText(fieldPath(instancePath, params), limits.TOLD_CHARS_MAX), message: cutText(message ?? 'Not valid.', limits.TOLD_CHARS_MAX) }))
    return view('request.invalid', {
      detail: fields
        .map(({ path, message }) => `${path}: ${message}`)
        .join('; ')
        .slice(0, DETAIL_CHARS_MAX),
      fields,
    })
  }
  return frameworkProblem(error)
}

const DETAIL_CHARS_MAX = 500
/** Fastify's own errors by the status they carry. */
function frameworkProblem(error: unknown): ProblemView {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  const detail = error instanceof Error ? error.message : undefined
  switch (status) {
    case 400:
      return view('request.invalid', { detail })
    case 404:
    case 414:
      return view('not_found', {})
    case 413:
      return view('body.too_large', {})
    case 415:
      return view('media_type.unsupported', {})
    case 503:
      return view('unavailable', { retryAfterS: RETRY_UNAVAILABLE_S })
    default:
      return view('internal', {})
  }
}

interface ViewParts {
  readonly detail?: string | undefined
  readonly fields?: ProblemView['fields'] | undefined
  readonly extra?: ProblemView['extra'] | undefined
  readonly retryAfterS?: number | undefined
}

function view(code: ProblemCode, { detail, fields, extra, retryAfterS }: ViewParts): ProblemView {
  const { status, says } = errorCodes[code]
  return { status, code, detail: detail ?? says, fields: fields ?? [], extra: extra ?? {}, retryAfterS }
}

/** `/data/title` → `data.title`. An unknown key is named itself; an issue of the whole is `body`. */
function fieldPath(instancePath: string, params: unknown): string {
  const keys = typeof params === 'object' && params !== null && 'keys' in params && Array.isArray(params.keys) ? params.keys.slice(0, 1).map(String) : []
  const path = [...instancePath.split('/').filter((part) => part !== ''), ...keys]
  return path.length === 0 ? 'body' : path.join('.')
}
