import { addDecided, isDecided, type DecidedRanges } from '../engine/decided-ranges.ts'
import type { Outcome } from '../engine/mutation.ts'
import type { MutationError } from '../protocol/push.ts'
import type { SqlValue, Transactor } from './database.ts'

/** Which mutation numbers of a client have been decided, so that each takes effect at most once. */
export interface ClientLedger {
  readonly client: string
  decided: DecidedRanges
  readonly kept: { readonly n: number; readonly outcome: KeptOutcome }[]
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
}

export async function loadLedger(tx: Transactor, space: number, client: string): Promise<ClientLedger> {
  const [row] = await tx.all<ClientRow>('SELECT decided FROM holdfast_clients WHERE space = ? AND client = ?', [space, client])
  return { client, decided: row === undefined ? [] : (JSON.parse(row.decided) as DecidedRanges), kept: [] }
}

export function wasDecided(ledger: ClientLedger, n: number): boolean {
  return isDecided(ledger.decided, n)
}

/** Notes that `n` has been decided; an outcome other than `applied` is kept for a replay. */
export function noteDecided(ledger: ClientLedger, n: number, outcome: KeptOutcome | undefined): void {
  ledger.decided = addDecided(ledger.decided, n)
  if (outcome !== undefined) ledger.kept.push({ n, outcome })
}

/** What a mutation was answered before; undefined when it was applied, or its answer has been acknowledged. */
export async function keptOutcome(tx: Transactor, space: number, ledger: ClientLedger, n: number): Promise<KeptOutcome | undefined> {
  const here = ledger.kept.find((kept) => kept.n === n)
  if (here !== undefined) return here.outcome
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

export async function saveLedger(tx: Transactor, ledger: ClientLedger, { space, now, ackedThrough, pending }: LedgerUpdate): Promise<void> {
  const row: SqlValue[] = [space, ledger.client, JSON.stringify(ledger.decided), ackedThrough ?? 0, pending ?? 0, now]
  await tx.insertMany({ table: 'holdfast_clients', columns: clientColumns, rows: [row], replaceBy: clientKey })
  if (ledger.kept.length > 0) {
    const rows = ledger.kept.map(({ n, outcome }): SqlValue[] => [space, ledger.client, n, JSON.stringify(outcome)])
    await tx.insertMany({ table: 'holdfast_outcomes', columns: outcomeColumns, rows, replaceBy: outcomeKey })
  }
  if (ackedThrough !== undefined && ackedThrough > 0) {
    await tx.run('DELETE FROM holdfast_outcomes WHERE space = ? AND client = ? AND n <= ?', [space, ledger.client, ackedThrough])
  }
}
