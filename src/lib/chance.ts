/** The real clock and random source of a process, handed in so that tests can replace them. */
export interface Chance {
  /** Epoch milliseconds. */
  now(): number
  /** A UUIDv7. */
  id(): string
  /** A secret of 32 random bytes, base64url. */
  secret(): string
}
