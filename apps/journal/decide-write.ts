import { sameJson, type Fields, type StoredRecord } from 'holdfast'
import type { ContractDecision, WriteContract } from 'holdfast/server'

/** A write of the dialect to a note, journal or draft, as far as its fate depends on it. */
export interface DialectWrite {
  readonly kind: 'create' | 'update' | 'delete'
  /** The version the writer says it last saw; undefined when it does not say. */
  readonly known: number | undefined
  /** The writer asks for a deleted record to come back. */
  readonly restore: boolean
}

/** Fields that a write does not change, or that its writer does not own: they make no difference between two states. */
const indifferent: ReadonlySet<string> = new Set(['deviceId', 'writtenAt', 'blockTypes'])

/** The decision table of the dialect. Asked under the space's lock, so that looking and writing are one step. */
export function contractOf(write: DialectWrite): WriteContract {
  return ({ stored, mutation, now }) => {
    if (write.kind === 'delete') return decideDelete(stored, write)
    if (stored === undefined) return write.kind === 'create' ? 'write' : 'missing'
    if (stored.deletedAt !== null) return decideDeleted(stored, stored.deletedAt, { write, sent: mutation.sent, now })
    // Of two devices that wrote the same at the same time the larger is noted: it decides against a third, which may have come before or come yet.
    if (isSame(stored, mutation.sent, write)) return write.known === undefined && deviceOf(mutation.sent) > deviceOf(stored.fields) ? 'write' : 'unchanged'
    if (write.known !== undefined) return decideKnown(stored, write.known)
    return wins(stored, mutation.sent, now) ? 'write' : 'keep'
  }
}

function decideDelete(stored: StoredRecord | undefined, { known }: DialectWrite): ContractDecision {
  if (stored === undefined || stored.deletedAt !== null) return 'unchanged'
  return known === undefined ? 'write' : decideKnown(stored, known)
}

function decideKnown({ version }: StoredRecord, known: number): ContractDecision {
  if (known === version) return 'write'
  return known < version ? 'stale' : 'ahead'
}

interface Revival {
  readonly write: DialectWrite
  readonly sent: Fields
  readonly now: number
}

function decideDeleted({ version }: StoredRecord, deletedAt: number, { write, sent, now }: Revival): ContractDecision {
  if (write.kind !== 'create') return 'deleted'
  if (write.restore || write.known === version) return 'write'
  return write.known === undefined && Math.min(timeOf(sent), now) > deletedAt ? 'write' : 'deleted'
}

/** True when the write asks for what is there. That it was written later counts only for one who has seen the stored state, or claims nothing. */
function isSame(stored: StoredRecord, sent: Fields, { known }: DialectWrite): boolean {
  const fresh = known === undefined || known === stored.version
  return Object.entries(sent).every(([name, value]) => indifferent.has(name) || (name === 'lastUpdated' && !fresh) || sameJson(value, stored.fields[name] ?? null))
}

/** Last write wins, whatever the order of arrival: by time (a future one counts as that of its receipt), then by device, then the new one. */
function wins(stored: StoredRecord, sent: Fields, now: number): boolean {
  const theirs = Math.min(timeOf(stored.fields), stored.updatedAt)
  const ours = Math.min(timeOf(sent), now)
  if (ours !== theirs) return ours > theirs
  return deviceOf(sent) >= deviceOf(stored.fields)
}

function deviceOf(fields: Fields): string {
  return String(fields['deviceId'] ?? '')
}

function timeOf(fields: Fields): number {
  return Number(fields['lastUpdated'] ?? 0)
}
