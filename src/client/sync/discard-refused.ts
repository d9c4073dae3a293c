import * as clientLimits from '../client-limits.ts'
import { keysOf } from '../local/keys.ts'
import { readSync, writeSetting } from '../local/settings-rows.ts'
import type { ChangedRecord } from '../ports.ts'
import { RequestFailure } from './failure.ts'
import type { SyncDeps } from './sync-deps.ts'

/** Tells the server what was thrown away here of what it refused, so that nobody is asked about it again elsewhere. */
export async function discardRefused({ store, partition, server, signal }: SyncDeps): Promise<void> {
  for (;;) {
    const next = await store.read(async (reader) => {
      const { clientId, discards = [] } = await readSync(reader, partition.id)
      const refused = await reader.range('rejected', { ...keysOf(partition.id), limit: clientLimits.PAGE })
      const [place] = discards
      return { clientId, place, refusedAgain: place !== undefined && refused.some(({ value }) => isSame(value, place)) }
    })
    const { clientId, place, refusedAgain } = next
    if (place === undefined) return
    try {
      // The server keeps what it refused last of a record: it stays as long as there is something of it here.
      if (!refusedAgain) await server.json({ method: 'DELETE', path: `/rejected?${new URLSearchParams({ clientId, ...place })}`, signal })
    } catch (error) {
      // A server that will not do it stops nothing; one that cannot now is asked again.
      if (!(error instanceof RequestFailure) || !['refused', 'no-access'].includes(error.failure.kind)) throw error
    }
    await store.write(async (writer) => {
      const { discards = [], ...sync } = await readSync(writer, partition.id)
      const rest = discards.filter((other) => !isSame(other, place))
      await writeSetting(writer, partition.id, rest.length === 0 ? sync : { ...sync, discards: rest })
    })
  }
}

function isSame(one: ChangedRecord, other: ChangedRecord): boolean {
  return one.collection === other.collection && one.id === other.id
}
