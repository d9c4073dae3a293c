import { CURSOR_CHAIN_CHARS } from '../engine/cursor.ts'
import type { Reader } from './database.ts'

/** Where a space stands: its version, the newest record's version, and the head of its change log. */
export interface SpaceState {
  readonly version: number
  readonly recordVersion: number
  readonly seq: number
  readonly chainHash: string
}

/** Reads a space's counters; in a write transaction it also takes the space's lock. */
export async function readSpaceState(reader: Reader, space: number, options: { readonly lock: boolean } = { lock: false }): Promise<SpaceState> {
  const sql = `SELECT version, record_version AS "recordVersion", seq, chain_hash AS "chainHash" FROM holdfast_spaces WHERE space = ?${options.lock ? reader.dialect.forUpdate : ''}`
  const [row] = await reader.all<SpaceState>(sql, [space])
  if (row === undefined) throw new Error(`Space ${space} does not exist.`)
  return row
}

/** The newest record's version of each of the spaces that are there. */
export async function recordVersions(reader: Reader, spaces: readonly number[]): Promise<readonly { readonly space: number; readonly version: number }[]> {
  return reader.all(`SELECT space, record_version AS version FROM holdfast_spaces WHERE ${reader.dialect.inJsonArray('space')}`, [JSON.stringify(spaces)])
}

/** What a cursor at the space's version carries of the log's hash; empty before the first entry. */
export function chainStart({ seq, chainHash }: Pick<SpaceState, 'seq' | 'chainHash'>): string {
  return seq === 0 ? '' : chainHash.slice(0, CURSOR_CHAIN_CHARS)
}

/** Highest version purged from each collection of the space; a collection that is absent has lost nothing. */
export async function readHorizons(reader: Reader, space: number): Promise<ReadonlyMap<string, number>> {
  const rows = await reader.all<{ collection: string; version: number }>('SELECT collection, version FROM holdfast_horizons WHERE space = ?', [space])
  return new Map(rows.map((row) => [row.collection, row.version]))
}
