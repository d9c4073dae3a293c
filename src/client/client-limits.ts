/**
 * Bounds of the client, with units; each keeps memory, traffic or waiting in hand. Imported as a whole, as `clientLimits`: a bundle then holds
 * the numbers without their names.
 */

/** One push: a lost answer costs at most this much to send again. */
export const PUSH_ROWS_MAX = 500
export const PUSH_BYTES_MAX = 1_048_576
/** Edits that may fail one after another before the server itself is taken to be broken. */
export const FAILED_ALONE_MAX = 3
/** A transaction is one push, so that it is accepted together. */
export const TRANSACTION_EDITS_MAX = 500
export const PULL_RECORDS = 500
/** Records of a snapshot that are applied in one local transaction. */
export const SNAPSHOT_RECORDS = 500
export const SNAPSHOT_CHARS = 1_048_576
/** One line of a snapshot: a record is smaller than a body. */
export const LINE_CHARS_MAX = 16_777_216
/** One answer that is read whole. */
export const ANSWER_BYTES_MAX = 67_108_864
/** An answer, or a part of one, that is not there by then will not come. */
export const SILENCE_MS_MAX = 60_000
/** A quiet event stream is broken: the server sends something at least every 30 s. */
export const EVENT_SILENCE_MS_MAX = 90_000
export const SAVE_DELAY_MS = 1_000
export const SAVE_DELAY_MS_MAX = 5_000
export const CONNECTIVITY_DELAY_MS = 2_000
export const TIMER_MS = 900_000
/** Reading anew while no event stream tells of changes. */
export const POLL_MS = 60_000
/** Waits after failures in a row; the last one repeats. */
export const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 300_000, 1_800_000, 3_600_000] as const
export const RETRY_JITTER = 0.2
/** A server that asks for more than this is asked again all the same. */
export const RETRY_AFTER_MS_MAX = 3_600_000
/** No wait is longer than this: the last one after failures with its jitter, and a little more. */
export const WAIT_MS_MAX = 4_500_000
/** The access token is renewed this long before it ends. */
export const TOKEN_MARGIN_MS = 30_000
/** A device says how it is at least this often while it syncs. */
export const REPORT_MS = 900_000
export const LADDER_RUNGS = 8
/** A new rung of the ladder is at least this much younger than the one before. */
export const LADDER_STEP_MS = 3_600_000
export const ACKED_MS = 1_209_600_000
/** Records whose state is asked for one by one after a restore; above this all is read again. */
export const RECOVER_RECORDS_MAX = 500
/** Entries of one page when a table is walked. */
export const PAGE = 500
/** What is watched rests so many times as long as it took to read, but at least until a screen shows its next frame and no longer than the last. */
export const WATCH_RESTS = 9
export const WATCH_REST_MS_MIN = 16
export const WATCH_REST_MS_MAX = 1_000
/** Changed records named in one message between tabs. */
export const CHANGE_RECORDS_MAX = 1_000
/** How long a tab waits for the one that syncs. */
export const TAB_ANSWER_MS_MAX = 120_000
