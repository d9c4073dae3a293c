import type { Database, Transactor } from './database.ts'
import { readAnchor, saveAnchor, type LogAnchor } from './log-anchor.ts'
import { SPACE_RESTORED } from './restored-gap.ts'
import { readSpaceState } from './space-state.ts'

export interface Forgetting {
  /** Name of the app whose spaces are meant. */
  readonly app: string
  /** What was written before is forgotten, epoch milliseconds. */
  readonly before: number
}

/** Entries, and sides of settled conflicts, of one transaction: few enough that a push hardly waits. */
const BATCH = 500
/** Spaces looked for at once. */
const SPACES_AT_ONCE = 200

/**
 * Forgets the oldest entries of the change logs of an app, and the sides of conflicts that were settled then. A log is forgotten from
 * its beginning only and goes on behind an anchor, so that what is kept can still be verified. Answers how many entries went.
 */
export async function forgetHistory(database: Database, { app, before }: Forgetting): Promise<number> {
  let forgotten = 0
  for (let after = 0; ;) {
    const spaces = await database.read((reader) => reader.all<{ space: number }>(spacesWithOld, [app, after, before, before, SPACES_AT_ONCE]))
    for (const { space } of spaces) {
      forgotten += await repeat(() => database.write((tx) => forgetEntries(tx, space, before), { space }))
      await repeat(() => database.write((tx) => forgetSides(tx, space, before), { space }))
    }
    const last = spaces.at(-1)
    if (last === undefined || spaces.length < SPACES_AT_ONCE) return forgotten
    after = last.space
  }
}

const spacesWithOld = `SELECT space.space FROM holdfast_spaces AS space WHERE space.app = ? AND space.space > ?
AND ((SELECT at FROM holdfast_changes AS entry WHERE entry.space = space.space ORDER BY entry.version LIMIT 1) < ?
  OR EXISTS (SELECT 1 FROM holdfast_conflicts AS conflict WHERE conflict.space = space.space AND conflict.state <> 'open' AND conflict.updated_at < ?))
ORDER BY space.space LIMIT ?`

/** Runs a step until it finds less than a whole batch; answers how much it found in all. */
async function repeat(step: () => Promise<number>): Promise<number> {
  let total = 0
  for (;;) {
    const count = await step()
    total += count
    if (count < BATCH) return total
  }
}

interface OldEntry extends Omit<LogAnchor, 'lost'> {
  readonly at: number
  readonly action: string
}

async function forgetEntries(tx: Transactor, space: number, before: number): Promise<number> {
  const sql = 'SELECT seq, version, hash, at, action FROM holdfast_changes WHERE space = ? ORDER BY version LIMIT ?'
  const entries = await tx.all<OldEntry>(sql, [space, BATCH])
  // Only a beginning can go, so an entry that a clock ahead of its time has written keeps those behind it.
  const young = entries.findIndex(({ at }) => at >= before)
  const old = young === -1 ? entries : entries.slice(0, young)
  const last = old.at(-1)
  if (last === undefined) return 0
  await readSpaceState(tx, space, { lock: true })
  const anchor = await readAnchor(tx, space)
  // Another process may have forgotten them while this one waited for the lock.
  if (anchor.version >= last.version) return 0
  const removed = await tx.run('DELETE FROM holdfast_changes WHERE space = ? AND version <= ?', [space, last.version])
  const { seq, version, hash } = last
  await saveAnchor(tx, space, { seq, version, hash, lost: [...anchor.lost, ...lostIn(old, anchor.version)] })
  return removed
}

/** What restores among these entries had lost: the versions between such an event and the entry before it. */
function lostIn(entries: readonly OldEntry[], before: number): [above: number, below: number][] {
  return entries.flatMap(({ version, action }, index) => (action === SPACE_RESTORED ? [[entries[index - 1]?.version ?? before, version] satisfies [number, number]] : []))
}

/** A conflict that waits for a person waits for as long as it takes. */
async function forgetSides(tx: Transactor, space: number, before: number): Promise<number> {
  const old = "SELECT id FROM holdfast_conflicts WHERE space = ? AND state <> 'open' AND updated_at < ? AND (resolved_at IS NULL OR resolved_at < ?) ORDER BY id LIMIT ?"
  return tx.run(`DELETE FROM holdfast_conflicts WHERE space = ? AND id IN (${old})`, [space, space, before, before, BATCH])
}
