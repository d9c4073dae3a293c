import type { JsonValue } from 'holdfast'

const statuses = {
  INVALID_REQUEST: 400,
  VALIDATION_ERROR: 400,
  INVALID_CURSOR: 400,
  INVALID_STATE: 400,
  UPLOAD_VERIFICATION_FAILED: 400,
  UNAUTHORIZED: 401,
  TOKEN_EXPIRED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  UPLOAD_NOT_FOUND: 404,
  ATTACHMENT_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  INVALID_STATE_TRANSITION: 409,
  TAG_EXISTS: 409,
  DUPLICATE_REQUEST: 409,
  INVALID_UPLOAD_STATE: 409,
  ATTACHMENT_LIMIT: 409,
  UPLOAD_EXPIRED: 410,
  PRECONDITION_FAILED: 412,
  PAYLOAD_TOO_LARGE: 413,
  FILE_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  INVALID_FILE_TYPE: 415,
  IDEMPOTENCY_KEY_REUSED: 422,
  RATE_LIMITED: 429,
  INTERNAL_ERROR: 500,
  UNAVAILABLE: 503,
} as const

export type VaultErrorCode = keyof typeof statuses

export interface VaultErrorOptions {
  /** One sentence; it repeats nothing that was captured. */
  readonly message: string
  readonly details?: Readonly<Record<string, JsonValue>>
  readonly headers?: Readonly<Record<string, string>>
}

/** A request of the dialect that cannot be answered as asked. Becomes the dialect's envelope. */
export class VaultError extends Error {
  override readonly name = 'VaultError'
  readonly code: VaultErrorCode
  readonly options: VaultErrorOptions

  constructor(code: VaultErrorCode, options: VaultErrorOptions) {
    super(options.message)
    this.code = code
    this.options = options
  }

  get status(): number {
    return statuses[this.code]
  }

  /** What stands under `error`, of an answer or of one row of it. */
  view(requestId: string): { readonly code: VaultErrorCode; readonly message: string; readonly requestId: string; readonly details: Readonly<Record<string, JsonValue>> | null } {
    const { message, details = null } = this.options
    return { code: this.code, message, requestId, details }
  }
}

export interface FieldProblem {
  readonly field: string
  readonly message: string
}

/** What is wrong with the fields of a body or the parameters of an address. */
export function invalidFields(errors: readonly FieldProblem[]): VaultError {
  const [first] = errors
  return new VaultError('VALIDATION_ERROR', {
    message: first === undefined ? 'The request is not valid.' : `${first.field}: ${first.message}`,
    details: { errors: errors.map(({ field, message }) => ({ field, message })) },
  })
}

export function invalidField(field: string, message: string): VaultError {
  return invalidFields([{ field, message }])
}

export function notFound(): VaultError {
  return new VaultError('NOT_FOUND', { message: 'There is nothing here, or it is not yours.' })
}
