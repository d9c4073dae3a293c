import type { Activity } from '../ports.ts'
import type { Status } from '../status.ts'
import { keysOf } from './keys.ts'
import type { LocalData } from './local-data.ts'
import { readCounts } from './read-counts.ts'
import { readSync } from './settings-rows.ts'

/** What is not in the store of what a status says. */
export interface StatusParts {
  readonly online: boolean
  readonly activity: Activity
  /** The client signs in by itself; else it acts with a key or a token. */
  readonly hasSessions: boolean
}

export async function readStatus(data: LocalData, { online, activity, hasSessions }: StatusParts): Promise<Status> {
  const { full: storageFull } = data.parts.store
  return data.read(async (reader, partition, { session }) => {
    const sync = await readSync(reader, partition.id)
    const signedIn = hasSessions && session === undefined ? 'signed-out' : session?.ended === true ? 'sign-in-again' : 'signed-in'
    return {
      signedIn,
      user: session?.user ?? null,
      online,
      paused: sync.paused === true,
      lost: sync.lost === true,
      unreadable: sync.unreadable ?? [],
      ...activity,
      ...(await readCounts(reader, partition.id)),
      aside: await reader.count('aside', keysOf(partition.id)),
      storageFull,
      lastSuccessAt: sync.lastSuccessAt ?? null,
      lastError: sync.lastError ?? null,
    }
  })
}
