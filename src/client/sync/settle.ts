import type { MutationError, PushResult } from '../../protocol/push.ts'
import { loadChains, saveChains, StoreDraft, type ChangedChain } from '../local/chains.ts'
import { keysOf, numberKey, placeKey } from '../local/keys.ts'
import { listOpen, takeOut } from '../local/open-rows.ts'
import { NumberSource, readNumbers, readSync, writeSetting } from '../local/settings-rows.ts'
import type { AckedRow, OutboxRow, RejectedRow } from '../model.ts'
import { applyRow, sameFields } from '../outbox/apply-row.ts'
import { acknowledge, type Answer } from '../outbox/acknowledge.ts'
import type { Chain } from '../outbox/chain.ts'
import type { Received } from '../outbox/receive.ts'
import type { StoreWriter } from '../stores/store.ts'
import * as clientLimits from '../client-limits.ts'
import type { SyncDeps } from './sync-deps.ts'
import { receivedOf } from './take-records.ts'

/** An edit with the server's answer to it. */
export interface Settled {
  readonly row: OutboxRow
  readonly result: PushResult
}

/** Takes the answers to a batch in one transaction: rows leave the outbox with what became of them. `proof` of a server that gives one. */
export async function settle(deps: SyncDeps, settled: readonly Settled[], proof: string | undefined): Promise<void> {
  const answers = await Promise.all(settled.map(async ({ row, result }) => ({ row, answer: await answerOf(deps, row, result) })))
  await settleAnswers(deps, answers, proof)
}

/** Puts edits aside that the server does not even look at, with the reason it gave. */
export async function settleRefused(deps: SyncDeps, rows: readonly OutboxRow[], error: MutationError): Promise<void> {
  await settleAnswers(
    deps,
    rows.map((row) => ({ row, answer: { kind: 'rejected', error } })),
    undefined,
  )
}

async function settleAnswers(deps: SyncDeps, answers: readonly { readonly row: OutboxRow; readonly answer: Answer }[], proof: string | undefined): Promise<void> {
  const { store, partition, clock } = deps
  const records = await store.write(async (writer) => {
    const numbers = new NumberSource(await readNumbers(writer, partition.id))
    const chains = await loadChains(
      writer,
      partition,
      answers.map(({ row }) => row),
    )
    const draft = new StoreDraft()
    const accepted = new Map<string, Settling>()
    const changed = chains.map((before, index): ChangedChain => {
      const answered = answers[index]
      // An answer counts for the edit it was given to, and for no other that has come to stand there.
      if (answered === undefined || before.rows[0]?.n !== answered.row.n) return { before, after: before }
      const { chain, acked, rejected, accepted: isAccepted } = acknowledge(before, answered.answer, { now: clock.now(), nextNumber: numbers.nextNumber })
      if (acked !== undefined) draft.set('acked', numberKey(partition.id, acked.n), acked satisfies AckedRow)
      if (rejected !== undefined) draft.set('rejected', numberKey(partition.id, rejected.n), rejected satisfies RejectedRow)
      if (isAccepted) accepted.set(placeKey(answered.row), { chain, row: answered.row })
      return { before, after: chain }
    })
    const touched = await saveChains(writer, partition, changed)
    await draft.save(writer)
    await numbers.save(writer, partition.id)
    await clearRejected(writer, partition.id, accepted)
    if (proof !== undefined) await writeSetting(writer, partition.id, { ...(await readSync(writer, partition.id)), proof })
    await forgetAcked(writer, partition.id, clock.now() - clientLimits.ACKED_MS)
    return touched
  })
  store.announce(records)
}

interface Settling {
  readonly chain: Chain
  readonly row: OutboxRow
}

/**
 * What was refused of a record is settled by a later edit that is accepted, here as on the server: by a deletion, or by one that says all
 * that the refused one did. One that offers again what a restore has lost is no later edit, and settles what it contains.
 */
async function clearRejected(writer: StoreWriter, partition: string, accepted: ReadonlyMap<string, Settling>): Promise<void> {
  if (accepted.size === 0) return
  const isSettled = (row: RejectedRow) => {
    const by = accepted.get(placeKey(row))
    if (by === undefined) return false
    const { op, data, offers } = by.row
    const isOffer = offers !== undefined
    if (!isOffer && (op === 'delete' || row.op === 'delete')) return true
    // What the later edit says counts, and not what the refused one said of the same.
    const under = isOffer ? by.chain.server : { ...by.chain.server, ...data }
    return sameFields(applyRow(under, { ...row, data: { ...row.data, ...(isOffer ? {} : data) }, baseFields: null }), under)
  }
  const settled = (await listOpen(writer, partition, 'rejected')).filter(isSettled)
  if (settled.length > 0) await takeOut(writer, partition, settled)
}

/** Accepted edits are kept for two weeks; the oldest go, a page at a time. */
async function forgetAcked(writer: StoreWriter, partition: string, before: number): Promise<void> {
  const oldest = await writer.range('acked', { ...keysOf(partition), limit: 1 })
  if (oldest[0] === undefined || oldest[0].value.at >= before) return
  const page = await writer.range('acked', { ...keysOf(partition), limit: clientLimits.PAGE })
  await writer.remove(
    'acked',
    page.filter(({ value }) => value.at < before).map(({ key }) => key),
  )
}

async function answerOf(deps: SyncDeps, row: OutboxRow, result: PushResult): Promise<Answer> {
  const record = await recordOf(deps, row, result)
  switch (result.status) {
    case 'applied':
    case 'unchanged':
    case 'merged':
      return { kind: result.status, version: result.version ?? 0, ...(record === undefined ? {} : { record }) }
    case 'conflict':
      return { kind: 'conflict', record: record ?? { version: result.version ?? 0, fields: null, origin: undefined }, ...(result.conflictId === undefined ? {} : { conflictId: result.conflictId }) }
    case 'rejected':
      return { kind: 'rejected', error: result.error ?? { code: 'unknown', message: 'The server gave no reason.' }, ...(record === undefined ? {} : { record }) }
  }
}

/** The record in an answer. One that cannot be read here is left to the next pull, which puts it aside. */
async function recordOf(deps: SyncDeps, row: OutboxRow, { record }: PushResult): Promise<Received | undefined> {
  const collection = deps.partition.collections.get(row.collection)
  if (record === undefined || record === null || collection === undefined) return undefined
  try {
    return await receivedOf(deps, collection, record)
  } catch {
    return undefined
  }
}
