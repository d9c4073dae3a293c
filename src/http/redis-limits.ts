import { Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { SharedCounting, type LimitEvent } from './insured-limits.ts'
import { digestOf } from './limit-key.ts'
import type { LimitStore } from './limit-store.ts'

/** Longest wait for an answer or a connection, milliseconds; a request that waits longer is counted by its own process. */
const ANSWER_MS_MAX = 1_000
/** Longest rest before the next attempt to connect, milliseconds. */
const RECONNECT_MS_MAX = 5_000
const RECONNECT_STEP_MS = 100

/** Counts every limit in a Redis for all processes that name it. While it is away they count by themselves. */
export async function openRedisLimits(url: string, record: (event: LimitEvent) => void): Promise<LimitStore> {
  const counting = new SharedCounting('Redis', record)
  const client = new Redis(url, {
    lazyConnect: true,
    // What cannot be asked now is counted here; a question that waits would come too late.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: ANSWER_MS_MAX,
    commandTimeout: ANSWER_MS_MAX,
    retryStrategy: (attempt) => Math.min(attempt * RECONNECT_STEP_MS, RECONNECT_MS_MAX),
  })
  client.on('error', (error) => counting.away(error))
  client.on('ready', () => counting.back())
  // The first attempt is waited for, so that the first requests are counted together too. Later ones go on by themselves.
  await client.connect().catch((error: unknown) => counting.away(error))
  return {
    limiterOf: (name, limit) => {
      const points = limit.requestsMax
      const counter = new RateLimiterRedis({ storeClient: client, keyPrefix: `holdfast:${name}`, points, duration: limit.windowS, inMemoryBlockOnConsumed: points, rejectIfRedisNotReady: true })
      return counting.limiter({ consume: (key) => counter.consume(digestOf(key)) }, limit)
    },
    [Symbol.asyncDispose]: async () => {
      client.disconnect()
    },
  }
}
