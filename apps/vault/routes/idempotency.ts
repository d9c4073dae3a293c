import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { canonicalJson, type JsonValue } from 'holdfast'
import type { CommitRequest } from 'holdfast/server'
import type { VaultContext } from './vault-context.ts'
import { invalidField } from './vault-error.ts'

type Answer = NonNullable<CommitRequest['idempotency']>['answer']

/** The idempotency of a write, where the caller sent a key. A key belongs to the space and to what is done with it; bodies are compared as JSON values. */
export function idempotencyOf({ settings }: VaultContext, request: FastifyRequest, work: 'items' | 'batch' | 'import', answer: Answer): Pick<CommitRequest, 'idempotency'> {
  const key = request.headers['idempotency-key']
  if (key === undefined) return {}
  if (typeof key !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(key)) throw invalidField('Idempotency-Key', 'A key is 1 to 255 printable ASCII characters.')
  const fingerprint = hash('sha256', canonicalJson((request.body ?? null) as JsonValue), 'hex')
  return { idempotency: { key: `${work} ${key}`, fingerprint, mismatch: settings.strictIdempotency ? 'refuse' : 'replay', shared: true, lifeMs: settings.idempotencyLifeMs, answer } }
}
