const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Lives and bounds of credentials. */
export const accountLimits = {
  ACCESS_TOKEN_LIFE_S: 900,
  REFRESH_TOKEN_LIFE_MS: 30 * DAY_MS,
  /** A client that lost the answer to a refresh may ask again this long. */
  REFRESH_GRACE_MS: 30_000,
  SETUP_LINK_LIFE_MS: DAY_MS,
  RESET_LINK_LIFE_MS: HOUR_MS,
  INVITE_LIFE_MS: 7 * DAY_MS,
  /** Reset mails to one account within `RESET_LINK_LIFE_MS`: nobody's mailbox is flooded. */
  RESET_MAILS_MAX: 3,
  /** Least time between two notes of a key's use. */
  KEY_TOUCH_MS: MINUTE_MS,
  /** Verified access tokens and noted keys remembered by one process, about 1 KiB each. */
  CACHE_ENTRIES_MAX: 10_000,
  /** Hashes computed at once: each takes 64 MiB and a thread of libuv's four. */
  HASHES_MAX: 3,
  /** Sign-ins waiting for a hash; more are asked to come later. */
  HASHES_WAITING_MAX: 200,
  /** Mails and notes of use waiting to be done. */
  BACKGROUND_MAX: 1_000,
  /** Devices, sessions, keys, members or accounts in one answer. */
  LIST_MAX: 1_000,
} as const
