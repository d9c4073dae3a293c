import type { PullResponse } from '../../protocol/pull.ts'
import * as clientLimits from '../client-limits.ts'
import { readSync } from '../local/settings-rows.ts'
import type { Rung, SyncRow } from '../settings.ts'
import { RequestFailure } from './failure.ts'
import { forgetReplaced } from './offer-acked.ts'
import { readSnapshot } from './read-snapshot.ts'
import { recover, sweep } from './recover.ts'
import { collectionsQuery, notHoldfast } from './reading.ts'
import { knownKept, reloaded, reloadedAtWish } from './reload.ts'
import type { SyncDeps } from './sync-deps.ts'
import { openRecords, takeRecords } from './take-records.ts'

/** Reads all that is new, page by page; each page and its cursor are applied together, so that a break costs one page. */
export async function pull(deps: SyncDeps): Promise<void> {
  let sync = await deps.store.read((reader) => readSync(reader, deps.partition.id))
  for (let done = 0; ;) {
    deps.signal.throwIfAborted()
    if (sync.cursor === undefined && sync.reloadWanted === true) sync = await takeRecords(deps, [], reloadedAtWish)
    if (sync.cursor === undefined) {
      sync = await readSnapshotOrRestart(deps, sync)
      continue
    }
    const page = await readPage(deps, { ...sync, cursor: sync.cursor })
    if (page.kind === 'lost') {
      sync = await goBack(deps, { reason: page.reason, recovering: sync.recovery !== undefined })
      continue
    }
    if (sync.reloadWanted === true) {
      sync = await takeRecords(deps, [], reloadedAtWish)
      continue
    }
    const { changes, cursor, more } = page.response
    done += changes.length
    if (changes.length > 0 || cursor !== sync.cursor || sync.proof !== undefined)
      sync = await takeRecords(deps, await openRecords(deps, changes), (row) => atPage(row, page.response, deps.clock.now()))
    if (more) {
      deps.report({ phase: 'reading', done, total: null })
      continue
    }
    if (sync.recovery !== undefined) {
      sync = await recover(deps)
      if (sync.cursor === undefined) continue
    } else if (sync.sweep === true) sync = await sweep(deps)
    return
  }
}

/** A first sync that cannot go on where it broke begins anew; what it has brought stays and is checked at its end. */
async function readSnapshotOrRestart(deps: SyncDeps, sync: SyncRow): Promise<SyncRow> {
  try {
    return await readSnapshot(deps, sync)
  } catch (error) {
    if (!(error instanceof RequestFailure) || error.failure.kind !== 'resync' || (sync.snapshot?.after ?? 0) === 0) throw error
    return takeRecords(deps, [], (row) => reloaded(row, row.recovery))
  }
}

type Page = { readonly kind: 'page'; readonly response: PullResponse } | { readonly kind: 'lost'; readonly reason: string }

async function readPage(deps: SyncDeps, { cursor, proof, recovery }: SyncRow & { readonly cursor: string }): Promise<Page> {
  const query = new URLSearchParams({
    cursor,
    ...(proof === undefined ? {} : { proof }),
    ...(recovery?.rewound === true ? { rewound: 'true' } : {}),
    limit: String(clientLimits.PULL_RECORDS),
    ...collectionsQuery(deps),
  })
  try {
    const response = (await deps.server.json({ method: 'GET', path: `/pull?${query}`, signal: deps.signal })) as PullResponse
    if (!Array.isArray(response?.changes) || typeof response.cursor !== 'string') throw notHoldfast()
    return { kind: 'page', response }
  } catch (error) {
    if (!(error instanceof RequestFailure)) throw error
    if (error.failure.kind === 'resync') return { kind: 'lost', reason: error.failure.reason }
    // The collections that the app declares have changed.
    if (error.code === 'cursor.invalid') return { kind: 'lost', reason: 'schema' }
    throw error
  }
}

function atPage(sync: SyncRow, { changes, cursor, more }: PullResponse, now: number): SyncRow {
  const version = changes.reduce((highest, change) => Math.max(highest, change.version), sync.version)
  const next = { ...sync, cursor, version, ...knownKept(sync, changes) }
  if (more) return next
  const { proof: _shown, ...settled } = next
  return { ...settled, ladder: climbed(sync.ladder, { cursor, version, at: now }) }
}

/** Newest first: the newest rung moves up with the sync, older ones stay at their distance. */
function climbed(ladder: readonly Rung[], rung: Rung): Rung[] {
  const [newest, ...older] = ladder
  if (newest === undefined) return [rung]
  const [previous] = older
  const kept = previous === undefined || newest.at - previous.at >= clientLimits.LADDER_STEP_MS ? ladder : older
  return [rung, ...kept].slice(0, clientLimits.LADDER_RUNGS)
}

/** The server does not know the cursor. After a restore an older one may do; else all is read again. Nothing local is dropped before that is done. */
async function goBack(deps: SyncDeps, { reason, recovering }: { readonly reason: string; readonly recovering: boolean }): Promise<SyncRow> {
  const restored = reason === 'epoch' || reason === 'diverged'
  if (restored && !recovering) await forgetReplaced(deps)
  return takeRecords(deps, [], (sync) => {
    const { cursor, proof: _shown, recovery, snapshot: _begun, sweep: _pending, ...kept } = sync
    const known = recovery?.known ?? sync.version
    // Of an epoch before this one the newest cursor may do as well: whether it does is only looked at when it is asked for again.
    const ladder = reason === 'epoch' && !recovering ? sync.ladder : sync.ladder.filter((rung) => rung.cursor !== cursor)
    const [rung] = restored ? ladder : []
    if (rung !== undefined) return { ...kept, cursor: rung.cursor, version: rung.version, ladder, reload: sync.reload + 1, recovery: { kept: rung.version, known, rewound: true } }
    return reloaded({ ...kept, reload: sync.reload }, restored || recovery !== undefined ? { kept: 0, known, rewound: false } : undefined)
  })
}
