import { loadChains, saveChains } from '../local/chains.ts'
import { emptyTable } from '../local/empty-table.ts'
import { placeOf } from '../local/keys.ts'
import { readSync, writeSetting } from '../local/settings-rows.ts'
import { eachRecord, forgotten } from './recover.ts'
import { reloaded } from './reload.ts'
import type { SyncRow } from '../settings.ts'
import type { SyncDeps } from './sync-deps.ts'

/**
 * Removes the copy of a space that may not be read any more. What the server never accepted stays, and is sent should the right
 * come back; by then everything is read anew, which is noted before anything goes.
 */
export async function loseSpace(deps: SyncDeps): Promise<void> {
  const { store, partition } = deps
  await store.write(async (writer) => {
    const sync = await readSync(writer, partition.id)
    if (sync.lost !== true) await writeSetting(writer, partition.id, { ...reloaded(sync, undefined), lost: true })
  })
  await forgetCopies(deps, () => true)
}

/** Notes which collections the account may not read, and removes the copies of those; what was never accepted stays. */
export async function forgetUnreadable(deps: SyncDeps, names: readonly string[]): Promise<SyncRow> {
  const { store, partition } = deps
  const sync = await store.write(async (writer) => {
    const { unreadable = [], ...kept } = await readSync(writer, partition.id)
    const next = names.length === 0 ? kept : { ...kept, unreadable: names }
    if (unreadable.join() !== names.join()) await writeSetting(writer, partition.id, next)
    return next
  })
  if (names.length > 0) await forgetCopies(deps, (collection) => names.includes(collection))
  return sync
}

async function forgetCopies(deps: SyncDeps, isGone: (collection: string) => boolean): Promise<void> {
  const { store, partition } = deps
  await eachRecord(deps, async (writer, page) => {
    const gone = page.map(({ key }) => placeOf(key)).filter(({ collection }) => isGone(collection))
    const chains = await loadChains(writer, partition, gone)
    return saveChains(
      writer,
      partition,
      chains.map((chain) => ({ before: chain, after: forgotten(chain) })),
    )
  })
  await store.write(async (writer) => {
    await emptyTable(writer, 'acked', partition.id, ({ collection }) => isGone(collection))
    await emptyTable(writer, 'aside', partition.id, ({ record }) => isGone(record.collection))
  })
}
