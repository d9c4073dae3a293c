import { encodeCursor } from '../engine/cursor.ts'
import type { Outcome } from '../engine/mutation.ts'
import { prepareMutations } from '../engine/prepare-mutations.ts'
import { limits } from '../protocol/limits.ts'
import { Problem } from '../protocol/problem.ts'
import { pushRequestSchema, pushResponseSchema, type PushRequest, type PushResponse } from '../protocol/push.ts'
import type { CommitResult } from '../storage/commit-request.ts'
import { wasCarriedOut } from '../storage/was-carried-out.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { pushResults } from './push-results.ts'
import { appOf, checkScope } from './route-scope.ts'
import { appParamsSchema, cursorQuerySchema, jsonAnswer, needsCredential, refusals, spaceQuerySchema } from './route-schema.ts'

const pushQuerySchema = spaceQuerySchema.extend({
  proof: cursorQuerySchema.meta({ description: 'The `proof` of the last push, or the cursor of the last page behind it: 410, and nothing is decided, where the log has been put back since.' }),
})

/** `POST …/push`: takes a client's edits. One that is malformed or refused holds up no other. */
export function registerPushRoute(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'POST',
    url: '/api/v1/:app/push',
    schema: {
      operationId: 'push',
      tags: ['sync'],
      summary: 'Send edits; one result per mutation, in order',
      security: needsCredential,
      params: appParamsSchema,
      querystring: pushQuerySchema,
      body: pushRequestSchema,
      response: { 200: jsonAnswer('What became of each mutation.', pushResponseSchema), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      const { body, query } = request
      const { proof } = query
      if (body.mutations.length > limits.PUSH_MUTATIONS_MAX) throw new Problem('batch.too_large', { extra: { limit: limits.PUSH_MUTATIONS_MAX } })
      const app = appOf(context, scope.app)
      const mutations = prepareMutations(app, body.mutations, { numbered: body.clientId !== undefined })
      const result = await context.commit(scope, { mutations, ...clientOf(body), ...(proof === undefined ? {} : { proof }), keepRejected: true, keepConflicts: true })
      const answer: PushResponse = {
        epoch: result.epoch,
        version: result.version,
        serverTime: result.now,
        proof: proofOf(scope.space, result),
        results: pushResults(result.outcomes, { app, scope, mutations }),
      }
      const isRepeated = mayBeRepeated(result.outcomes) && (await context.database.read((reader) => wasCarriedOut(reader, { space: scope.space, requestId: scope.requestId, now: result.now })))
      return reply.type('application/json; charset=utf-8').send(JSON.stringify(isRepeated ? { ...answer, repeated: true } : answer))
    },
  })
}

/** A request that comes again finds everything decided: one that writes something is another. */
function mayBeRepeated(outcomes: readonly Outcome[]): boolean {
  const accepted = outcomes.flatMap((outcome) => (outcome.status === 'conflict' || outcome.status === 'rejected' ? [] : [outcome]))
  return accepted.length > 0 && accepted.every(({ replayed }) => replayed === true)
}

/** Of a client that has heard this answer a server knows whether its log is still the one that the edits were written to. */
function proofOf(space: number, { epoch, version, chain }: CommitResult): string {
  return encodeCursor({ epoch, space, version, chain, collections: '*', began: 0 })
}

/** Mutations are counted per client only when it names itself. */
function clientOf({ clientId, ackedThrough, pending }: PushRequest) {
  if (clientId === undefined) return {}
  return { client: { id: clientId, ...(ackedThrough === undefined ? {} : { ackedThrough }), ...(pending === undefined ? {} : { pending }) } }
}
