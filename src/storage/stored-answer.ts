import type { Scope } from '../app/rule.ts'
import { limits } from '../protocol/limits.ts'
import { Problem } from '../protocol/problem.ts'
import type { CommitResult, Idempotency, StoredAnswer } from './commit-request.ts'
import type { Transactor } from './database.ts'

interface AnswerRow {
  readonly fingerprint: string
  readonly status: number
  readonly body: string
}

/** Answers removed in one transaction. */
const SWEEP_ROWS_MAX = 1_000

/** What this key was answered before, until that expires. Throws `idempotency.mismatch` when it was another request, unless its answer is wanted all the same. */
export async function readAnswer(tx: Transactor, scope: Scope, idempotency: Idempotency, now: number): Promise<StoredAnswer | undefined> {
  const { fingerprint, mismatch } = idempotency
  const sql = 'SELECT fingerprint, status, body FROM holdfast_idempotency WHERE space = ? AND key = ? AND expires_at > ?'
  const [row] = await tx.all<AnswerRow>(sql, [scope.space, ownKey(scope, idempotency), now])
  if (row === undefined) return undefined
  if (row.fingerprint !== fingerprint && mismatch !== 'replay') throw new Problem('idempotency.mismatch')
  return { status: row.status, body: row.body }
}

/** Keeps the answer in the transaction of its effect. The space is locked, so of requests that come together one is first and the others read its answer. */
export async function storeAnswer(tx: Transactor, scope: Scope, idempotency: Idempotency, result: CommitResult): Promise<void> {
  const answer = await idempotency.answer(result, tx)
  if (answer === undefined) return
  const { fingerprint, lifeMs = limits.IDEMPOTENCY_LIFE_MS } = idempotency
  const kept = { fingerprint, status: answer.status, body: answer.body, created_at: result.now, expires_at: result.now + lifeMs }
  await tx.query
    .insertInto('holdfast_idempotency')
    .values({ space: scope.space, key: ownKey(scope, idempotency), ...kept })
    .onConflict((conflict) => conflict.columns(['space', 'key']).doUpdateSet(kept))
    .execute()
}

/** Removes answers that have expired; answers how many. */
export async function sweepAnswers(tx: Transactor, now: number): Promise<number> {
  return tx.run('DELETE FROM holdfast_idempotency WHERE (space, key) IN (SELECT space, key FROM holdfast_idempotency WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)', [now, SWEEP_ROWS_MAX])
}

/** Members of one space do not share keys, unless an app says so. */
function ownKey({ actor }: Scope, { key, shared }: Idempotency): string {
  return shared === true ? `space/${key}` : `${actor.type}:${actor.id}/${key}`
}
