import type { FastifyRequest } from 'fastify'
import type { HttpServer } from 'holdfast/server'
import { contractOf, type DialectWrite } from '../decide-write.ts'
import { editable, type Editable } from '../app.ts'
import { scopeOf } from './check-access.ts'
import { invalidField } from './dialect-error.ts'
import type { JournalContext } from './journal-context.ts'
import { readPathParameter } from './read-query.ts'
import { readBody, readConstraint, readDeviceId, readFields, readId, readQueryConstraint } from './read-write.ts'
import { writeOne, type OneWrite } from './write-one.ts'

/** Creating, changing and deleting notes, journals and drafts. */
export function registerWriteRoutes(server: HttpServer, journal: JournalContext): void {
  for (const name of editable) {
    server.post(`/sync/${name}`, about(`Create in ${name}`), async (request, reply) => writeOne(journal, request, reply, await readCreate(journal, request, name, readId(readBody(request)['id']))))
    server.post(`/sync/${name}/:id`, about(`Update in ${name}`), async (request, reply) => writeOne(journal, request, reply, await readUpdate(journal, request, name)))
    server.post(`/sync/${name}/:id/delete`, about(`Delete from ${name}`), async (request, reply) => writeOne(journal, request, reply, await readDelete(journal, request, name)))
  }
}

/** How a route of the dialect is listed in the description of the API. */
export function about(summary: string): { readonly schema: { readonly tags: string[]; readonly summary: string } } {
  return { schema: { tags: ['journal'], summary } }
}

export async function readCreate(journal: JournalContext, request: FastifyRequest, name: Editable, id: string): Promise<OneWrite> {
  const body = readBody(request)
  const known = readConstraint(body)
  const restore = body['restore'] ?? false
  if (typeof restore !== 'boolean') throw invalidField('restore', 'This is true or false.')
  const deviceId = readDeviceId(request, body, await scopeOf(journal.http, request))
  const fields = readFields(body, journal.settings, { collection: journal.collections[name], kind: 'create', deviceId })
  return { collection: name, id, op: 'put', ...decidedBy({ kind: 'create', known, restore }), fields, answer: { time: 'uploadedAt' } }
}

export async function readUpdate(journal: JournalContext, request: FastifyRequest, name: Editable): Promise<OneWrite> {
  const id = readPathId(request)
  const body = readBody(request)
  const known = readConstraint(body)
  const deviceId = readDeviceId(request, body, await scopeOf(journal.http, request))
  const fields = readFields(body, journal.settings, { collection: journal.collections[name], kind: 'update', deviceId })
  return { collection: name, id, op: 'patch', ...decidedBy({ kind: 'update', known, restore: false }), fields, answer: { time: 'updatedAt' } }
}

export async function readDelete(journal: JournalContext, request: FastifyRequest, collection: OneWrite['collection']): Promise<OneWrite> {
  const id = readPathId(request)
  const body = readBody(request)
  const [inBody, inQuery] = [readConstraint(body), readQueryConstraint(request)]
  if (inBody !== undefined && inQuery !== undefined && inBody !== inQuery) throw invalidField('clientLastKnownServerVersion', 'Body and query contradict each other.')
  const deviceId = readDeviceId(request, body, await scopeOf(journal.http, request))
  return { collection, id, op: 'delete', ...decidedBy({ kind: 'delete', known: inBody ?? inQuery, restore: false }), fields: { sent: { deviceId } }, answer: { time: 'deletedAt' } }
}

function decidedBy(write: DialectWrite): Pick<OneWrite, 'base' | 'contract'> {
  return { base: write.known ?? 'any', contract: contractOf(write) }
}

/** The id of the path; a body that names another one is a mistake of its writer. */
export function readPathId(request: FastifyRequest): string {
  const id = readId(readPathParameter(request, 'id'))
  const named = readBody(request)['id'] ?? undefined
  if (named !== undefined && named !== id) throw invalidField('id', 'Body and path name different records.')
  return id
}
