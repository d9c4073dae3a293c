import { addDecided, isDecided, type DecidedRanges } from '../engine/decided-ranges.ts'
import type { Outcome } from '../engine/mutation.ts'
import { limits } from '../protocol/limits.ts'
import { Problem } from '../protocol/problem.ts'
import type { MutationError } from '../protocol/push.ts'
import type { SqlValue, Transactor } from './database.ts'

/** Which mutation numbers of a client have been decided, so that each takes effect at most once. */
export interface ClientLedger {
  readonly client: string
  /** As the database has it. */
  readonly decided: DecidedRanges
  readonly ackedThrough: number
  readonly pending: number
  /** Decided in this commit. */
  readonly added: Set<number>
  readonly kept: Map<number, KeptOutcome>
}

/** An outcome other than `applied`, as it is kept until the client has acknowledged it. */
export interface KeptOutcome {
  readonly status: Exclude<Outcome['status'], 'applied'>
  readonly collection: string
  readonly id: string
  readonly conflictId?: string
  readonly reason?: 'stale' | 'deleted'
  readonly error?: MutationError
}

interface ClientRow {
  readonly decided: string
  readonly ackedThrough: number
  readonly pending: number
}

export async function loadLedger(tx: Transactor, space: number, client: string): Promise<ClientLedger> {
  const [row] = await tx.all<ClientRow>('SELECT decided, acked_through AS "ackedThrough", pending FROM holdfast_clients WHERE space = ? AND client = ?', [space, client])
  const decided = row === undefined ? [] : (JSON.parse(row.decided) as DecidedRanges)
  return { client, decided, ackedThrough: row?.ackedThrough ?? 0, pending: row?.pending ?? 0, added: new Set(), kept: new Map() }
}

export function wasDecided(ledger: ClientLedger, n: number): boolean {
  return ledger.added.has(n) || isDecided(ledger.decided, n)
}

/** Notes that `n` has been decided; an outcome other than `applied` is kept for a replay. */
export function noteDecided(ledger: ClientLedger, n: number, outcome: KeptOutcome | undefined): void {
  ledger.added.add(n)
  if (outcome !== undefined) ledger.kept.set(n, outcome)
}

/** What a mutation was answered before; undefined when it was applied, or its answer has been acknowledged. */
export async function keptOutcome(tx: Transactor, space: number, ledger: ClientLedger, n: number): Promise<KeptOutcome | undefined> {
  if (ledger.added.has(n)) return ledger.kept.get(n)
  const [row] = await tx.all<{ outcome: string }>('SELECT outcome FROM holdfast_outcomes WHERE space = ? AND client = ? AND n = ?', [space, ledger.client, n])
  return row === undefined ? undefined : (JSON.parse(row.outcome) as KeptOutcome)
}

export interface LedgerUpdate {
  readonly space: number
  readonly now: number
  readonly ackedThrough: number | undefined
  readonly pending: number | undefined
}

const clientColumns = ['space', 'client', 'decided', 'acked_through', 'pending', 'updated_at'] as const
const clientKey = ['space', 'client'] as const
const outcomeColumns = ['space', 'client', 'n', 'outcome'] as const
const outcomeKey = ['space', 'client', 'n'] as const

/** Notes what was decided. Throws `request.invalid` when the client leaves more gaps in its numbers than can be kept: every push reads them all, or more answers than are kept without its `ackedThrough`. */
export async function saveLedger(tx: Transactor, ledger: ClientLedger, { space, now, ackedThrough, pending }: LedgerUpdate): Promise<void> {
  const ranges = addDecided(ledger.decided, [...ledger.added])
  if (ranges.length > limits.NUMBER_GAPS_MAX && ranges.length > ledger.decided.length) {
    throw new Problem('request.invalid', { detail: `A client leaves at most ${limits.NUMBER_GAPS_MAX} gaps in its numbers. Send what was left out first.` })
  }
  const decided = JSON.stringify(ranges)
  const row: SqlValue[] = [space, ledger.client, decided, Math.max(ledger.ackedThrough, ackedThrough ?? 0), pending ?? ledger.pending, now]
  await tx.insertMany({ table: 'holdfast_clients', columns: clientColumns, rows: [row], replaceBy: clientKey })
  if (ledger.kept.size > 0) {
    const rows = [...ledger.kept].map(([n, outcome]): SqlValue[] => [space, ledger.client, n, JSON.stringify(outcome)])
    await tx.insertMany({ table: 'holdfast_outcomes', columns: outcomeColumns, rows, replaceBy: outcomeKey })
  }
  if (ackedThrough !== undefined && ackedThrough > 0) {
    await tx.send('DELETE FROM holdfast_outcomes WHERE space = ? AND client = ? AND n <= ?', [space, ledger.client, ackedThrough])
  }
  if (ledger.kept.size > 0) await checkKept(tx, space, ledger.client)
}

/** An answer that was not acknowledged is never dropped, because a replay would not get it again; so the push that would keep one too many is refused whole. */
async function checkKept(tx: Transactor, space: number, client: string): Promise<void> {
  const over = await tx.all('SELECT n FROM holdfast_outcomes WHERE space = ? AND client = ? LIMIT 1 OFFSET ?', [space, client, limits.KEPT_OUTCOMES_MAX])
  if (over.length === 0) return
  const detail = `The server keeps at most ${limits.KEPT_OUTCOMES_MAX} outcomes for a client. Send ackedThrough, the number up to which it has them.`
  throw new Problem('request.invalid', { detail, fields: [{ path: 'ackedThrough', message: 'Too far behind.' }] })
}
