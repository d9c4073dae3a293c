/** Code points of a captured text and of what people may write about it, and how many of each there may be. */
export const vaultLimits = {
  RAW_TEXT_CHARS_MAX: 10_000,
  TITLE_CHARS_MAX: 255,
  SUMMARY_CHARS_MAX: 5_000,
  URL_CHARS_MAX: 2_048,
  TAG_CHARS_MAX: 50,
  /** Tags of one item. */
  TAGS_MAX: 50,
  SUGGESTIONS_MAX: 10,
  ARTICLE_CHARS_MAX: 200_000,
} as const
