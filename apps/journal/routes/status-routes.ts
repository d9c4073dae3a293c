import type { FastifyReply, FastifyRequest } from 'fastify'
import type { HttpServer } from 'holdfast/server'
import { scopeOf } from './check-access.ts'
import { invalidParameter, notFound } from './dialect-error.ts'
import { collectionNames, type JournalContext } from './journal-context.ts'
import { readLimit, readParameter, readPathParameter } from './read-query.ts'
import { listVersions, readChecksums, readQuota, readStatus } from './space-status.ts'
import { about } from './write-routes.ts'

/** What the server holds: counts, positions, checksums and space used. */
export function registerStatusRoutes(server: HttpServer, journal: JournalContext): void {
  for (const path of ['/sync/status', '/ops/sync/status']) server.get(path, about('Counts and positions'), (request, reply) => answerStatus(journal, request, reply))
  server.get('/sync/verify', about('A checksum of every collection'), async (request, reply) => {
    const { space } = await scopeOf(journal.http, request)
    return reply.send(await journal.http.database.read((reader) => readChecksums(reader, journal, space)))
  })
  server.get('/sync/verify/:collection', about('Ids and versions of one collection'), (request, reply) => answerVersions(journal, request, reply))
  server.get('/quota', about('Space that files use'), async (request, reply) => {
    const { space } = await scopeOf(journal.http, request)
    return reply.send(await journal.http.database.read((reader) => readQuota(reader, journal, space)))
  })
}

async function answerStatus(journal: JournalContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { space } = await scopeOf(journal.http, request)
  const data = await journal.http.database.read((reader) => readStatus(reader, journal, space))
  return reply.send({ data, message: null, timestamp: new Date(journal.http.chance.now()).toISOString() })
}

async function answerVersions(journal: JournalContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { space } = await scopeOf(journal.http, request)
  const asked = readPathParameter(request, 'collection')
  const name = collectionNames.find((known) => known === asked)
  if (name === undefined) throw notFound('The journal has no such collection.')
  const limit = readLimit(request, { byDefault: 1_000, max: 10_000 })
  const after = readParameter(request, 'after') ?? ''
  if (!/^[A-Za-z0-9_.:-]{0,128}$/.test(after)) throw invalidParameter('after', 'This is the last id of the page before.')
  const found = await journal.http.database.read((reader) => listVersions(reader, journal.collections[name], { space, after, limit: limit + 1 }))
  return reply.send({ records: found.slice(0, limit), hasMore: found.length > limit })
}
