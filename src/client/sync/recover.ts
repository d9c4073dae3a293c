import type { Fields } from '../../app/conflict-policy.ts'
import type { WireRecord } from '../../protocol/push.ts'
import * as clientLimits from '../client-limits.ts'
import { changeChains, loadChains, saveChains } from '../local/chains.ts'
import { keysOf, placeOf } from '../local/keys.ts'
import { readSync, writeSetting } from '../local/settings-rows.ts'
import type { LocalRecord, OutboxRow } from '../model.ts'
import { applyRow, sameFields } from '../outbox/apply-row.ts'
import { shownOf, type Chain } from '../outbox/chain.ts'
import { sideOf } from '../outbox/enqueue.ts'
import { receive, type Received } from '../outbox/receive.ts'
import type { ChangedRecord } from '../ports.ts'
import type { Recovery, SyncRow } from '../settings.ts'
import type { StoreWriter } from '../stores/store.ts'
import { RequestFailure } from './failure.ts'
import { offerAcked, offerDeletion } from './offer-acked.ts'
import { reloaded } from './reload.ts'
import type { SyncDeps } from './sync-deps.ts'
import { receivedOf } from './take-records.ts'

const nothing: Received = { version: 0, fields: null, origin: undefined }

/** Ends a reload: what the server did not name is not there any more. Edits of it stay and will meet the deletion. */
export async function sweep(deps: SyncDeps): Promise<SyncRow> {
  const { partition, store } = deps
  const { reload } = await store.read((reader) => readSync(reader, partition.id))
  await eachRecord(deps, async (writer, page) => {
    const gone = page.filter(({ value }) => value.reload !== reload && value.version > 0).map(({ key }) => placeOf(key))
    const chains = await loadChains(writer, partition, gone)
    return saveChains(
      writer,
      partition,
      chains.map((chain) => ({ before: chain, after: forgotten(chain) })),
    )
  })
  return finish(deps)
}

/** Without edits nothing is kept. With edits the version stays, so that they do not pass for edits of something new. */
export function forgotten(chain: Chain): Chain {
  if (chain.rows.length === 0 && chain.conflict === undefined) return { ...chain, version: 0, server: null }
  const conflict = chain.conflict === undefined ? undefined : { ...chain.conflict, theirs: null }
  return { ...chain, server: null, conflict }
}

/**
 * Ends the reading after a restore: offers the server again what it lost. What it has kept is known by version; records and
 * accepted edits above that which it did not name are lost. Answers a row without a cursor when all must be read first.
 */
export async function recover(deps: SyncDeps): Promise<SyncRow> {
  const { partition, store } = deps
  const sync = await store.read((reader) => readSync(reader, partition.id))
  const { recovery } = sync
  if (recovery === undefined) return sync
  const states = recovery.rewound ? await statesOfUnnamed(deps, sync, recovery) : new Map<string, Received>()
  if (states === undefined) return restart(deps)
  await eachRecord(deps, async (writer, page) => {
    const unnamed = page.filter(({ value }) => isUnnamed(value, sync, recovery)).map(({ key }) => placeOf(key))
    const chains = await loadChains(writer, partition, unnamed)
    return changeChains(writer, partition, chains, (chain, _index, nextNumber) => {
      const state = states.get(`${chain.collection.name}/${chain.id}`) ?? nothing
      // Somebody has written it since the reading, or what this device was in conflict with is there: that is another side, as if it had been read.
      if (state.version > Math.min(recovery.known, chain.conflict?.baseVersion ?? Infinity)) return receive(chain, state, { owner: partition.owner, nextNumber })
      const isLost = chain.version > recovery.kept && sync.unreadable?.includes(chain.collection.name) !== true
      return isLost ? offer(chain, state, { nextNumber, now: deps.clock.now(), owner: partition.owner }) : forgotten(chain)
    })
  })
  await offerAcked(deps, recovery)
  return finish(deps)
}

/** After a rewind only records above what is known to be kept are in doubt; after a full reading all that was not named. */
function isUnnamed(record: LocalRecord, { reload }: SyncRow, { kept, rewound }: Recovery): boolean {
  return record.reload !== reload && record.version > (rewound ? kept : 0)
}

/** The server's state of each record in doubt; undefined when they are too many to ask for one by one. */
async function statesOfUnnamed(deps: SyncDeps, sync: SyncRow, recovery: Recovery): Promise<Map<string, Received> | undefined> {
  const places: ChangedRecord[] = []
  for (let after = keysOf(deps.partition.id).after; ;) {
    const page = await deps.store.read((reader) => reader.range('records', { ...keysOf(deps.partition.id), after, limit: clientLimits.PAGE }))
    places.push(...page.filter(({ value }) => isUnnamed(value, sync, recovery)).map(({ key }) => placeOf(key)))
    if (places.length > clientLimits.RECOVER_RECORDS_MAX) return undefined
    const last = page.at(-1)
    if (last === undefined) break
    after = last.key
  }
  const states = new Map<string, Received>()
  for (const { collection, id } of places) {
    const info = deps.partition.collections.get(collection)
    if (info === undefined) continue
    try {
      const record = (await deps.server.json({ method: 'GET', path: `/records/${collection}/${encodeURIComponent(id)}`, signal: deps.signal })) as WireRecord
      states.set(`${collection}/${id}`, await receivedOf(deps, info, record))
    } catch (error) {
      if (!(error instanceof RequestFailure) || error.failure.kind !== 'no-access') throw error
    }
  }
  return states
}

interface Offering {
  readonly now: number
  readonly owner: string | null
  nextNumber(): number
}

/** Puts what this device knows of a record on top of the server's older state, as one edit behind those that cannot change. */
function offer(chain: Chain, state: Received, { nextNumber, now, owner }: Offering): Chain {
  const wanted = shownOf(chain)
  let under: Fields | null = state.fields
  const kept = chain.rows
    .filter(({ sent, group }) => sent === true || group !== undefined)
    .map((row): OutboxRow => {
      // What its maker had not seen, and the server still has, is another side.
      const moved = row.base > state.version ? { ...row, base: state.version, baseFields: under, saw: Math.max(row.base, row.saw ?? 0) } : row
      under = applyRow(under, moved)
      return moved
    })
  const heard = { ...chain, version: state.version, server: state.fields, origin: state.origin, conflict: undefined, rows: kept }
  if (!sameFields(under, wanted)) {
    const row: OutboxRow = {
      n: nextNumber(),
      collection: chain.collection.name,
      id: chain.id,
      ...sideOf(under, wanted),
      base: kept.at(-1)?.base ?? state.version,
      baseFields: under,
      at: now,
      owner,
      offers: 'record',
    }
    return { ...heard, rows: [...kept, row] }
  }
  return wanted !== null || chain.server === null || kept.length > 0 ? heard : offerDeletion(heard, chain.server, { at: now, owner, nextNumber })
}

/** Walks all records, a page in each transaction. */
export async function eachRecord(
  { store, partition, signal }: SyncDeps,
  work: (writer: StoreWriter, page: readonly { readonly key: string; readonly value: LocalRecord }[]) => Promise<ChangedRecord[]>,
): Promise<void> {
  const keys = keysOf(partition.id)
  for (let after = keys.after; ;) {
    signal.throwIfAborted()
    const { last, records } = await store.write(async (writer) => {
      const page = await writer.range('records', { ...keys, after, limit: clientLimits.PAGE })
      return { last: page.at(-1), records: page.length === 0 ? [] : await work(writer, page) }
    })
    if (records.length > 0) store.announce(records)
    if (last === undefined) return
    after = last.key
  }
}

async function restart({ store, partition }: SyncDeps): Promise<SyncRow> {
  return store.write(async (writer) => {
    const sync = await readSync(writer, partition.id)
    const next = reloaded(sync, { kept: 0, known: sync.recovery?.known ?? sync.version, rewound: false })
    await writeSetting(writer, partition.id, next)
    return next
  })
}

async function finish({ store, partition }: SyncDeps): Promise<SyncRow> {
  return store.write(async (writer) => {
    const { sweep: _swept, recovery: _recovered, ...next } = await readSync(writer, partition.id)
    await writeSetting(writer, partition.id, next)
    return next
  })
}
