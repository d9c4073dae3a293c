import { CHAIN_START } from '../audit/chain.ts'
import type { Reader, Transactor } from './database.ts'

/** The last entry of a space's log that was forgotten: the entries that are kept follow it. */
export interface LogAnchor {
  /** 0 while nothing was forgotten. */
  readonly seq: number
  readonly version: number
  readonly hash: string
  /** Versions that restores of the forgotten time had lost: above the first of a pair and below the second. */
  readonly lost: readonly (readonly [above: number, below: number])[]
}

const beginning: LogAnchor = { seq: 0, version: 0, hash: CHAIN_START, lost: [] }

interface AnchorRow extends Omit<LogAnchor, 'lost'> {
  readonly lost: string
}

/** Where the space's log begins. */
export async function readAnchor(reader: Reader, space: number): Promise<LogAnchor> {
  const [row] = await reader.all<AnchorRow>('SELECT seq, version, hash, lost FROM holdfast_log_anchors WHERE space = ?', [space])
  return row === undefined ? beginning : { ...row, lost: JSON.parse(row.lost) as LogAnchor['lost'] }
}

const columns = ['space', 'seq', 'version', 'hash', 'lost'] as const
const key = ['space'] as const

/** Notes where the log begins from now on, in the transaction that forgets what comes before. */
export async function saveAnchor(tx: Transactor, space: number, { seq, version, hash, lost }: LogAnchor): Promise<void> {
  await tx.insertMany({ table: 'holdfast_log_anchors', columns, rows: [[space, seq, version, hash, JSON.stringify(lost)]], replaceBy: key })
}
