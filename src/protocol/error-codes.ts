/** What a client does after an error: correct the request, sign in, wait, or reload. */
export type Retry = 'never' | 'after-change' | 'after-sign-in' | 'later' | 'smaller' | 'resync'

export interface ErrorCode {
  readonly status: number
  readonly retry: Retry
  readonly says: string
}

/** Every code a client can see on an answer that is not 2xx, and what it should do about it. */
export const errorCodes = {
  'request.invalid': { status: 400, retry: 'after-change', says: 'The request is not valid.' },
  'cursor.invalid': { status: 400, retry: 'after-change', says: 'The cursor is not one of this server, or belongs to another space or list.' },
  'auth.required': { status: 401, retry: 'after-sign-in', says: 'Sign in, or send a valid token or API key.' },
  'auth.expired': { status: 401, retry: 'after-sign-in', says: 'The session has ended. Sign in again.' },
  'auth.credentials': { status: 401, retry: 'after-change', says: 'E-mail address or password is wrong.' },
  'auth.ambiguous': { status: 400, retry: 'after-change', says: 'Send either a token or an API key, not both.' },
  'auth.token_invalid': { status: 400, retry: 'never', says: 'This link has been used or has expired. Ask for a new one.' },
  'registration.closed': { status: 403, retry: 'never', says: 'This server does not take new accounts.' },
  'account.exists': { status: 409, retry: 'never', says: 'An account with this address exists.' },
  'access.forbidden': { status: 403, retry: 'never', says: 'Your role does not allow this.' },
  'space.required': { status: 400, retry: 'after-change', says: 'Name a space: this app has no personal ones.' },
  'space.not_found': { status: 404, retry: 'never', says: 'There is no such space, or you are no member of it.' },
  'space.exists': { status: 409, retry: 'after-change', says: 'A space of this name exists.' },
  'space.last_owner': { status: 409, retry: 'after-change', says: 'A space keeps at least one owner. Make somebody else an owner first.' },
  not_found: { status: 404, retry: 'never', says: 'There is nothing here, or it is not yours.' },
  'method.not_allowed': { status: 405, retry: 'never', says: 'This path does not take this method; Allow lists those it takes.' },
  'record.conflict': { status: 409, retry: 'after-change', says: 'The record has moved on since you read it.' },
  'record.exists': { status: 409, retry: 'after-change', says: 'A record with this id exists with other content.' },
  'record.invalid': { status: 422, retry: 'after-change', says: 'The record is not valid.' },
  'job.state': { status: 409, retry: 'after-change', says: 'The job is not in a state in which this can be done.' },
  'record.refused': { status: 409, retry: 'after-change', says: 'A rule of the app refuses this change.' },
  resync_required: { status: 410, retry: 'resync', says: 'The cursor cannot be continued. Keep the outbox and read again from an older cursor or from the start.' },
  'precondition.failed': { status: 412, retry: 'after-change', says: 'If-Match names another version than the current one.' },
  'body.too_large': { status: 413, retry: 'smaller', says: 'The body is larger than the limit.' },
  'batch.too_large': { status: 413, retry: 'smaller', says: 'The push has more mutations than the limit.' },
  'media_type.unsupported': { status: 415, retry: 'after-change', says: 'Send application/json.' },
  'idempotency.mismatch': { status: 422, retry: 'never', says: 'This Idempotency-Key was used for another request.' },
  'rate.limited': { status: 429, retry: 'later', says: 'Too many requests. Wait as long as Retry-After says.' },
  internal: { status: 500, retry: 'later', says: 'The server failed. The request id finds the reason in its log.' },
  unavailable: { status: 503, retry: 'later', says: 'The server cannot take writes now. Reads go on; try again later.' },
} as const satisfies Record<string, ErrorCode>

export type ProblemCode = keyof typeof errorCodes

/** Codes of a `rejected` mutation. A rule of an app may add its own. */
export const rejectionCodes = {
  'mutation.malformed': 'The mutation is not readable; the field that is wrong is named.',
  'mutation.number_missing': 'With a clientId every mutation carries its number n.',
  'collection.unknown': 'The app has no such collection.',
  'access.forbidden': 'Your role does not allow this write.',
  'record.invalid': 'The record would not be valid; fields lists what is wrong.',
  'record.not_found': 'There is no record of this id to change.',
  'field.read_only': 'The field is set by the server.',
  'reference.not_found': 'The record refers to one that does not exist.',
  'base.ahead': 'The base is newer than anything this server has given out for the record.',
  'group.aborted': 'Another mutation of the same group was not accepted.',
} as const

export type RejectionCode = keyof typeof rejectionCodes
