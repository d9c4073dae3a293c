/** Something is new in a space: versions in (from, to]. */
export interface Poke {
  readonly space: number
  readonly from: number
  readonly to: number
}

/** Wakes whoever listens after a commit. A lost poke costs nothing: a gap means pull. */
export interface Doorbell {
  ring(poke: Poke): void
  /** Returns how to stop listening. */
  listen(listener: (poke: Poke) => void): () => void
  /** A session, key or membership has ended: streams check their right again. */
  revoke(): void
  listenRevocations(listener: () => void): () => void
}

/** A doorbell for one process. */
export function createLocalDoorbell(): Doorbell {
  const listeners = new Set<(poke: Poke) => void>()
  const revocationListeners = new Set<() => void>()
  return {
    ring: (poke) => {
      for (const listener of listeners) listener(poke)
    },
    listen: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    revoke: () => {
      for (const listener of revocationListeners) listener()
    },
    listenRevocations: (listener) => {
      revocationListeners.add(listener)
      return () => revocationListeners.delete(listener)
    },
  }
}
