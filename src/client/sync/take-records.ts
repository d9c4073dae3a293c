import type { Fields } from '../../app/conflict-policy.ts'
import type { WireRecord } from '../../protocol/push.ts'
import type { CollectionInfo } from '../collection-info.ts'
import { changeChains, loadChains, StoreDraft } from '../local/chains.ts'
import { keysOf, lastOfEach, recordKey } from '../local/keys.ts'
import type { AsideRow } from '../model.ts'
import type { Chain } from '../outbox/chain.ts'
import { receive, type Received, type Teller } from '../outbox/receive.ts'
import type { SyncRow } from '../settings.ts'
import { readSync, writeSetting } from '../local/settings-rows.ts'
import type { StoreWriter } from '../stores/store.ts'
import { UnreadableError } from './codec.ts'
import type { SyncDeps } from './sync-deps.ts'

/** A record of the server as this device understands it, or why it cannot. */
export type Opened = { readonly kind: 'read'; readonly collection: string; readonly id: string; readonly received: Received } | { readonly kind: 'aside'; readonly row: AsideRow }

/** Reads what the server sent, outside any transaction. One record that cannot be read holds up no other. */
export async function openRecords(deps: SyncDeps, records: readonly WireRecord[]): Promise<Opened[]> {
  return Promise.all(records.map((record) => openRecord(deps, record)))
}

async function openRecord(deps: SyncDeps, record: WireRecord): Promise<Opened> {
  const collection = deps.partition.collections.get(record.collection)
  try {
    if (collection === undefined) throw new UnreadableError('The app declares no such collection.')
    return { kind: 'read', collection: record.collection, id: record.id, received: await receivedOf(deps, collection, record) }
  } catch (error) {
    return { kind: 'aside', row: { record, reason: error instanceof Error ? error.message : String(error), at: deps.clock.now() } }
  }
}

/** Throws where the record is not what a server sends. */
export async function receivedOf(deps: Pick<SyncDeps, 'codec'>, collection: CollectionInfo, record: WireRecord): Promise<Received> {
  const { id, version, deleted, data, createdAt, updatedAt, author, device } = record
  if (!Number.isSafeInteger(version) || (!deleted && !isFields(data))) throw new UnreadableError('The server sent a record that is not one.')
  const fields = deleted || data === null ? null : await deps.codec.open(collection, id, data)
  return { version, fields, origin: { createdAt, updatedAt, author, device } }
}

/** Applies records, and what they mean for the place of the sync, in one transaction. */
export async function takeRecords(deps: SyncDeps, opened: readonly Opened[], next: (sync: SyncRow) => SyncRow): Promise<SyncRow> {
  const { partition, store } = deps
  const read = lastOfEach(opened.flatMap((one) => (one.kind === 'read' ? [one] : [])))
  const { records, sync } = await store.write(
    async (writer) => {
      const before = await readSync(writer, partition.id)
      const marked = before.sweep === true || before.recovery !== undefined
      const chains = await loadChains(writer, partition, read)
      const reload = marked ? before.reload : undefined
      const touched = await changeChains(writer, partition, chains, (chain, index, nextNumber) => taken(chain, read[index]?.received, { reload, owner: partition.owner, nextNumber }))
      await keepAside(writer, deps, opened)
      const after = next(before)
      if (after !== before) await writeSetting(writer, partition.id, after)
      return { records: touched, sync: after }
    },
    { repeatable: true, kind: 'page' },
  )
  if (records.length > 0) store.announce(records)
  return sync
}

function taken(chain: Chain, received: Received | undefined, { reload, ...teller }: Teller & { readonly reload: number | undefined }): Chain {
  if (received === undefined) return chain
  const next = receive(chain, received, teller)
  return reload === undefined || next.reload === reload ? next : { ...next, reload }
}

/** Records that cannot be read are kept as they came; those that can be read now are taken out again. */
async function keepAside(writer: StoreWriter, { partition }: SyncDeps, opened: readonly Opened[]): Promise<void> {
  const draft = new StoreDraft()
  const any = await writer.range('aside', { ...keysOf(partition.id), limit: 1 })
  for (const one of opened) {
    if (one.kind === 'aside') draft.set('aside', recordKey(partition.id, one.row.record.collection, one.row.record.id), one.row)
    else if (any.length > 0) draft.set('aside', recordKey(partition.id, one.collection, one.id), undefined)
  }
  await draft.save(writer)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
