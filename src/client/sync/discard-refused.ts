import { placeKey } from '../local/keys.ts'
import { listOpen } from '../local/open-rows.ts'
import { readSync, writeSetting } from '../local/settings-rows.ts'
import { RequestFailure } from './failure.ts'
import type { SyncDeps } from './sync-deps.ts'

/** Tells the server what was thrown away here of what it refused, so that nobody is asked about it again elsewhere. */
export async function discardRefused({ store, partition, server, signal }: SyncDeps): Promise<void> {
  for (;;) {
    const { clientId, place, refusedAgain } = await store.read(async (reader) => {
      const { discards: [first] = [], ...sync } = await readSync(reader, partition.id)
      return { clientId: sync.clientId, place: first, refusedAgain: first !== undefined && (await listOpen(reader, partition.id, 'rejected')).some((row) => placeKey(row) === placeKey(first)) }
    })
    if (place === undefined) return
    try {
      // The server keeps what it refused last of a record: it stays as long as there is something of it here.
      if (!refusedAgain) await server.json({ method: 'DELETE', path: `/rejected?${new URLSearchParams({ clientId, ...place })}`, signal })
    } catch (error) {
      // A server that will not do it stops nothing; one that cannot now is asked again.
      if (!(error instanceof RequestFailure) || !['refused', 'no-access'].includes(error.failure.kind)) throw error
    }
    await store.write(async (writer) => {
      // No other: a record may have been discarded once more meanwhile.
      const { discards: [, ...rest] = [], ...sync } = await readSync(writer, partition.id)
      await writeSetting(writer, partition.id, rest.length === 0 ? sync : { ...sync, discards: rest })
    })
  }
}
