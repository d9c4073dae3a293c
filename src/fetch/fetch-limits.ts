/** Bounds of every request to an address that somebody else gave. */
export const fetchLimits = {
  URL_CHARS_MAX: 2_048,
  REDIRECTS_MAX: 5,
  TIMEOUT_MS_DEFAULT: 10_000,
  BYTES_MAX_DEFAULT: 5_242_880,
  HEADER_BYTES_MAX: 32_768,
  /** Addresses of one name that are tried, one after the other. */
  ADDRESSES_MAX: 4,
} as const
