import type { FastifyReply, FastifyRequest } from 'fastify'
import { getRecord, type HttpServer } from 'holdfast/server'
import { viewArticle } from '../item-view.ts'
import { enrichJob } from '../rules/enrich-job.ts'
import type { Action } from '../transitions.ts'
import { about } from './about-route.ts'
import { capture } from './capture-route.ts'
import { listPending } from './pending-route.ts'
import { readChange } from './read-change.ts'
import { readBody, readPathParameter } from './read-request.ts'
import { scopeOf, type VaultContext } from './vault-context.ts'
import { notFound } from './vault-error.ts'
import { acceptedRecord, actOnItem, changeContract, findItem, readIfMatch, sendItem } from './write-item.ts'

/** Capturing, reading, changing and deleting items. */
export function registerItemRoutes(server: HttpServer, vault: VaultContext): void {
  server.post('/items', about('Capture a text or a link'), (request, reply) => capture(vault, request, reply))
  server.get('/items/pending', about('What waits for the AI or for a person, newest first'), (request, reply) => listPending(vault, request, reply))
  server.get('/items/:id', about('One item'), async (request, reply) => sendItem(vault, request, reply, { record: await findItem(vault, await scopeOf(vault, request), idOf(request)) }))
  server.get('/items/:id/article', about('The readable text of its page'), (request, reply) => sendArticle(vault, request, reply))
  server.patch('/items/:id', about('Confirm, discard, archive or edit an item'), async (request, reply) => {
    const record = await actOnItem(vault, request, { id: idOf(request), version: readIfMatch(request), ...readChange(vault, readBody(request)) })
    return sendItem(vault, request, reply, { record })
  })
  const act = (path: 'retry' | 'cancel' | 'restore', summary: string) =>
    server.post(`/items/:id/${path}`, about(summary), async (request, reply) => sendItem(vault, request, reply, { record: await move(vault, request, path) }))
  act('retry', 'Ask the AI once more about an item that has failed')
  act('cancel', 'Ask the AI no more about an item')
  act('restore', 'Take an item out of the trash')
  server.post('/items/:id/enrich', about('Ask again: the result waits as a proposal'), async (request, reply) => {
    const id = idOf(request)
    const record = await actOnItem(vault, request, { id, version: readIfMatch(request), intent: { by: 'user', action: 'enrich' }, jobs: [enrichJob(id, 'again')] })
    return sendItem(vault, request, reply, { record, status: 202 })
  })
  server.delete('/items/:id', about('Delete an item for good'), (request, reply) => deleteItem(vault, request, reply))
}

function idOf(request: FastifyRequest): string {
  return readPathParameter(request, 'id')
}

function move(vault: VaultContext, request: FastifyRequest, action: Action) {
  return actOnItem(vault, request, { id: idOf(request), version: readIfMatch(request), intent: { by: 'user', action } })
}

async function sendArticle(vault: VaultContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const scope = await scopeOf(vault, request)
  const { id } = await findItem(vault, scope, idOf(request))
  const article = await vault.http.database.read((reader) => getRecord(reader, vault.collections.articles, scope.space, id))
  if (article === undefined || article.deletedAt !== null) throw notFound()
  return reply.send(viewArticle(article))
}

async function deleteItem(vault: VaultContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const scope = await scopeOf(vault, request)
  const mutation = { collection: 'items', id: idOf(request), op: 'delete', base: 'any', sent: {}, contract: changeContract(readIfMatch(request)) } as const
  const { outcomes } = await vault.http.commit(scope, { mutations: [mutation], keepRejected: false, keepConflicts: false })
  acceptedRecord(outcomes[0], undefined)
  return reply.code(204).send()
}
