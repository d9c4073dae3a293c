import type { HttpServer } from 'holdfast/server'
import { scopeOf } from './check-access.ts'
import { notFound } from './dialect-error.ts'
import type { JournalContext } from './journal-context.ts'
import { readItem } from './read-feed.ts'
import { writeOne } from './write-one.ts'
import { about, readDelete, readPathId } from './write-routes.ts'

/** Metadata of files, and deleting them. Their bytes have routes of their own. */
export function registerMediaRoutes(server: HttpServer, journal: JournalContext): void {
  server.post('/sync/media/:id/delete', about('Delete a file'), async (request, reply) => writeOne(journal, request, reply, await readDelete(journal, request, 'media')))
  server.delete('/media/:id', about('Delete a file'), async (request, reply) => {
    const one = await readDelete(journal, request, 'media')
    return writeOne(journal, request, reply, { ...one, answer: { ...one.answer, empty: true } })
  })
  server.get('/media/:id', about('Metadata of a file'), async (request, reply) => {
    const scope = await scopeOf(journal.http, request)
    const item = await readItem(journal, scope, { collection: 'media', id: readPathId(request) })
    if (item === undefined) throw notFound()
    return reply.send(item)
  })
}
