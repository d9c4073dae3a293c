/** Every bound a client can meet, with its unit in the name. The manifest publishes them. */
export const limits = {
  /** One JSON body. A note of 1,048,576 characters outside ASCII must fit with its JSON escapes. */
  BODY_BYTES_MAX: 8_388_608,
  /** Nesting of one JSON body; deeper input is an attack on recursive code. */
  JSON_DEPTH_MAX: 32,
  PUSH_MUTATIONS_MAX: 1_000,
  PULL_RECORDS_DEFAULT: 500,
  PULL_RECORDS_MAX: 1_000,
  /** A page stops early, after at least one record, when its JSON passes this. */
  PULL_BYTES_MAX: 8_388_608,
  LIST_RECORDS_DEFAULT: 100,
  LIST_RECORDS_MAX: 1_000,
  LIST_FILTERS_MAX: 10,
  ID_CHARS_MAX: 128,
  GROUP_CHARS_MAX: 128,
  /** Open event streams of one account; each holds a socket. */
  EVENT_STREAMS_MAX: 20,
  /** Changes carried inside a doorbell; above this a client pulls. */
  EVENT_BYTES_MAX: 16_384,
  /** Rejected mutations kept for one client; the oldest give way. */
  REJECTED_ROWS_MAX: 1_000,
  /** Mutations a rule may add to one commit, cascades included. */
  RULE_MUTATIONS_MAX: 100_000,
  IDEMPOTENCY_KEY_CHARS_MAX: 128,
} as const
