import type { JsonValue } from 'holdfast'

const statuses = {
  VALIDATION_ERROR: 400,
  INVALID_PARAMETER: 400,
  UNAUTHORIZED: 401,
  QUOTA_EXCEEDED: 402,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  RESYNC_REQUIRED: 410,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  IDEMPOTENCY_MISMATCH: 422,
  RATE_LIMIT_EXCEEDED: 429,
  INTERNAL_ERROR: 500,
  STORAGE_UNAVAILABLE: 503,
} as const

export type DialectCode = keyof typeof statuses

export interface DialectErrorOptions {
  readonly message: string
  readonly details?: Readonly<Record<string, string>>
  /** Further members of the envelope, beside `details`. */
  readonly extra?: Readonly<Record<string, JsonValue>>
  readonly headers?: Readonly<Record<string, string>>
}

/** A request of the dialect that cannot be answered as asked. Becomes the dialect's envelope. */
export class DialectError extends Error {
  override readonly name = 'DialectError'
  readonly code: DialectCode
  readonly options: DialectErrorOptions

  constructor(code: DialectCode, options: DialectErrorOptions) {
    super(options.message)
    this.code = code
    this.options = options
  }

  get status(): number {
    return statuses[this.code]
  }

  /** The answer's body at a time of the server, in epoch milliseconds. */
  body(now: number): Readonly<Record<string, JsonValue>> {
    const { message, details = {}, extra = {} } = this.options
    return { code: this.code, message, details, timestamp: new Date(now).toISOString(), ...extra }
  }
}

/** A body that is not valid, with the field by the name that the caller uses for it. */
export function invalidField(field: string, message: string, details: Readonly<Record<string, string>> = {}): DialectError {
  return new DialectError('VALIDATION_ERROR', { message: `${field}: ${message}`, details: { field, ...details } })
}

export function invalidParameter(parameter: string, message: string): DialectError {
  return new DialectError('INVALID_PARAMETER', { message: `${parameter}: ${message}`, details: { parameter } })
}

export function notFound(message = 'There is nothing here, or it is not yours.'): DialectError {
  return new DialectError('NOT_FOUND', { message })
}

export function tooLarge(limit: number, message: string): DialectError {
  return new DialectError('PAYLOAD_TOO_LARGE', { message, details: { limit: String(limit) } })
}
