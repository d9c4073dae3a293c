import type { HttpServer } from 'holdfast/server'
import type { Editable } from '../app.ts'
import { scopeOf } from './check-access.ts'
import { notFound } from './dialect-error.ts'
import type { JournalContext } from './journal-context.ts'
import { writeBatch, writePathLink } from './link-routes.ts'
import { readFeed, readItem } from './read-feed.ts'
import { writeOne } from './write-one.ts'
import { about, readCreate, readDelete, readPathId, readUpdate } from './write-routes.ts'

const aliases: readonly { readonly path: string; readonly name: Editable }[] = [
  { path: 'contents', name: 'content' },
  { path: 'journals', name: 'journals' },
  { path: 'drafts', name: 'drafts' },
]

/** The same reads and writes under the paths and methods of newer mobile clients. */
export function registerAliasRoutes(server: HttpServer, journal: JournalContext): void {
  for (const alias of aliases) registerRecordAliases(server, journal, alias)
  server.get('/drafts/changes', about('What is new in drafts'), async (request, reply) => reply.send(await readFeed(journal, request, 'drafts')))
  server.post('/associations', about('Put notes into journals'), (request, reply) => writeBatch(journal, request, reply, { kind: 'link', empty: false }))
  server.delete('/associations', about('Take notes out of journals'), (request, reply) => writeBatch(journal, request, reply, { kind: 'unlink', empty: true }))
  server.get('/associations', about('What is new in associations'), async (request, reply) => reply.send(await readFeed(journal, request, 'associations')))
  server.put('/associations/:journalId/:contentId', about('Put a note into a journal'), (request, reply) => writePathLink(journal, request, reply, 'link'))
  server.delete('/associations/:journalId/:contentId', about('Take a note out of a journal'), (request, reply) => writePathLink(journal, request, reply, 'unlink'))
}

function registerRecordAliases(server: HttpServer, journal: JournalContext, { path, name }: { readonly path: string; readonly name: Editable }): void {
  server.get(`/${path}`, about(`What is new in ${name}`), async (request, reply) => reply.send(await readFeed(journal, request, name)))
  server.get(`/${path}/:id`, about(`One record of ${name}`), async (request, reply) => {
    const scope = await scopeOf(journal.http, request)
    const item = await readItem(journal, scope, { collection: name, id: readPathId(request) })
    if (item === undefined) throw notFound()
    return reply.send(item)
  })
  server.put(`/${path}/:id`, about(`Create in ${name}`), async (request, reply) => {
    const id = readPathId(request)
    const one = await readCreate(journal, request, name, id)
    return writeOne(journal, request, reply, { ...one, answer: { ...one.answer, location: `/journal/${path}/${id}` } })
  })
  server.patch(`/${path}/:id`, about(`Update in ${name}`), async (request, reply) => writeOne(journal, request, reply, await readUpdate(journal, request, name)))
  server.delete(`/${path}/:id`, about(`Delete from ${name}`), async (request, reply) => {
    const one = await readDelete(journal, request, name)
    return writeOne(journal, request, reply, { ...one, answer: { ...one.answer, empty: true } })
  })
}
