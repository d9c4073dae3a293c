import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CommitResult, HttpServer, StoredAnswer } from 'holdfast/server'
import { scopeOf } from './check-access.ts'
import type { JournalContext } from './journal-context.ts'
import { readBatch, readItem, resultOf, type LinkItem, type LinkWrite } from './link-batch.ts'
import { readPathParameter } from './read-query.ts'
import { readBody } from './read-write.ts'
import { idempotencyOf, jsonAnswer, sendAnswer } from './write-answer.ts'
import { about } from './write-routes.ts'

/** Putting notes into journals and taking them out, in batches. */
export function registerLinkRoutes(server: HttpServer, journal: JournalContext): void {
  server.post('/sync/associations', about('Put notes into journals'), (request, reply) => writeBatch(journal, request, reply, { kind: 'link', empty: false }))
  server.post('/sync/associations/delete', about('Take notes out of journals'), (request, reply) => writeBatch(journal, request, reply, { kind: 'unlink', empty: false }))
}

export interface LinkCall {
  readonly kind: LinkWrite
  /** Answers 204 without a body. */
  readonly empty: boolean
}

export async function writeBatch(journal: JournalContext, request: FastifyRequest, reply: FastifyReply, call: LinkCall): Promise<FastifyReply> {
  const scope = await scopeOf(journal.http, request)
  return writeLinks(journal, request, reply, { ...call, items: readBatch({ journal, request, scope, kind: call.kind }, readBody(request)) })
}

/** The link that the path names. */
export async function writePathLink(journal: JournalContext, request: FastifyRequest, reply: FastifyReply, kind: LinkWrite): Promise<FastifyReply> {
  const scope = await scopeOf(journal.http, request)
  const named = { ...readBody(request), journalId: readPathParameter(request, 'journalId'), contentId: readPathParameter(request, 'contentId') }
  return writeLinks(journal, request, reply, { kind, empty: true, items: [readItem({ journal, request, scope, kind }, named)] })
}

/** Stores all items in one commit, in their order. */
async function writeLinks(journal: JournalContext, request: FastifyRequest, reply: FastifyReply, call: LinkCall & { readonly items: readonly LinkItem[] }): Promise<FastifyReply> {
  const scope = await scopeOf(journal.http, request)
  const answer = (result: CommitResult) => answerOf(call, result)
  const mutations = call.items.map(({ mutation }) => mutation)
  const result = await journal.http.commit(scope, { mutations, keepRejected: false, keepConflicts: false, ...idempotencyOf(request, answer) })
  if (result.replayed !== undefined) return sendAnswer(reply, { answer: result.replayed, replayed: true })
  return sendAnswer(reply, { answer: answer(result), replayed: false })
}

function answerOf({ kind, empty, items }: LinkCall & { readonly items: readonly LinkItem[] }, { outcomes, now }: CommitResult): StoredAnswer {
  const settled = items.map((item, index) => resultOf(item, outcomes[index]))
  if (empty) return { status: 204, body: '' }
  const live = settled.filter((result) => result.live).length
  const results = settled.map(({ shown }) => shown)
  return kind === 'link' ? jsonAnswer(200, { uploadedCount: live, uploadedAt: now, results }) : jsonAnswer(200, { deletedCount: settled.length - live, deletedAt: now, results })
}
