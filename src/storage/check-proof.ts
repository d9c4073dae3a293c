import { CURSOR_CHAIN_CHARS, decodeCursor } from '../engine/cursor.ts'
import { Problem } from '../protocol/problem.ts'
import type { ResyncReason } from '../protocol/pull.ts'
import type { Reader } from './database.ts'
import { readAnchor } from './log-anchor.ts'
import { chainStart, type SpaceState } from './space-state.ts'

/** What a client was told is written must be in the log: else it was put back to a time before, which an older cursor does not show. */
export async function checkProof(reader: Reader, { space, epoch, proof }: { readonly space: number; readonly epoch: string; readonly proof: string }, state: SpaceState): Promise<void> {
  const told = decodeCursor(proof)
  if (told === undefined || told.space !== space) throw invalid('proof')
  if (told.epoch !== epoch) throw resync('epoch')
  if (told.version > state.version) throw resync('diverged')
  const chain = await chainAt(reader, space, { version: told.version, state })
  if (chain !== undefined && chain !== told.chain) throw resync('diverged')
}

export function invalid(path: 'cursor' | 'proof'): Problem {
  return new Problem('cursor.invalid', { fields: [{ path, message: `Not a ${path} of this space.` }] })
}

export function resync(reason: ResyncReason): Problem {
  return new Problem('resync_required', { extra: { reason } })
}

/** Start of the log's hash at a version, empty before the first entry; undefined where the log no longer reaches back that far. */
export async function chainAt(reader: Reader, space: number, { version, state }: { readonly version: number; readonly state: SpaceState }): Promise<string | undefined> {
  if (version === state.version) return chainStart(state)
  if (version === 0) return ''
  const [row] = await reader.all<{ hash: string }>('SELECT hash FROM holdfast_changes WHERE space = ? AND version <= ? ORDER BY version DESC LIMIT 1', [space, version])
  if (row !== undefined) return row.hash.slice(0, CURSOR_CHAIN_CHARS)
  const anchor = await readAnchor(reader, space)
  if (anchor.seq === 0) return ''
  return version >= anchor.version ? anchor.hash.slice(0, CURSOR_CHAIN_CHARS) : undefined
}
