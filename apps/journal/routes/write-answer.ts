import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { canonicalJson, type JsonValue } from 'holdfast'
import type { CommitRequest, StoredAnswer } from 'holdfast/server'
import { invalidParameter, type DialectError } from './dialect-error.ts'

/** How long a key stands for its request, in milliseconds: a device may be away for a week. */
const KEY_LIFE_MS = 7 * 86_400_000

/** The idempotency of a JSON write, where the caller sent a key: the same key stands for the same method, path and body. */
export function idempotencyOf(request: FastifyRequest, answer: NonNullable<CommitRequest['idempotency']>['answer']): Pick<CommitRequest, 'idempotency'> {
  const key = request.headers['idempotency-key']
  if (key === undefined) return {}
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,128}$/.test(key)) throw invalidParameter('Idempotency-Key', 'A key is 1 to 128 visible ASCII characters.')
  const fingerprint = hash('sha256', `${request.method}\n${request.url}\n${canonicalJson((request.body ?? null) as JsonValue)}`, 'hex')
  return { idempotency: { key, fingerprint, answer, lifeMs: KEY_LIFE_MS } }
}

export function jsonAnswer(status: number, body: Readonly<Record<string, JsonValue>>): StoredAnswer {
  return { status, body: JSON.stringify(body) }
}

/** An error as an answer to keep; undefined where a repetition may have another outcome. */
export function keptError(error: DialectError, now: number): StoredAnswer | undefined {
  return error.status === 409 ? jsonAnswer(409, error.body(now)) : undefined
}

export interface SentAnswer {
  readonly answer: StoredAnswer
  readonly replayed: boolean
  /** Path of what was made, for a 201. */
  readonly location?: string
}

export function sendAnswer(reply: FastifyReply, { answer, replayed, location }: SentAnswer): FastifyReply {
  if (replayed) reply.header('idempotent-replay', 'true')
  if (location !== undefined && answer.status === 201) reply.header('location', location)
  reply.code(answer.status)
  return answer.status === 204 ? reply.send() : reply.type('application/json; charset=utf-8').send(answer.body)
}
