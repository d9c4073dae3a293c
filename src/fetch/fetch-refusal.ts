/**
 * Why nothing was fetched. `invalid`: not an http(s) address, or with user info, or too long; `blocked`: the address or port is not one of the public internet's;
 * `redirects`: too many of them; `status`: the answer is not 2xx; `type`: not a type that was asked for; `error`: no answer at all.
 */
export type RefusalCode = 'invalid' | 'blocked' | 'redirects' | 'timeout' | 'too_large' | 'status' | 'type' | 'error'

/** Thrown inside, an outcome outside. The message holds no more than host and status. */
export class FetchRefusal extends Error {
  override readonly name = 'FetchRefusal'
  readonly code: RefusalCode

  constructor(code: RefusalCode, message: string) {
    super(message)
    this.code = code
  }
}
