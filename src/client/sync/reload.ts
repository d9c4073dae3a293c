import type { Recovery, SyncRow } from '../settings.ts'

/** Everything is read again from the start. */
export function reloaded(sync: SyncRow, recovery: Recovery | undefined): SyncRow {
  const { cursor: _cursor, proof: _proof, recovery: _recovery, reloadWanted: _fulfilled, ...kept } = sync
  return { ...kept, version: 0, ladder: [], reload: sync.reload + 1, snapshot: { after: 0, done: 0 }, sweep: true, ...(recovery === undefined ? {} : { recovery }) }
}

/** Everything is read again because somebody wishes it; a recovery under way goes on. */
export function reloadedAtWish(sync: SyncRow): SyncRow {
  return reloaded(sync, sync.recovery === undefined ? undefined : { kept: 0, known: sync.recovery.known, rewound: false })
}

/**
 * What the server still has of the time before a restore tells how far it goes back: versions, and times of creation, which are
 * never above the version that a record was created with.
 */
export function knownKept({ recovery }: SyncRow, changes: readonly { readonly version: number; readonly createdAt: number }[]): { readonly recovery?: Recovery } {
  if (recovery === undefined) return {}
  const kept = changes
    .flatMap(({ version, createdAt }) => [version, createdAt])
    .filter((moment) => moment <= recovery.known)
    .reduce((highest, moment) => Math.max(highest, moment), recovery.kept)
  return { recovery: { ...recovery, kept } }
}
