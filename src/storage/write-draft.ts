import type { CompiledApp, CompiledCollection } from '../app/compile-app.ts'
import type { Scope } from '../app/rule.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import { appendEntries, type ChainHead } from './change-log.ts'
import type { CommitDraft } from './commit-draft.ts'
import type { AuditEvent } from './commit-request.ts'
import type { SqlValue, Transactor } from './database.ts'
import { indexMembers } from './member-index.ts'
import { rowFromRecord, syncColumns } from './record-rows.ts'
import { indexRecords } from './search-index.ts'
import type { SpaceState } from './space-state.ts'

export interface DraftToWrite {
  readonly app: CompiledApp
  readonly scope: Scope
  readonly state: SpaceState
  readonly draft: CommitDraft
  readonly now: number
  readonly events: readonly AuditEvent[]
}

/** Writes records and log of a draft in one statement per table, and moves the space on. Nothing to write costs nothing. Answers the head of the log. */
export async function writeDraft(tx: Transactor, { scope, state, draft, now, events }: DraftToWrite): Promise<ChainHead> {
  const recordVersion = draft.recordVersion ?? state.recordVersion
  await writeRecords(tx, scope.space, draft)
  for (const { action, entity, entityId, detail } of events) {
    draft.entries.push({ version: draft.nextVersion(), action, entity, entityId, changes: '{}', detail: canonicalJson(detail) })
  }
  if (draft.entries.length === 0) return state
  const head = await appendEntries(tx, state, draft.entries, { space: scope.space, actor: scope.actor, requestId: scope.requestId, at: now })
  await tx.send('UPDATE holdfast_spaces SET version = ?, record_version = ?, seq = ?, chain_hash = ? WHERE space = ?', [draft.version, recordVersion, head.seq, head.chainHash, scope.space])
  return head
}

async function writeRecords(tx: Transactor, space: number, draft: CommitDraft): Promise<void> {
  const made = new Map<CompiledCollection, SqlValue[][]>()
  const replaced = new Map<CompiledCollection, SqlValue[][]>()
  for (const { collection, record, original } of draft.written()) {
    const rows = original === undefined ? made : replaced
    const row = rowFromRecord(collection, space, record)
    const known = rows.get(collection)
    if (known === undefined) rows.set(collection, [row])
    else known.push(row)
  }
  for (const [collection, rows] of made) await tx.insertMany({ table: collection.table, columns: columnsOf(collection).insert, rows })
  for (const [collection, rows] of replaced) await tx.insertMany({ table: collection.table, columns: columnsOf(collection).replace, rows, replaceBy: recordKey })
  await indexMembers(tx, space, draft.written())
  await indexRecords(tx, space, draft.written())
}

const recordKey = ['space', 'id'] as const

interface ColumnLists {
  readonly insert: readonly string[]
  readonly replace: readonly string[]
}

const columnLists = new WeakMap<CompiledCollection, ColumnLists>()

/** Column lists made once per collection: statements are kept by them. */
function columnsOf(collection: CompiledCollection): ColumnLists {
  const known = columnLists.get(collection)
  if (known !== undefined) return known
  const columns = [...syncColumns, ...collection.fields.map(({ column }) => column)]
  const lists = { insert: columns, replace: [...columns] }
  columnLists.set(collection, lists)
  return lists
}
