import { sql, type CreateTableBuilder, type Kysely } from 'kysely'

type Table = CreateTableBuilder<string, string>

/** The platform's tables as of the first release. Every table of a space leads with it. */
export async function createPlatform(db: Kysely<never>): Promise<void> {
  await accounts(db)
  await spaces(db)
  await syncState(db)
  await jobs(db)
}

async function accounts(db: Kysely<never>): Promise<void> {
  await make(db, 'holdfast_users', (table) =>
    text(table, 'id', 'email', 'email_key', 'password_hash', 'display_name', 'server_role')
      .addColumn('created_at', 'bigint', required)
      .addColumn('disabled_at', 'bigint')
      .addPrimaryKeyConstraint('holdfast_users_key', ['id'])
      .addUniqueConstraint('holdfast_users_email', ['email_key']),
  )
  await make(db, 'holdfast_devices', (table) =>
    moments(text(table, 'user_id', 'id', 'name', 'platform', 'app_version'), 'created_at', 'last_seen_at')
      .addColumn('revoked_at', 'bigint')
      .addColumn('heartbeat', 'text')
      .addPrimaryKeyConstraint('holdfast_devices_key', ['user_id', 'id']),
  )
  await make(db, 'holdfast_sessions', (table) =>
    moments(text(table, 'id', 'user_id', 'device_id'), 'created_at', 'last_used_at', 'expires_at')
      .addColumn('revoked_at', 'bigint')
      .addPrimaryKeyConstraint('holdfast_sessions_key', ['id']),
  )
  await db.schema.createIndex('holdfast_sessions_user').on('holdfast_sessions').columns(['user_id', 'device_id']).execute()
  await make(db, 'holdfast_refresh_tokens', (table) =>
    moments(text(table, 'hash', 'session_id'), 'created_at', 'expires_at')
      .addColumn('used_at', 'bigint')
      .addPrimaryKeyConstraint('holdfast_refresh_tokens_key', ['hash']),
  )
  await db.schema.createIndex('holdfast_refresh_tokens_session').on('holdfast_refresh_tokens').column('session_id').execute()
  await make(db, 'holdfast_one_time_links', (table) =>
    moments(text(table, 'hash', 'purpose').addColumn('user_id', 'text'), 'created_at', 'expires_at')
      .addColumn('used_at', 'bigint')
      .addPrimaryKeyConstraint('holdfast_one_time_links_key', ['hash']),
  )
  await make(db, 'holdfast_keys', (table) =>
    moments(text(table, 'id', 'hash', 'name', 'app', 'role', 'created_by').addColumn('space', 'integer', required), 'created_at')
      .addColumn('last_used_at', 'bigint')
      .addColumn('revoked_at', 'bigint')
      .addPrimaryKeyConstraint('holdfast_keys_key', ['id'])
      .addUniqueConstraint('holdfast_keys_hash', ['hash']),
  )
  await db.schema.createIndex('holdfast_keys_space').on('holdfast_keys').column('space').execute()
}

async function spaces(db: Kysely<never>): Promise<void> {
  await make(db, 'holdfast_spaces', (table) =>
    moments(
      text(
        table.addColumn('space', 'integer', (column) => column.primaryKey().autoIncrement()),
        'id',
        'app',
        'kind',
        'name',
      ),
      'version',
      'record_version',
      'seq',
      'created_at',
    )
      .addColumn('owner_id', 'text')
      .addColumn('chain_hash', 'text', required)
      .addUniqueConstraint('holdfast_spaces_id', ['id'])
      .addUniqueConstraint('holdfast_spaces_name', ['app', 'kind', 'name']),
  )
  await make(db, 'holdfast_members', (table) =>
    moments(text(table.addColumn('space', 'integer', required), 'user_id', 'role'), 'created_at').addPrimaryKeyConstraint('holdfast_members_key', ['space', 'user_id']),
  )
  await db.schema.createIndex('holdfast_members_user').on('holdfast_members').column('user_id').execute()
  await make(db, 'holdfast_changes', (table) =>
    moments(table.addColumn('space', 'integer', required), 'version', 'seq', 'at')
      .$call((t) => text(t, 'actor_type', 'actor_id', 'actor_name', 'action', 'entity', 'entity_id', 'changes', 'detail', 'request_id', 'hash'))
      .addPrimaryKeyConstraint('holdfast_changes_key', ['space', 'version']),
  )
  await make(db, 'holdfast_horizons', (table) =>
    text(table.addColumn('space', 'integer', required), 'collection')
      .addColumn('version', 'bigint', required)
      .addPrimaryKeyConstraint('holdfast_horizons_key', ['space', 'collection']),
  )
}

async function syncState(db: Kysely<never>): Promise<void> {
  await make(db, 'holdfast_clients', (table) =>
    moments(text(table.addColumn('space', 'integer', required), 'client', 'decided'), 'acked_through', 'pending', 'updated_at').addPrimaryKeyConstraint('holdfast_clients_key', ['space', 'client']),
  )
  await make(db, 'holdfast_outcomes', (table) =>
    text(table.addColumn('space', 'integer', required), 'client', 'outcome')
      .addColumn('n', 'bigint', required)
      .addPrimaryKeyConstraint('holdfast_outcomes_key', ['space', 'client', 'n']),
  )
  await make(db, 'holdfast_conflicts', (table) =>
    moments(
      text(table.addColumn('space', 'integer', required), 'id', 'collection', 'record', 'client', 'author', 'state', 'reason', 'operation'),
      'base_version',
      'server_version',
      'created_at',
      'updated_at',
    )
      .$call((t) => nullableText(t, 'device', 'base', 'server', 'client_fields', 'resolution', 'resolved_by'))
      .addColumn('resolved_at', 'bigint')
      .addPrimaryKeyConstraint('holdfast_conflicts_key', ['space', 'id']),
  )
  await db.schema.createIndex('holdfast_conflicts_record').on('holdfast_conflicts').columns(['space', 'collection', 'record']).execute()
  await db.schema
    .createIndex('holdfast_conflicts_open')
    .on('holdfast_conflicts')
    .columns(['space', 'client', 'collection', 'record'])
    .unique()
    .where(sql`state`, '=', sql`'open'`)
    .execute()
  await make(db, 'holdfast_rejected', (table) =>
    moments(text(table.addColumn('space', 'integer', required), 'id', 'client', 'author', 'collection', 'record', 'operation', 'code', 'message', 'mutation', 'fields'), 'created_at')
      .addColumn('device', 'text')
      .addPrimaryKeyConstraint('holdfast_rejected_key', ['space', 'id'])
      .addUniqueConstraint('holdfast_rejected_record', ['space', 'client', 'collection', 'record']),
  )
  await make(db, 'holdfast_idempotency', (table) =>
    moments(text(table.addColumn('space', 'integer', required), 'key', 'fingerprint', 'body'), 'created_at', 'expires_at')
      .addColumn('status', 'integer', required)
      .addPrimaryKeyConstraint('holdfast_idempotency_key', ['space', 'key']),
  )
  await db.schema.createIndex('holdfast_idempotency_expiry').on('holdfast_idempotency').column('expires_at').execute()
}

async function jobs(db: Kysely<never>): Promise<void> {
  await make(db, 'holdfast_jobs', (table) =>
    moments(text(table.addColumn('space', 'integer', required), 'id', 'app', 'kind', 'payload', 'state'), 'run_at', 'created_at')
      .addColumn('alone', 'integer', required)
      .addColumn('attempts', 'integer', required)
      .$call((t) => nullableText(t, 'unique_key', 'collection', 'record', 'lease', 'progress_label', 'reason_code', 'reason_message'))
      .addColumn('progress', 'double precision')
      .addColumn('lease_until', 'bigint')
      .addColumn('started_at', 'bigint')
      .addColumn('ended_at', 'bigint')
      .addPrimaryKeyConstraint('holdfast_jobs_key', ['id']),
  )
  const index = (name: string, columns: readonly string[]) =>
    db.schema
      .createIndex(`holdfast_jobs_${name}`)
      .on('holdfast_jobs')
      .columns([...columns])
  await index('ready', ['app', 'kind', 'alone', 'space', 'run_at', 'id'])
    .where(sql`state`, '=', sql`'ready'`)
    .execute()
  await index('later', ['run_at'])
    .where(sql`state`, '=', sql`'later'`)
    .execute()
  await index('running', ['lease_until'])
    .where(sql`state`, '=', sql`'running'`)
    .execute()
  await index('ended', ['ended_at'])
    .where(sql`ended_at`, 'is not', sql`null`)
    .execute()
  await index('space', ['space', 'id']).execute()
  await index('record', ['space', 'collection', 'record', 'kind', 'id'])
    .where(sql`record`, 'is not', sql`null`)
    .execute()
  await index('unique', ['space', 'kind', 'unique_key'])
    .unique()
    .where(sql`unique_key`, 'is not', sql`null`)
    .where(sql`state`, 'in', sql`('later', 'ready', 'running')`)
    .execute()
  await make(db, 'holdfast_schedules', (table) => moments(text(table, 'app', 'kind', 'schedule'), 'next_at').addPrimaryKeyConstraint('holdfast_schedules_key', ['app', 'kind']))
}

async function make(db: Kysely<never>, name: string, columns: (table: Table) => Table): Promise<void> {
  await columns(db.schema.createTable(name) as Table).execute()
}

function required<Column extends { notNull(): Column }>(column: Column): Column {
  return column.notNull()
}

function text(table: Table, ...names: readonly string[]): Table {
  return names.reduce((built, name) => built.addColumn(name, 'text', required), table)
}

function nullableText(table: Table, ...names: readonly string[]): Table {
  return names.reduce((built, name) => built.addColumn(name, 'text'), table)
}

/** Versions, counters and epoch milliseconds: all need 64 bits. */
function moments(table: Table, ...names: readonly string[]): Table {
  return names.reduce((built, name) => built.addColumn(name, 'bigint', required), table)
}
