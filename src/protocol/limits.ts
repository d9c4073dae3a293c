/** Every bound a client can meet, with its unit in the name. The manifest publishes them. */
export const limits = {
  /** One JSON body. A note of 1,048,576 characters outside ASCII must fit with its JSON escapes. */
  BODY_BYTES_MAX: 8_388_608,
  /** Fields that are told of one request or record, and characters of a path or message: what is wrong may be as much as was sent. */
  TOLD_FIELDS_MAX: 50,
  TOLD_CHARS_MAX: 300,
  /** A body of an account route, which many may send who have no account. */
  ACCOUNT_BODY_BYTES_MAX: 65_536,
  /** Nesting of one JSON body; deeper input is an attack on recursive code. */
  JSON_DEPTH_MAX: 32,
  /** Values in one JSON body, those inside others included: 8 MiB of `[1,1,…` are millions, each of which is checked by itself. */
  JSON_VALUES_MAX: 500_000,
  PUSH_MUTATIONS_MAX: 1_000,
  /** Texts of the records that one push names, once for each mutation: its answer may show all of them. */
  PUSH_RECORD_BYTES_MAX: 33_554_432,
  PULL_RECORDS_DEFAULT: 500,
  PULL_RECORDS_MAX: 1_000,
  /** A page stops early, after at least one record, when the texts in it pass this. */
  PULL_BYTES_MAX: 8_388_608,
  /** A page of any list stops early, after at least one row, when the texts in it pass this. */
  PAGE_BYTES_MAX: 8_388_608,
  LIST_RECORDS_DEFAULT: 100,
  LIST_RECORDS_MAX: 1_000,
  LIST_FILTERS_MAX: 10,
  ID_CHARS_MAX: 128,
  GROUP_CHARS_MAX: 128,
  /** Open event streams of one account; each holds a socket. */
  EVENT_STREAMS_MAX: 20,
  /** Snapshots of one account under way at once; each holds a socket, a page and a compressor. */
  SNAPSHOTS_MAX: 20,
  /** Changes carried inside a doorbell; above this a client pulls. */
  EVENT_BYTES_MAX: 16_384,
  /** Gaps that a client may leave in its mutation numbers: those it has set aside. */
  NUMBER_GAPS_MAX: 20_000,
  /** Outcomes kept for one client until its `ackedThrough` passes them; far more than one that is well may have open. */
  KEPT_OUTCOMES_MAX: 50_000,
  /** Rejected mutations kept for one author, whatever its clients; the oldest give way. */
  REJECTED_ROWS_MAX: 1_000,
  /** Characters kept of a mutation whose sender may only read. */
  VIEWER_REJECTED_CHARS_MAX: 65_536,
  /** Mutations a rule may add to one commit, cascades included. */
  RULE_MUTATIONS_MAX: 500_000,
  IDEMPOTENCY_KEY_CHARS_MAX: 128,
  /** How long a repeated request gets its first answer again, unless an app says otherwise. */
  IDEMPOTENCY_LIFE_MS: 86_400_000,
} as const
