/** Bounds of the client, with units; each keeps memory, traffic or waiting in hand. */
export const clientLimits = {
  /** One push: a lost answer costs at most this much to send again. */
  PUSH_ROWS_MAX: 500,
  PUSH_BYTES_MAX: 1_048_576,
  /** Edits that may fail one after another before the server itself is taken to be broken. */
  FAILED_ALONE_MAX: 3,
  /** A transaction is one push, so that it is accepted together. */
  TRANSACTION_EDITS_MAX: 500,
  PULL_RECORDS: 500,
  /** Records of a snapshot that are applied in one local transaction. */
  SNAPSHOT_RECORDS: 500,
  SNAPSHOT_CHARS: 1_048_576,
  /** One line of a snapshot: a record is smaller than a body. */
  LINE_CHARS_MAX: 16_777_216,
  /** One answer that is read whole. */
  ANSWER_BYTES_MAX: 67_108_864,
  /** An answer, or a part of one, that is not there by then will not come. */
  SILENCE_MS_MAX: 60_000,
  /** A quiet event stream is broken: the server sends something at least every 30 s. */
  EVENT_SILENCE_MS_MAX: 90_000,
  SAVE_DELAY_MS: 1_000,
  SAVE_DELAY_MS_MAX: 5_000,
  CONNECTIVITY_DELAY_MS: 2_000,
  TIMER_MS: 900_000,
  /** Reading anew while no event stream tells of changes. */
  POLL_MS: 60_000,
  /** Waits after failures in a row; the last one repeats. */
  RETRY_MS: [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 300_000, 1_800_000, 3_600_000],
  RETRY_JITTER: 0.2,
  /** A server that asks for more than this is asked again all the same. */
  RETRY_AFTER_MS_MAX: 3_600_000,
  /** No wait is longer than this: the last one after failures with its jitter, and a little more. */
  WAIT_MS_MAX: 4_500_000,
  /** The access token is renewed this long before it ends. */
  TOKEN_MARGIN_MS: 30_000,
  /** A device says how it is at least this often while it syncs. */
  REPORT_MS: 900_000,
  LADDER_RUNGS: 8,
  /** A new rung of the ladder is at least this much younger than the one before. */
  LADDER_STEP_MS: 3_600_000,
  ACKED_MS: 1_209_600_000,
  /** Records whose state is asked for one by one after a restore; above this all is read again. */
  RECOVER_RECORDS_MAX: 500,
  /** Entries of one page when a table is walked. */
  PAGE: 500,
  /** What is watched rests so many times as long as it took to read, but no longer than this. */
  WATCH_RESTS: 9,
  WATCH_REST_MS_MAX: 1_000,
  /** Changed records named in one message between tabs. */
  CHANGE_RECORDS_MAX: 1_000,
  /** How long a tab waits for the one that syncs. */
  TAB_ANSWER_MS_MAX: 120_000,
} as const
