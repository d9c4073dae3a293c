import { idSchema, type Fields, type JsonValue, type StoredRecord } from 'holdfast'
import { findSuperseded, getRecord, listSuperseded, recordHistory, type CompiledCollection, type HistoryEntry, type Reader, type SupersededWrite } from 'holdfast/server'
import { withText, type DraftBlock } from '../draft-blocks.ts'

/** One state of a record, or one that it never took because another won. */
export interface HistoryState {
  /** The version as text for what was applied, else the id of the row that keeps it. */
  readonly historyId: string
  readonly version: number | null
  readonly op: 'create' | 'update' | 'delete' | 'restore'
  readonly at: number
  readonly deviceId: string
  /** Undefined for a deletion. */
  readonly record: StoredRecord | undefined
}

export interface RecordPlace {
  readonly collection: CompiledCollection
  readonly space: number
  readonly id: string
}

/** Where a page of a record's history begins: below a version, or among the losers against it. */
export interface HistoryPosition {
  readonly version: number
  /** Set when the position is a loser against `version`. */
  readonly loser: string | undefined
}

/** States of a record, newest first. A loser stands right above the state it lost against. */
export async function readHistory(
  reader: Reader,
  { collection, space, id }: RecordPlace,
  { before, limit }: { readonly before: HistoryPosition | undefined; readonly limit: number },
): Promise<{ readonly states: readonly HistoryState[]; readonly more: boolean }> {
  const appliedBefore = before === undefined ? {} : { before: before.loser === undefined ? before.version : before.version + 1 }
  const applied = await recordHistory(reader, collection, space, id, { limit, ...appliedBefore })
  const lostBefore = before === undefined ? undefined : { winnerVersion: before.version, id: before.loser }
  const lost = await listSuperseded(reader, { space, collection: collection.name, record: id, before: lostBefore, limit })
  // Where one of the two goes on behind its page, what would stand below that has to wait.
  const appliedFrom = lost.more ? (lost.rows.at(-1)?.winnerVersion ?? 0) + 1 : 0
  const lostFrom = applied.more ? (applied.rows.at(-1)?.version ?? 0) : 0
  const losers = lost.rows.filter(({ winnerVersion }) => winnerVersion >= lostFrom)
  const states: HistoryState[] = []
  let next = 0
  for (const entry of applied.rows.filter(({ version }) => version >= appliedFrom)) {
    while ((losers[next]?.winnerVersion ?? -1) >= entry.version) states.push(lostState(id, losers[next++] as SupersededWrite))
    states.push(appliedState(entry))
  }
  states.push(...losers.slice(next).map((write) => lostState(id, write)))
  return { states: states.slice(0, limit), more: applied.more || lost.more || states.length > limit }
}

/** The place of a state that an earlier page ended with; undefined when the record has no such state. */
export async function positionOf(reader: Reader, { collection, space, id }: RecordPlace, historyId: string): Promise<HistoryPosition | undefined> {
  const version = versionOf(historyId)
  if (version !== undefined) return { version, loser: undefined }
  const lost = await findLoser(reader, { collection, space, id }, historyId)
  return lost === undefined ? undefined : { version: lost.winnerVersion, loser: lost.id }
}

/** Fields of the state to go back to: the one that is named, or the last live one. Undefined when there is none. */
export async function stateToRestore(reader: Reader, place: RecordPlace, historyId: string | undefined): Promise<Fields | undefined> {
  const { collection, space, id } = place
  if (historyId === undefined) {
    // A tombstone has the fields of the last live state.
    return (await getRecord(reader, collection, space, id))?.fields
  }
  const version = versionOf(historyId)
  if (version === undefined) {
    const lost = await findLoser(reader, place, historyId)
    return lost === undefined ? undefined : lostState(id, lost).record?.fields
  }
  const [entry] = (await recordHistory(reader, collection, space, id, { limit: 1, before: version + 1 })).rows
  return entry === undefined || entry.version !== version || entry.operation === 'delete' ? undefined : entry.record.fields
}

/** What is no id of a row is not even asked for. */
async function findLoser(reader: Reader, { collection, space, id }: RecordPlace, historyId: string): Promise<SupersededWrite | undefined> {
  return idSchema.safeParse(historyId).success ? findSuperseded(reader, { space, collection: collection.name, record: id }, historyId) : undefined
}

function versionOf(historyId: string): number | undefined {
  const version = /^\d{1,16}$/.test(historyId) ? Number(historyId) : Number.NaN
  return Number.isSafeInteger(version) ? version : undefined
}

function appliedState({ version, operation, at, record }: HistoryEntry): HistoryState {
  const live = operation !== 'delete'
  return { historyId: String(version), version, op: operation, at, deviceId: String(record.fields['deviceId'] ?? ''), record: live ? { ...record, version, deletedAt: null } : undefined }
}

/** What the record would have been if the loser had won. */
function lostState(id: string, { id: historyId, at, operation, winner, winnerVersion, sent, device }: SupersededWrite): HistoryState {
  const fields: Fields = { ...winner, ...sent, ...textBlocks(winner, sent), ...(winner === null ? {} : { writtenAt: winner['writtenAt'] ?? 0 }) }
  const record: StoredRecord = { id, version: winnerVersion, createdAt: at, updatedAt: at, deletedAt: null, author: '', device, fields }
  return { historyId, version: null, op: operation === 'put' ? 'create' : 'update', at, deviceId: String(fields['deviceId'] ?? ''), record }
}

/** Blocks of a draft whose loser knew only its text. */
function textBlocks(winner: Fields | null, sent: Fields | null): Fields {
  const blocks = winner?.['blocks']
  const text = sent?.['content']
  if (!Array.isArray(blocks) || typeof text !== 'string' || sent?.['blocks'] !== undefined) return {}
  return { blocks: withText(blocks as readonly DraftBlock[], text) as unknown as readonly JsonValue[] }
}
