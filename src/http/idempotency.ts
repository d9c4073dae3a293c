import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { canonicalJson } from '../lib/canonical-json.ts'
import type { JsonValue } from '../lib/json.ts'
import { limits } from '../protocol/limits.ts'
import type { CommitRequest, Idempotency } from '../storage/commit-request.ts'

const keySchema = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'Use visible ASCII characters.')
  .max(limits.IDEMPOTENCY_KEY_CHARS_MAX)

/** Request headers of a write that are looked at. The others pass through. */
export const writeHeadersSchema = z.looseObject({
  'idempotency-key': keySchema.optional().meta({ description: 'A request that is repeated under the same key has one effect and one answer.' }),
  'if-match': z.string().optional().meta({ description: '`ETag` of the version to change.' }),
})

/** The idempotency of a write, where the caller sent a key. The same key means the same method, address, `If-Match` and body. */
export function idempotencyOf({ method, url, headers }: FastifyRequest, body: JsonValue, answer: Idempotency['answer']): Pick<CommitRequest, 'idempotency'> {
  const key = headers['idempotency-key']
  if (typeof key !== 'string') return {}
  const fingerprint = hash('sha256', [method, url, headers['if-match'] ?? '', canonicalJson(body)].join('\n'), 'hex')
  return { idempotency: { key, fingerprint, answer } }
}
