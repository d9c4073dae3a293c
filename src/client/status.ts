import type { Progress } from './ports.ts'
import type { SyncFailure } from './settings.ts'

/** Everything a person may want to know about the sync of this device. Times are epoch milliseconds of its clock. */
export interface Status {
  readonly signedIn: 'starting' | 'signed-out' | 'signed-in' | 'sign-in-again'
  /** Who is signed in; null for nobody, and for keys and tokens. */
  readonly user: { readonly id: string; readonly email: string; readonly displayName: string } | null
  readonly online: boolean
  /** Backup is off: edits are kept and not sent. */
  readonly paused: boolean
  /** The sync under way; null between syncs. */
  readonly progress: Progress | null
  /** Changes of others are told at once. */
  readonly live: boolean
  /** Edits that the server does not have yet, and when the oldest was made. */
  readonly pending: number
  readonly oldestPendingAt: number | null
  readonly conflicts: number
  readonly rejected: number
  /** The account has no right to the space, or none any more: what was read of it is gone, what was not sent is kept. */
  readonly lost: boolean
  /** Collections that the account may not read in this space: nothing of them is here. */
  readonly unreadable: readonly string[]
  /** Records of the server that could not be read here. */
  readonly aside: number
  readonly storageFull: boolean
  readonly lastSuccessAt: number | null
  /** Cleared by the next success. */
  readonly lastError: SyncFailure | null
  /** When a failed sync is tried again. */
  readonly retryAt: number | null
}

export const startingStatus: Status = {
  signedIn: 'starting',
  user: null,
  online: true,
  paused: false,
  progress: null,
  live: false,
  pending: 0,
  oldestPendingAt: null,
  conflicts: 0,
  rejected: 0,
  lost: false,
  unreadable: [],
  aside: 0,
  storageFull: false,
  lastSuccessAt: null,
  lastError: null,
  retryAt: null,
}

/** The one thing to show, with the numbers that belong to it. */
export type ShownState =
  | { readonly kind: 'signed-out' }
  | { readonly kind: 'backup-off'; readonly waiting: number }
  | { readonly kind: 'sign-in-again' }
  | { readonly kind: 'space-lost'; readonly waiting: number }
  | { readonly kind: 'storage-full' }
  | { readonly kind: 'rejected'; readonly count: number }
  | { readonly kind: 'conflicts'; readonly count: number }
  | { readonly kind: 'offline'; readonly waiting: number }
  | { readonly kind: 'syncing'; readonly done: number; readonly total: number | null }
  | { readonly kind: 'retrying'; readonly at: number }
  | { readonly kind: 'waiting'; readonly count: number }
  | { readonly kind: 'up-to-date'; readonly at: number | null }

/** The first state that applies, in the order of what a person must know first. */
export function shownState(status: Status): ShownState {
  if (status.signedIn === 'signed-out' || status.signedIn === 'starting') return { kind: 'signed-out' }
  if (status.paused) return { kind: 'backup-off', waiting: status.pending }
  if (status.signedIn === 'sign-in-again') return { kind: 'sign-in-again' }
  if (status.lost) return { kind: 'space-lost', waiting: status.pending }
  if (status.storageFull) return { kind: 'storage-full' }
  if (status.rejected > 0) return { kind: 'rejected', count: status.rejected }
  if (status.conflicts > 0) return { kind: 'conflicts', count: status.conflicts }
  if (!status.online) return { kind: 'offline', waiting: status.pending }
  if (status.progress !== null) return { kind: 'syncing', done: status.progress.done, total: status.progress.total }
  if (status.retryAt !== null) return { kind: 'retrying', at: status.retryAt }
  if (status.pending > 0) return { kind: 'waiting', count: status.pending }
  return { kind: 'up-to-date', at: status.lastSuccessAt }
}
