/** No inline script, nothing from elsewhere, no frame around it. An app's own pages may say otherwise for themselves. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'self'; base-uri 'none'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; img-src 'self' data: blob:; object-src 'none'; script-src 'self'; style-src 'self'"

const YEAR_S = 31_536_000

/**
 * Headers of every answer. They are the same for all, so they are made once and not by a middleware per request.
 * Browsers are told to insist on TLS only where the configured address has it.
 */
export function securityHeaders(publicUrl: string | undefined): Readonly<Record<string, string>> {
  return {
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'x-permitted-cross-domain-policies': 'none',
    'cache-control': 'no-store',
    ...(publicUrl?.startsWith('https://') === true ? { 'strict-transport-security': `max-age=${YEAR_S}; includeSubDomains` } : {}),
  }
}
