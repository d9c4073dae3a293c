import type { Scope } from '../app/rule.ts'
import { Problem } from '../protocol/problem.ts'
import type { CommitResult, Idempotency, StoredAnswer } from './commit-request.ts'
import type { Transactor } from './database.ts'

interface AnswerRow {
  readonly fingerprint: string
  readonly status: number
  readonly body: string
}

/** What this key was answered before. Throws `idempotency.mismatch` when it was another request. */
export async function readAnswer(tx: Transactor, scope: Scope, { key, fingerprint }: Idempotency): Promise<StoredAnswer | undefined> {
  const [row] = await tx.all<AnswerRow>('SELECT fingerprint, status, body FROM holdfast_idempotency WHERE space = ? AND key = ?', [scope.space, ownKey(scope, key)])
  if (row === undefined) return undefined
  if (row.fingerprint !== fingerprint) throw new Problem('idempotency.mismatch')
  return { status: row.status, body: row.body }
}

export async function storeAnswer(tx: Transactor, scope: Scope, idempotency: Idempotency, result: CommitResult): Promise<void> {
  const answer = idempotency.answer(result)
  if (answer === undefined) return
  const row = { space: scope.space, key: ownKey(scope, idempotency.key), fingerprint: idempotency.fingerprint, status: answer.status, body: answer.body, created_at: result.now }
  await tx.query.insertInto('holdfast_idempotency').values(row).execute()
}

/** Members of one space do not share keys. */
function ownKey({ actor }: Scope, key: string): string {
  return `${actor.type}:${actor.id}/${key}`
}
