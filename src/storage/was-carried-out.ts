import type { Reader } from './database.ts'

/** Longest time between two arrivals of one request, in milliseconds: whoever sent it has long given up. */
const REPEATED_MS_MAX = 600_000

/** True when a request has lately written to the space, by its id. */
export async function wasCarriedOut(reader: Reader, { space, requestId, now }: { readonly space: number; readonly requestId: string; readonly now: number }): Promise<boolean> {
  const rows = await reader.all('SELECT 1 FROM holdfast_changes WHERE space = ? AND version > ? AND request_id = ? LIMIT 1', [space, now - REPEATED_MS_MAX, requestId])
  return rows.length > 0
}
