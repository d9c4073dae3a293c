/** Bounds of what is searched, and of a search. */
export const searchLimits = {
  /** Characters of a record that can be found; what is behind them cannot. */
  TEXT_CHARS_MAX: 262_144,
  QUERY_CHARS_MAX: 500,
  /** Words and phrase of a search together; each is looked up by itself. */
  TERMS_MAX: 16,
  /** Grams of one term that are looked up; the match itself is then checked by the whole term. */
  TERM_GRAMS_MAX: 24,
  PAGE_RECORDS_MAX: 100,
  PAGE_RECORDS_DEFAULT: 20,
  /** Records that are indexed again at once when a declaration has changed: all of them are in memory, long ones too. */
  REINDEX_BATCH: 100,
} as const
