import type { StoreReader } from '../stores/store.ts'
import { keysOf } from './keys.ts'

/** What a partition holds that is not settled. `oldestPendingAt` is epoch milliseconds of this device's clock. */
export interface Counts {
  readonly pending: number
  readonly oldestPendingAt: number | null
  readonly conflicts: number
  readonly rejected: number
}

export async function readCounts(reader: StoreReader, partition: string): Promise<Counts> {
  const keys = keysOf(partition)
  const pending = await reader.count('outbox', keys)
  const [oldest] = pending === 0 ? [] : await reader.range('outbox', { ...keys, limit: 1 })
  return { pending, oldestPendingAt: oldest?.value.at ?? null, conflicts: await reader.count('conflicts', keys), rejected: await reader.count('rejected', keys) }
}
