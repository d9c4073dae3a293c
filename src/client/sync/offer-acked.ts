import type { Fields } from '../../app/conflict-policy.ts'
import { sameJson, type JsonValue } from '../../lib/json.ts'
import * as clientLimits from '../client-limits.ts'
import type { CollectionInfo } from '../collection-info.ts'
import { changeChains, loadChains } from '../local/chains.ts'
import { keysOf, numberKey } from '../local/keys.ts'
import type { AckedRow, OutboxRow } from '../model.ts'
import { applyRow, sameFields } from '../outbox/apply-row.ts'
import type { Chain } from '../outbox/chain.ts'
import { contentOf } from '../outbox/enqueue.ts'
import type { ChangedRecord } from '../ports.ts'
import type { Recovery } from '../settings.ts'
import type { StoreWriter } from '../stores/store.ts'
import type { SyncDeps } from './sync-deps.ts'

/**
 * Forgets of the accepted edits what somebody who had seen them has replaced. It is called while the records are still as they
 * were before the restore; called again it changes nothing.
 */
export async function forgetReplaced(deps: SyncDeps): Promise<void> {
  await eachAcked(deps, async (writer, page) => {
    const known = page.filter(({ collection }) => deps.partition.collections.has(collection))
    const chains = await loadChains(writer, deps.partition, known)
    const put: { key: string; value: AckedRow }[] = []
    const removed: string[] = []
    for (const [index, acked] of known.entries()) {
      const chain = chains[index]
      const left = chain === undefined ? acked : standing(acked, chain)
      if (left === undefined) removed.push(numberKey(deps.partition.id, acked.n))
      else if (left !== acked) put.push({ key: numberKey(deps.partition.id, acked.n), value: left })
    }
    if (put.length > 0) await writer.put('acked', put)
    if (removed.length > 0) await writer.remove('acked', removed)
    return []
  })
}

/** What of an accepted edit stands in the record as read last; undefined when nothing does. Where sides are joined a value does not tell. */
function standing(acked: AckedRow, { collection, version, server }: Chain): AckedRow | undefined {
  if (version <= acked.version) return acked
  if (acked.op === 'delete') return server === null ? acked : undefined
  if (server === null) return undefined
  if (typeof collection.conflict === 'function') return acked
  return only(acked, (name, value) => isJoined(collection, name) || sameJson(server[name] ?? null, value))
}

/** Accepted edits that are lost although the server names their record: somebody wrote to it after the restore. They are sent again on their old base. */
export async function offerAcked(deps: SyncDeps, recovery: Recovery): Promise<void> {
  const { partition } = deps
  await eachAcked(deps, async (writer, page) => {
    const inDoubt = page.filter(({ version, collection }) => version > recovery.kept && partition.collections.has(collection))
    const before = await loadChains(writer, partition, inDoubt)
    const offered = await changeChains(writer, partition, before, (chain, index, nextNumber) => offerEdit(chain, inDoubt[index], nextNumber))
    // One that was accepted since the restore is there, and may be lost by the next.
    const settled = inDoubt.filter(({ version }, index) => before[index]?.version !== version)
    await writer.remove(
      'acked',
      settled.map(({ n }) => numberKey(partition.id, n)),
    )
    return offered
  })
}

function offerEdit(chain: Chain, acked: AckedRow | undefined, nextNumber: () => number): Chain {
  if (acked === undefined || chain.conflict !== undefined || chain.version === acked.version) return chain
  if (chain.version === 0) return acked.deleted === undefined || chain.rows.length > 0 ? chain : offerDeletion(chain, acked.deleted, { at: acked.at, owner: null, nextNumber })
  const left = unseen(acked, chain)
  if (left === undefined) return chain
  const { collection, id, base, at } = left
  const edit = { ...contentOf(left), baseFields: chain.server, base: Math.min(base, chain.version) }
  if (sameFields(applyRow(chain.server, edit), chain.server)) return chain
  // Its base is what tells the two sides apart: it stays, as that of an edit under way.
  return { ...chain, rows: [...chain.rows, { n: nextNumber(), collection, id, ...edit, at, owner: null, sent: true, offers: 'edit' }] }
}

/** Only a record that was there can be deleted for all: somebody else may offer it again. */
export function offerDeletion(chain: Chain, deleted: Fields, { nextNumber, ...edit }: { readonly at: number; readonly owner: string | null; nextNumber(): number }): Chain {
  const place = { collection: chain.collection.name, id: chain.id, base: chain.version, ...edit }
  const rows: OutboxRow[] = [
    { n: nextNumber(), ...place, op: 'put', data: deleted, baseFields: null, offers: 'record' },
    { n: nextNumber(), ...place, op: 'delete', baseFields: deleted, offers: 'record' },
  ]
  return { ...chain, rows }
}

/**
 * What of an accepted edit no edit that waits was made on top of. Some may have been made when the device already showed what the restore
 * had left. One that is offered again, now or before the device died over it, stands for all that came before: they come newest first.
 */
function unseen(acked: AckedRow, { collection, rows }: Chain): AckedRow | undefined {
  if (rows.some(({ offers }) => offers === 'record')) return undefined
  // Whoever writes to a record that came back with a restore wants it, whatever they did before.
  if (acked.op === 'delete') return rows.length > 0 ? undefined : acked
  const isBefore = ({ saw = 0, offers }: OutboxRow) => offers !== undefined || saw >= acked.version
  // What sides are joined to a row that a restore has moved has lost again.
  const isSeen = (row: OutboxRow, name: string, value: JsonValue) =>
    (row.op === 'delete' || Object.hasOwn(row.data ?? {}, name)) && (row.offers !== undefined || (isBefore(row) && !isJoined(collection, name)) || sameJson(row.baseFields?.[name] ?? null, value))
  return only(acked, (name, value) => !rows.some((row) => isSeen(row, name, value)))
}

function only(acked: AckedRow, keeps: (name: string, value: JsonValue) => boolean): AckedRow | undefined {
  const all = Object.entries(acked.data ?? {})
  const kept = all.filter(([name, value]) => keeps(name, value))
  if (kept.length === 0) return undefined
  return kept.length === all.length ? acked : { ...acked, data: Object.fromEntries(kept) }
}

function isJoined(collection: CollectionInfo, name: string): boolean {
  return collection.fields.some((field) => field.name === name && field.policy !== undefined)
}

/** Walks the accepted edits, newest first: what a record has in its outbox was then always made later. A page in each transaction. */
async function eachAcked(deps: SyncDeps, work: (writer: StoreWriter, page: readonly AckedRow[]) => Promise<ChangedRecord[]>): Promise<void> {
  const { store, signal } = deps
  for (const keys of (await pagesOfAcked(deps)).toReversed()) {
    signal.throwIfAborted()
    const records = await store.write(async (writer) => {
      const rows = await writer.get('acked', keys.toReversed())
      return work(
        writer,
        rows.filter((row) => row !== undefined),
      )
    })
    if (records.length > 0) store.announce(records)
  }
}

async function pagesOfAcked({ store, partition }: SyncDeps): Promise<string[][]> {
  const pages: string[][] = []
  for (let after = keysOf(partition.id).after; ;) {
    const page = await store.read((reader) => reader.range('acked', { ...keysOf(partition.id), after, limit: clientLimits.PAGE }))
    const last = page.at(-1)
    if (last === undefined) return pages
    pages.push(page.map(({ key }) => key))
    after = last.key
  }
}
