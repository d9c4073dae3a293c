import type { DeviceReport } from '../../protocol/device-report.ts'
import * as clientLimits from '../client-limits.ts'
import type { StorageState } from '../ports.ts'
import { readCounts } from '../local/read-counts.ts'
import { readSync } from '../local/settings-rows.ts'
import { RequestFailure } from './failure.ts'
import type { SyncDeps } from './sync-deps.ts'

/** What a device knows of itself besides its data. */
export interface DeviceFacts {
  /** Version of the app, as people are shown it. */
  readonly appVersion: string
  /** Null where the platform does not say. */
  storage(): Promise<StorageState | null>
}

/** The last report, so that the same is not said again and again. */
export interface Reported {
  readonly at: number
  readonly says: string
}

/** Tells the server how this device is, when that has changed or a while has passed. Whether it arrives is nothing to the sync. */
export async function reportDevice(deps: SyncDeps, { appVersion, storage, synced }: DeviceFacts & { readonly synced: boolean }, last: Reported | undefined): Promise<Reported | undefined> {
  const { store, partition, server, clock, signal } = deps
  const [counts, { lastSuccessAt }] = await store.read(async (reader) => [await readCounts(reader, partition.id), await readSync(reader, partition.id)] as const)
  const [now, says] = [clock.now(), JSON.stringify([partition.id, counts])]
  if (last?.says === says && Math.abs(now - last.at) < clientLimits.REPORT_MS) return last
  const report: Partial<DeviceReport> = { ...counts, lastSyncAt: synced ? now : (lastSuccessAt ?? null), appVersion, storage: await storage() }
  try {
    await server.json({ method: 'POST', path: '/device', body: report, signal })
  } catch (error) {
    if (!(error instanceof RequestFailure)) throw error
    // A server that says no is asked again after a while, one that says nothing with the next sync.
    if (error.failure.kind === 'transient') return last
  }
  return { at: now, says }
}
