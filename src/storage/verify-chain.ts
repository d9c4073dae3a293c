import { chainHash } from '../audit/chain.ts'
import type { Database } from './database.ts'
import { listChanges } from './list-changes.ts'
import { readAnchor } from './log-anchor.ts'
import { readSpaceState } from './space-state.ts'

/** `head` is the hash of the last entry. `forgotten` entries at the beginning were older than the history is kept. `seq` is the number of the first entry that does not fit. */
export type ChainCheck =
  | { readonly kind: 'intact'; readonly entries: number; readonly forgotten: number; readonly head: string }
  | { readonly kind: 'broken'; readonly seq: number; readonly reason: string }

const PAGE_ENTRIES = 1_000

/** Computes the hash of every entry of a space's log again. An entry that was changed, removed, added or swapped shows, and so does a cut end. */
export async function verifyChain(database: Database, space: number): Promise<ChainCheck> {
  const [end, anchor] = await database.read((reader) => Promise.all([readSpaceState(reader, space), readAnchor(reader, space)]))
  if (anchor.seq > end.seq) return { kind: 'broken', seq: end.seq, reason: `The log is said to begin behind entry ${anchor.seq}; the space says that it has ${end.seq}.` }
  let [seq, head, after] = [anchor.seq, anchor.hash, anchor.version]
  while (seq < end.seq) {
    const { rows, begins } = await database.read(async (reader) => {
      const found = await listChanges(reader, { space, newestFirst: false, after, limit: PAGE_ENTRIES })
      return { rows: found.rows, begins: await readAnchor(reader, space) }
    })
    if (begins.seq > seq) {
      // The beginning was forgotten while it was read: what is kept follows the new anchor.
      ;[seq, head, after] = [begins.seq, begins.hash, begins.version]
      continue
    }
    if (rows.length === 0) return { kind: 'broken', seq: seq + 1, reason: `The log ends after entry ${seq}; the space says that it has ${end.seq}.` }
    for (const row of rows) {
      if (row.seq !== seq + 1) return { kind: 'broken', seq: seq + 1, reason: `Entry ${seq + 1} is missing or out of its place.` }
      const actor = { type: row.actorType as 'user' | 'key' | 'system', id: row.actorId, name: row.actorName }
      if (chainHash(head, { ...row, actor }) !== row.hash) return { kind: 'broken', seq: row.seq, reason: `Entry ${row.seq} is not what it was when it was written.` }
      ;[seq, head, after] = [row.seq, row.hash, row.version]
      if (seq === end.seq) break
    }
  }
  if (seq === end.seq && head !== end.chainHash) return { kind: 'broken', seq, reason: 'The last entry is not the one that the space names.' }
  return { kind: 'intact', entries: end.seq - anchor.seq, forgotten: anchor.seq, head }
}
