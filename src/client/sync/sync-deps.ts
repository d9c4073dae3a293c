import type { DeviceStore } from '../local/device-store.ts'
import type { Partition } from '../local/chains.ts'
import type { ClientChance, Clock, Progress } from '../ports.ts'
import type { Codec } from './codec.ts'
import type { Ask, Answer } from './requests.ts'

/** What one sync of one principal works with. */
export interface SyncDeps {
  readonly store: DeviceStore
  readonly partition: Partition
  readonly codec: Codec
  readonly clock: Clock
  readonly chance: ClientChance
  readonly server: AppServer
  /** Ends the sync between two steps. */
  readonly signal: AbortSignal
  report(progress: Progress | null): void
  /** Hears when an edit that is parked may be tried again, epoch milliseconds. */
  parked(retryAt: number): void
}

/** The routes of one app, for the caller whom the sync acts for. Paths begin behind the app's name. */
export interface AppServer {
  json(ask: Ask): Promise<unknown>
  open(ask: Ask): Promise<Answer>
}
