const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const DAY_MS = 24 * 60 * MINUTE_MS

/** Lives and bounds of jobs. */
export const jobLimits = {
  ATTEMPTS_DEFAULT: 5,
  BACKOFF_MS_DEFAULT: [2 * SECOND_MS, 30 * SECOND_MS, 5 * MINUTE_MS],
  TIMEOUT_MS_DEFAULT: MINUTE_MS,
  /** Longest that a timer waits: a time limit beyond it is none before then. */
  TIMER_MS_MAX: 2_147_483_647,
  CONCURRENCY_DEFAULT: 4,
  /** Jobs of a quick kind that are claimed beyond its free places, and the time in which they are expected to begin, in milliseconds. */
  AHEAD_MAX: 100,
  AHEAD_MS: 20,
  /** One that did not begin in this time, in milliseconds, is given back for others. */
  AHEAD_MS_MAX: 1_000,
  /** Weight of the last job in what jobs of its kind are expected to take. */
  LAST_MS_SHARE: 0.2,
  /** Jobs of a process whose end is still being stored; beyond it nothing is claimed. */
  ENDING_MAX: 500,
  /** Longest wait that a failure may ask for. */
  RETRY_MS_MAX: DAY_MS,
  /** Share of a wait by which it is spread, so that jobs that failed together do not come back together. */
  JITTER_SHARE: 0.2,
  /** Characters of a reason: enough to act on, too few for a page of HTML. */
  REASON_CODE_CHARS_MAX: 60,
  REASON_MESSAGE_CHARS_MAX: 500,
  PROGRESS_LABEL_CHARS_MAX: 200,
  /** Least time between two stored progresses of a job, in milliseconds. */
  PROGRESS_MS: 250,
  /** Rows moved or removed in one transaction. */
  BATCH_ROWS_MAX: 1_000,
  /** Ended jobs are kept this long; dead ones, and the newest of each kind of a record, stay longer. */
  ENDED_LIFE_MS: 7 * DAY_MS,
  DEAD_LIFE_MS: 90 * DAY_MS,
  /** Spaces of an app in one answer to a job that goes through all. */
  SPACES_MAX: 1_000,
} as const
