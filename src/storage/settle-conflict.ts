import type { Outcome } from '../engine/mutation.ts'
import type { ConflictResolution } from './commit-request.ts'
import { findConflict } from './conflict-store.ts'
import type { Transactor } from './database.ts'

/** What stands in the way of resolving a conflict as it was seen: it is closed, or the client has refreshed its side. */
export type Unresolved = 'closed' | 'changed'

/** Looks at the conflict again under the space's lock. */
export async function checkConflict(tx: Transactor, space: number, { seen }: ConflictResolution): Promise<Unresolved | undefined> {
  const row = await findConflict(tx, space, seen.id)
  if (row === undefined || row.state === 'resolved') return 'closed'
  const isAsSeen = row.operation === seen.operation && row.clientFields === seen.clientFields && row.serverVersion === seen.serverVersion
  return isAsSeen ? undefined : 'changed'
}

export interface Settlement {
  readonly resolution: ConflictResolution
  /** What the resolving write did. */
  readonly outcome: Outcome | undefined
  readonly now: number
  nextId(): string
}

/**
 * Closes the conflict when its resolution was accepted. When the record had moved on, its present state becomes the server side:
 * of the conflict itself, or, for a merge, of a fresh row beside it. Answers the id of the row to resolve next.
 */
export async function settleConflict(tx: Transactor, space: number, { resolution, outcome, now, nextId }: Settlement): Promise<string | undefined> {
  const { seen, choice, by } = resolution
  if (outcome?.status === 'rejected') return undefined
  if (outcome?.status !== 'conflict') {
    await close(tx, space, { id: seen.id, how: choice, by, now })
    return undefined
  }
  const { record } = outcome
  const server = record === undefined || record.deletedAt !== null ? null : JSON.stringify(record.fields)
  const side = [record?.version ?? 0, server, now]
  if (seen.state === 'open') {
    await tx.run('UPDATE holdfast_conflicts SET server_version = ?, server = ?, updated_at = ? WHERE space = ? AND id = ?', [...side, space, seen.id])
    return seen.id
  }
  await close(tx, space, { id: seen.id, how: 'moved', by, now })
  const id = nextId()
  const copied = 'space, collection, record, client, author, device, operation, base_version, base, client_fields'
  await tx.run(
    `INSERT INTO holdfast_conflicts (id, state, reason, server_version, server, created_at, updated_at, ${copied})
SELECT ?, 'merged', 'moved', ?, ?, ?, ?, ${copied} FROM holdfast_conflicts WHERE space = ? AND id = ?`,
    [id, ...side, now, space, seen.id],
  )
  return id
}

interface Closing {
  readonly id: string
  readonly how: string
  readonly by: string
  readonly now: number
}

async function close(tx: Transactor, space: number, { id, how, by, now }: Closing): Promise<void> {
  await tx.run("UPDATE holdfast_conflicts SET state = 'resolved', resolution = ?, resolved_at = ?, resolved_by = ? WHERE space = ? AND id = ?", [how, now, by, space, id])
}
