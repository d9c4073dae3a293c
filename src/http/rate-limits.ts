/** How many requests a window takes. */
export interface RateLimit {
  readonly requestsMax: number
  readonly windowS: number
}

/**
 * Rate limits of one process, on unless switched off. Generous: they stop a runaway loop and a guessing machine, not a busy person.
 * A request with a valid credential counts for its user or key alone, so that an office behind one address is not one caller.
 */
export const rateLimits = {
  /** Requests of one user or API key. */
  principal: { requestsMax: 6_000, windowS: 60 },
  /** Requests without a credential from one address. */
  address: { requestsMax: 1_200, windowS: 60 },
  /** Requests with a wrong credential from one address. */
  wrongCredential: { requestsMax: 120, windowS: 60 },
  /** Sign-in, registration, refresh and reset from one address. */
  signInByAddress: { requestsMax: 120, windowS: 60 },
  /** The same for one account, wherever they come from. */
  signInByAccount: { requestsMax: 30, windowS: 300 },
} as const satisfies Record<string, RateLimit>

export type RateLimits = Readonly<Record<keyof typeof rateLimits, RateLimit>>
