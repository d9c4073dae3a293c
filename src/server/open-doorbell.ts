import type { Chance } from '../lib/chance.ts'
import type { Doorbell } from '../realtime/doorbell.ts'
import { createWatchingDoorbell } from '../realtime/watching-doorbell.ts'
import type { Database } from '../storage/database.ts'
import { lateJobs } from '../storage/late-jobs.ts'
import { recordVersions } from '../storage/space-state.ts'
import { isPostgresUrl } from './open-database.ts'

export interface DoorbellDeps {
  readonly database: Database
  readonly chance: Pick<Chance, 'now'>
}

/** Opens the doorbell that goes with a database: one that all its processes hear, or for SQLite one that looks after what the others write. */
export async function openDoorbell(location: string, { database, chance }: DoorbellDeps): Promise<Doorbell & AsyncDisposable> {
  if (isPostgresUrl(location)) {
    const { openPostgresDoorbell } = await import('../realtime/postgres-doorbell.ts')
    return openPostgresDoorbell(location)
  }
  return createWatchingDoorbell({
    version: () => database.othersVersion?.() ?? 0,
    recordVersions: (spaces) => database.read((reader) => recordVersions(reader, spaces)),
    jobs: () => database.read((reader) => lateJobs(reader, chance.now())),
  })
}
