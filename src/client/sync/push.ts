import type { Fields } from '../../app/conflict-policy.ts'
import type { PushResponse, PushResult, WireMutation } from '../../protocol/push.ts'
import * as clientLimits from '../client-limits.ts'
import { keysOf, numberKey } from '../local/keys.ts'
import { readNumbers, readSync } from '../local/settings-rows.ts'
import type { OutboxRow } from '../model.ts'
import { applyRow } from '../outbox/apply-row.ts'
import { chooseBatch } from './choose-batch.ts'
import { backoffMs, RequestFailure } from './failure.ts'
import { pull } from './pull.ts'
import { notHoldfast } from './reading.ts'
import { renewClient } from './renew-client.ts'
import { settle, settleRefused, type Settled } from './settle.ts'
import type { SyncDeps } from './sync-deps.ts'

/** How many edits one request may carry; halved when the server finds it too much, and grown again by what passes. */
interface Window {
  rows: number
  /** Edits in a row that failed alone, with nothing passing in between. */
  failedAlone: number
}

/**
 * Sends what waits, batch by batch, until nothing is left that may be sent now. Answers how many edits were settled. A server that was
 * restored since the last reading is read first, once.
 */
export async function push(deps: SyncDeps): Promise<number> {
  const window: Window = { rows: clientLimits.PUSH_ROWS_MAX, failedAlone: 0 }
  let done = 0
  let hasRead = false
  for (;;) {
    deps.signal.throwIfAborted()
    const batch = await takeBatch(deps, window)
    if (batch.rows.length === 0) return done
    deps.report({ phase: 'sending', done, total: done + batch.pending })
    try {
      done += await sendBatch(deps, batch, window)
    } catch (error) {
      if (hasRead || !(error instanceof RequestFailure) || error.failure.kind !== 'resync') throw error
      hasRead = true
      await pull(deps)
    }
  }
}

interface Batch {
  readonly rows: readonly OutboxRow[]
  /** Numbers that had been sent before: their answers may be those of an earlier time. */
  readonly sentBefore: ReadonlySet<number>
  readonly clientId: string
  readonly ackedThrough: number
  readonly pending: number
  /** Where this device stands: a server that was put back since decides nothing. */
  readonly proof: string | undefined
}

/** Chooses the next batch and notes that it is sent, before it is. */
async function takeBatch({ store, partition, codec, clock, parked }: SyncDeps, window: Window): Promise<Batch> {
  return store.write(async (writer) => {
    const { clientId, paused, proof, cursor } = await readSync(writer, partition.id)
    const numbers = await readNumbers(writer, partition.id)
    // The backup may have been turned off since the sync began.
    const rows =
      paused === true
        ? []
        : await chooseBatch(writer, {
            partition: partition.id,
            owner: partition.owner,
            parked,
            now: clock.now(),
            rowsMax: window.rows,
            bytesMax: clientLimits.PUSH_BYTES_MAX,
            collections: partition.collections,
            mayPush: (name) => {
              const collection = partition.collections.get(name)
              return collection !== undefined && codec.ready(collection)
            },
          })
    const fresh = rows.filter(({ sent }) => sent !== true)
    await writer.put(
      'outbox',
      fresh.map((row) => ({ key: numberKey(partition.id, row.n), value: { ...row, sent: true as const } })),
    )
    const [first] = await writer.range('outbox', { ...keysOf(partition.id), limit: 1 })
    return {
      rows,
      sentBefore: new Set(rows.filter(({ sent }) => sent === true).map(({ n }) => n)),
      clientId,
      ackedThrough: (first?.value.n ?? numbers.n) - 1,
      pending: await writer.count('outbox', keysOf(partition.id)),
      proof: proof ?? cursor,
    }
  })
}

async function sendBatch(deps: SyncDeps, batch: Batch, window: Window): Promise<number> {
  let response: PushResponse
  try {
    response = await request(deps, batch)
  } catch (error) {
    if (!(error instanceof RequestFailure)) throw error
    return refusedBatch(deps, batch, window, error)
  }
  if (isOfAnotherCopy(batch, response)) {
    await renewClient(deps)
    return 0
  }
  const settled: Settled[] = batch.rows.flatMap((row, index) => {
    const result = response.results[index]
    return result === undefined ? [] : [{ row, result }]
  })
  await settle(deps, settled, response.proof)
  window.rows = Math.min(window.rows * 2, clientLimits.PUSH_ROWS_MAX)
  window.failedAlone = 0
  return settled.length
}

/** Named, so that the server knows one that arrives twice. */
async function request(deps: SyncDeps, { rows, clientId, ackedThrough, pending, proof }: Batch): Promise<PushResponse> {
  const mutations = await Promise.all(rows.map((row) => wireOf(deps, row)))
  const response = (await deps.server.json({
    method: 'POST',
    path: proof === undefined ? '/push' : `/push?${new URLSearchParams({ proof })}`,
    body: { clientId, ackedThrough, pending, mutations },
    headers: { 'x-request-id': deps.chance.id() },
    signal: deps.signal,
  })) as PushResponse
  if (!Array.isArray(response?.results) || response.results.length !== rows.length) throw notHoldfast()
  return response
}

/** A request that was refused whole. What may be the fault of one edit is narrowed down to it; that one is put aside or parked. */
async function refusedBatch(deps: SyncDeps, { rows }: Batch, window: Window, error: RequestFailure): Promise<number> {
  const { failure } = error
  const ofOneEdit = failure.kind === 'too-large' || failure.kind === 'refused' || (failure.kind === 'transient' && failure.status === 500)
  if (!ofOneEdit) throw error
  const units = new Set(rows.map((row) => row.group ?? row.n)).size
  if (units > 1) {
    window.rows = Math.max(1, Math.floor(rows.length / 2))
    return 0
  }
  // The server keeps too many answers of this device: that is no fault of the edit, and passes when an older one has been settled.
  if (error.fields?.some(({ path }) => path === 'ackedThrough') === true) throw error
  window.failedAlone += 1
  // When nothing passes it is not the edits.
  if (window.failedAlone > clientLimits.FAILED_ALONE_MAX && failure.kind !== 'too-large') throw error
  if (failure.kind === 'transient') {
    await park(deps, rows)
    return 0
  }
  await settleRefused(deps, rows, { code: error.code, message: error.message, ...(error.fields === undefined ? {} : { fields: error.fields.map((field) => ({ ...field })) }) })
  return rows.length
}

/** The server fails whenever it gets these edits: they wait, others go on. They are tried for ever. */
async function park({ store, partition, clock, chance }: SyncDeps, rows: readonly OutboxRow[]): Promise<void> {
  await store.write(async (writer) => {
    const keys = rows.map(({ n }) => numberKey(partition.id, n))
    const stored = await writer.get('outbox', keys)
    const parked = stored.flatMap((row, index) => {
      if (row === undefined) return []
      const attempts = (row.attempts ?? 0) + 1
      return [{ key: keys[index] as string, value: { ...row, attempts, retryAt: clock.now() + backoffMs(attempts, chance.fraction()) } }]
    })
    await writer.put('outbox', parked)
  })
  store.announce([])
}

async function wireOf({ partition, codec }: SyncDeps, row: OutboxRow): Promise<WireMutation> {
  const { n, collection, id, op, base, at, group } = row
  const data = await sentData({ partition, codec }, row)
  return { n, collection, id, op, base, at, ...(data === undefined ? {} : { data: { ...data } }), ...(group === undefined ? {} : { group }) }
}

/** An encrypted record is always sent whole: the server cannot put a part of it in place. */
async function sentData({ partition, codec }: Pick<SyncDeps, 'partition' | 'codec'>, row: OutboxRow): Promise<Fields | undefined> {
  const collection = partition.collections.get(row.collection)
  if (row.op === 'delete' || collection?.encrypted !== true) return row.op === 'delete' ? undefined : (row.data ?? {})
  const sealed = await codec.seal(collection, row.id, applyRow(row.baseFields, row) ?? {})
  if (sealed === undefined) throw new Error('The key of an encrypted collection was taken away during a sync.')
  return sealed
}

/**
 * An edit sent for the first time that the server claims to have decided before: another copy of this database, such as a
 * restored backup of the device, has used its number. Nothing was taken of this one.
 */
function isOfAnotherCopy({ rows, sentBefore }: Batch, { results, repeated }: PushResponse): boolean {
  return (
    repeated !== true &&
    results.some((result: PushResult, index) => {
      const row = rows[index]
      return row !== undefined && !sentBefore.has(row.n) && (result.status === 'applied' || result.status === 'unchanged') && result.record !== undefined
    })
  )
}
