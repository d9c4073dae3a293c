import type { Reader } from './database.ts'
import { readAnchor } from './log-anchor.ts'

/**
 * Action of the log's event that a restore from a backup leaves in every space, at the version that the space's counter was raised to.
 * Versions between the entry before it and this one were given out by a timeline that is lost.
 */
export const SPACE_RESTORED = 'space.restored'

/** True for a version that was given out between the backup and the restore: what a reader saw there is not in this log. Indexed reads. */
export async function isLostVersion(reader: Reader, space: number, version: number): Promise<boolean> {
  const sql = 'SELECT version, action FROM holdfast_changes WHERE space = ? AND version >= ? ORDER BY version LIMIT 1'
  const [next] = await reader.all<{ version: number; action: string }>(sql, [space, version])
  if (next?.version === version) return false
  const anchor = await readAnchor(reader, space)
  if (version <= anchor.version) return anchor.lost.some(([above, below]) => above < version && version < below)
  return next?.action === SPACE_RESTORED
}
