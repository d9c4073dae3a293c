/** What a failed statement means for the transaction it was in. */
export type PostgresFault =
  /** Nothing was kept and the same work may succeed now: a deadlock, a lost connection, a server that restarts. */
  | 'again'
  /** The database cannot take the work now; the caller should come back. */
  | 'unavailable'
  /** The work itself is at fault. */
  | 'own'

/** SQLSTATE classes and codes (postgresql.org/docs/current/errcodes-appendix.html). */
const againCodes = new Set(['40001', '40P01', '25006', '53300', '57P01', '57P02', '57P03'])
const unavailableCodes = new Set(['55P03', '57014', '25P03', '58030', 'XX000', 'XX001', 'XX002'])
/** Node's codes of a connection that was not made or was lost. */
const networkCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'])
/** The driver's own messages for the same; it gives them no code. */
const connectionMessages = /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout expired|timeout exceeded when trying to connect|Query read timeout)/

const ADMIN_SHUTDOWN = '57P01'

/** Sorts an error of the driver. */
export function faultOf(error: unknown): PostgresFault {
  const code = codeOf(error)
  if (isConnectionLost(error) || againCodes.has(code)) return 'again'
  if (unavailableCodes.has(code) || code.startsWith('53')) return 'unavailable'
  return 'own'
}

/** True when nobody knows what the server did with the last statement it was sent. */
export function isConnectionLost(error: unknown): boolean {
  const code = codeOf(error)
  return code.startsWith('08') || code.startsWith('57P') || networkCodes.has(code) || (error instanceof Error && code === '' && connectionMessages.test(error.message))
}

/** True when the server ended the connection in order, so that its log of transactions is whole. */
export function isOrderlyEnd(error: unknown): boolean {
  return codeOf(error) === ADMIN_SHUTDOWN
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0])
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
