import type { FastifyReply, FastifyRequest } from 'fastify'
import type { StoredAnswer } from 'holdfast/server'
import { viewItems } from '../item-view.ts'
import { idempotencyOf } from './idempotency.ts'
import { readCapture } from './read-capture.ts'
import { readBody } from './read-request.ts'
import { repeatedCapture } from './repeated-capture.ts'
import { scopeOf, type VaultContext } from './vault-context.ts'
import { acceptedRecord, captureRefusal, etagOf, sendItem } from './write-item.ts'

/** Takes a capture: the item, its job, and the answer to a repetition are one commit, and the answer leaves behind it. */
export async function capture(vault: VaultContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const scope = await scopeOf(vault, request)
  const sent = readCapture(vault, readBody(request))
  const idempotency = idempotencyOf(vault, request, 'items', async ({ outcomes: [outcome] }, reader) => {
    if (outcome?.status !== 'applied' || outcome.record === undefined) return undefined
    const [view] = await viewItems(reader, { space: scope.space, collections: vault.collections }, [outcome.record], 'whole')
    return { status: 201, body: JSON.stringify(view) }
  })
  const result = await vault.http.commit(scope, { mutations: [sent.mutation], keepRejected: false, keepConflicts: false, ...idempotency })
  if (result.replayed !== undefined) return sendStored(reply.header('idempotency-replayed', 'true'), result.replayed)
  const [decided] = result.outcomes
  const isNew = decided === undefined || decided.status === 'applied'
  const outcome = isNew ? decided : await vault.http.database.read((reader) => repeatedCapture(reader, vault.collections.items, scope, sent, decided))
  const refusal = outcome === undefined ? undefined : captureRefusal(outcome, sent.id)
  if (refusal !== undefined) throw refusal
  const record = acceptedRecord(outcome, undefined)
  if (outcome?.status === 'applied') return sendItem(vault, request, reply, { record, status: 201 })
  return sendItem(vault, request, reply.header('idempotency-replayed', 'true'), { record })
}

function sendStored(reply: FastifyReply, { status, body }: StoredAnswer): FastifyReply {
  const version = /"version":(\d+)/.exec(body)?.[1]
  return reply
    .code(status)
    .headers(version === undefined ? {} : { etag: etagOf(Number(version)) })
    .type('application/json; charset=utf-8')
    .send(body)
}
