/** Time as a client needs it; a test moves it by hand. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Runs something once, later. Returns how to call it off. */
  after(delayMs: number, run: () => void): () => void
}

/** How long work takes, and a timer: who watches rests in proportion. */
export interface Pace {
  /** Milliseconds that only grow, whatever is done to the clock. */
  elapsed(): number
  after(delayMs: number, run: () => void): () => void
}

/** The random source of a client. */
export interface ClientChance {
  /** A UUIDv7. */
  id(): string
  /** At least 0, below 1. */
  fraction(): number
}

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Ends the request, and the reading of its answer. */
  readonly signal: AbortSignal
}

export interface TransportResponse {
  readonly status: number
  header(name: string): string | null
  /** The body in pieces, as they arrive. */
  readonly body: AsyncIterable<Uint8Array>
}

/** Carries requests to a server. Rejects when there is no answer. */
export type Transport = (request: TransportRequest) => Promise<TransportResponse>

/** What the device says about its network. */
export interface Connectivity {
  online(): boolean
  /** Returns how to stop. */
  watch(listener: () => void): () => void
}

/** Tells when the app comes to the foreground. Returns how to stop. */
export type WatchForeground = (listener: () => void) => () => void

/** The tabs, or windows, that share one store. */
export interface Tabs {
  /** Calls `lead` when this tab becomes the one that syncs. It stays so until the signal aborts or the tab is gone. */
  lead(lead: () => Promise<void>, signal: AbortSignal): void
  post(message: TabMessage): void
  /** Hears what other tabs post. Returns how to stop. */
  listen(listener: (message: TabMessage) => void): () => void
  /** Runs work while no other tab runs work of this name. */
  exclusive<Result>(name: string, work: () => Promise<Result>): Promise<Result>
}

export interface ChangedRecord {
  readonly collection: string
  readonly id: string
}

/** What makes a client sync. */
export type Trigger = 'now' | 'sign-in' | 'resume' | 'foreground' | 'poke' | 'connectivity' | 'save'

export type TabMessage =
  | { readonly kind: 'changed'; readonly change: LocalChange }
  /** A tab asks the one that syncs to do so; an empty ask wants no answer. */
  | { readonly kind: 'sync'; readonly ask: string; readonly trigger: Trigger }
  | { readonly kind: 'synced'; readonly ask: string; readonly outcome: SyncOutcome }
  | { readonly kind: 'activity'; readonly activity: Activity }

/** Something in the store has changed. */
export interface LocalChange {
  /** The records; `all` when they are too many to name. */
  readonly records: readonly ChangedRecord[] | 'all'
}

/** What the tab that syncs is doing; the others show the same. */
export interface Activity {
  readonly progress: Progress | null
  /** When a failed sync is tried again, epoch milliseconds. */
  readonly retryAt: number | null
  readonly live: boolean
}

/** How far a long sync has come. `total` is null while it is not known. */
export interface Progress {
  readonly phase: 'reading' | 'sending'
  readonly done: number
  readonly total: number | null
}

/** How a sync ended. `waiting`: it was not tried, or cannot go on before something else happens. */
export type SyncOutcome =
  | { readonly kind: 'synced' }
  | { readonly kind: 'waiting'; readonly reason: 'offline' | 'paused' | 'signed-out' | 'sign-in' | 'throttled' | 'closed' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }

export interface ClientPorts {
  readonly clock: Clock
  readonly chance: ClientChance
  readonly transport: Transport
  readonly connectivity: Connectivity
  readonly foreground: WatchForeground
  readonly tabs: Tabs
  /** What the device's storage holds, in bytes, and whether it may be cleared; null where nobody knows. */
  storage?(): Promise<StorageState | null>
  /** Milliseconds that only grow. Without it reading counts as taking no time. */
  elapsed?(): number
}

export interface StorageState {
  readonly persistent: boolean
  readonly usedBytes: number
  readonly quotaBytes: number
}
