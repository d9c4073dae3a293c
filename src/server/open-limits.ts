import type { LimitEvent } from '../http/insured-limits.ts'
import { memoryLimits, type LimitStore } from '../http/limit-store.ts'
import type { Config } from './config.ts'

/** Opens the place where requests are counted: Redis when it is named, else PostgreSQL when that is the database, else this process. */
export async function openLimits({ redisUrl, databaseUrl, rateLimits }: Pick<Config, 'redisUrl' | 'databaseUrl' | 'rateLimits'>, record: (event: LimitEvent) => void): Promise<LimitStore> {
  if (!rateLimits) return memoryLimits
  if (redisUrl !== undefined) {
    const { openRedisLimits } = await import('../http/redis-limits.ts')
    return openRedisLimits(redisUrl, record)
  }
  if (databaseUrl === undefined) return memoryLimits
  const { openPostgresLimits } = await import('../http/postgres-limits.ts')
  return openPostgresLimits(databaseUrl, record)
}
