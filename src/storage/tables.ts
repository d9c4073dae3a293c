import type { Generated } from 'kysely'

/** The platform's own tables. Collections have tables of their own, made from the app's declaration. Times are epoch milliseconds. */
export interface Tables {
  holdfast_meta: MetaTable
  holdfast_migrations: MigrationTable
  holdfast_users: UserTable
  holdfast_devices: DeviceTable
  holdfast_sessions: SessionTable
  holdfast_refresh_tokens: RefreshTokenTable
  holdfast_one_time_links: OneTimeLinkTable
  holdfast_keys: KeyTable
  holdfast_spaces: SpaceTable
  holdfast_members: MemberTable
  holdfast_changes: ChangeTable
  holdfast_log_anchors: LogAnchorTable
  holdfast_horizons: HorizonTable
  holdfast_clients: ClientTable
  holdfast_outcomes: OutcomeTable
  holdfast_conflicts: ConflictTable
  holdfast_rejected: RejectedTable
  holdfast_idempotency: IdempotencyTable
  holdfast_jobs: JobTable
  holdfast_schedules: ScheduleTable
}

interface MetaTable {
  key: string
  value: string
}

interface MigrationTable {
  /** `platform/0001-…` or `<app>/0001-…`. */
  name: string
  applied_at: number
}

interface UserTable {
  id: string
  email: string
  /** NFKC, lower case: two spellings of one address are one account. */
  email_key: string
  password_hash: string
  display_name: string
  server_role: 'admin' | 'user'
  created_at: number
  disabled_at: number | null
}

interface DeviceTable {
  user_id: string
  id: string
  name: string
  platform: string
  app_version: string
  created_at: number
  last_seen_at: number
  revoked_at: number | null
  /** What the device last said of itself, JSON. */
  heartbeat: string | null
}

interface SessionTable {
  id: string
  user_id: string
  device_id: string
  created_at: number
  last_used_at: number
  expires_at: number
  revoked_at: number | null
}

interface RefreshTokenTable {
  hash: string
  session_id: string
  created_at: number
  expires_at: number
  used_at: number | null
}

interface OneTimeLinkTable {
  hash: string
  purpose: 'setup' | 'reset' | 'invite'
  user_id: string | null
  created_at: number
  expires_at: number
  used_at: number | null
}

interface KeyTable {
  id: string
  hash: string
  name: string
  app: string
  space: number
  role: 'viewer' | 'editor' | 'owner'
  created_by: string
  created_at: number
  last_used_at: number | null
  revoked_at: number | null
}

interface SpaceTable {
  /** Short key that every other table leads with. */
  space: Generated<number>
  /** Public name of the space in the API. */
  id: string
  app: string
  kind: 'personal' | 'organisation' | 'server'
  name: string
  owner_id: string | null
  version: number
  /** Version of the newest record or tombstone; events of the log move `version` only. */
  record_version: number
  /** Number and hash of the last entry of the change log. */
  seq: number
  chain_hash: string
  created_at: number
}

interface MemberTable {
  space: number
  user_id: string
  role: 'viewer' | 'editor' | 'owner'
  created_at: number
}

interface ChangeTable {
  space: number
  version: number
  seq: number
  at: number
  actor_type: 'user' | 'key' | 'system'
  actor_id: string
  actor_name: string
  /** `<collection>.<create|update|delete|restore>`, or an event such as `keys.create`. */
  action: string
  entity: string
  entity_id: string
  /** JSON: `{ field: [old, new] }`. */
  changes: string
  /** JSON: `device`, `at` (writer's clock), `previous` (version of the same record's entry before this one), and what an event adds. */
  detail: string
  request_id: string
  hash: string
}

interface LogAnchorTable {
  space: number
  /** Number, version and hash of the last entry that was forgotten. */
  seq: number
  version: number
  hash: string
  /** JSON: pairs of versions between which a restore has lost all. */
  lost: string
}

interface HorizonTable {
  space: number
  collection: string
  /** Highest version purged from the collection. */
  version: number
}

interface ClientTable {
  space: number
  /** `<author>/<clientId>`: another account with the same client id is another client. */
  client: string
  /** JSON array of closed ranges of decided mutation numbers, ascending. */
  decided: string
  acked_through: number
  pending: number
  updated_at: number
}

interface OutcomeTable {
  space: number
  client: string
  n: number
  outcome: string
}

interface ConflictTable {
  id: string
  space: number
  collection: string
  record: string
  client: string
  author: string
  device: string | null
  /** `open` waits for a person, `merged` was joined by a policy, `resolved` is done. */
  state: 'open' | 'merged' | 'resolved'
  reason: string
  operation: 'put' | 'patch' | 'delete'
  base_version: number
  /** JSON of the fields, null where a side has no record. */
  base: string | null
  server_version: number
  server: string | null
  client_fields: string | null
  resolution: string | null
  created_at: number
  updated_at: number
  resolved_at: number | null
  resolved_by: string | null
}

interface RejectedTable {
  id: string
  space: number
  client: string
  author: string
  device: string | null
  collection: string
  record: string
  operation: string
  code: string
  message: string
  /** JSON of the mutation as sent, and of the fields that are wrong. */
  mutation: string
  fields: string
  created_at: number
}

interface IdempotencyTable {
  space: number
  key: string
  fingerprint: string
  status: number
  body: string
  created_at: number
  /** From then on the key is as good as new. */
  expires_at: number
}

interface JobTable {
  id: string
  app: string
  space: number
  kind: string
  unique_key: string | null
  /** JSON. */
  payload: string
  /** The record that the job is a step of. */
  collection: string | null
  record: string | null
  state: 'later' | 'ready' | 'running' | 'done' | 'empty' | 'refused' | 'dead' | 'cancelled' | 'skipped'
  /** 1 when a worker died under the job: it is run beside no other such job. */
  alone: number
  attempts: number
  /** When it is or was due. */
  run_at: number
  /** New with every claim; null unless running. */
  lease: string | null
  lease_until: number | null
  /** From 0 to 1. */
  progress: number | null
  progress_label: string | null
  reason_code: string | null
  reason_message: string | null
  created_at: number
  started_at: number | null
  ended_at: number | null
}

interface ScheduleTable {
  app: string
  kind: string
  /** What identifies the schedule: a changed one begins anew. */
  schedule: string
  next_at: number
}
