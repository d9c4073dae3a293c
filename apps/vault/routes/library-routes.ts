import type { FastifyReply, FastifyRequest } from 'fastify'
import { foldText, getRecords, type HttpServer, type Reader } from 'holdfast/server'
import { QUERY_TERMS_MAX, readSearchQuery } from '../search-query.ts'
import { readTagName } from '../tag-name.ts'
import { about } from './about-route.ts'
import { listLibrary } from './list-library.ts'
import { LIBRARY_PAGE, readCursor, readLimit, readParameter, readParameters } from './read-request.ts'
import { scopeOf, type VaultContext } from './vault-context.ts'
import { invalidField } from './vault-error.ts'

/** Tags that one request narrows the library by. */
const TAGS_MAX = 20
const sourceTypes = ['NOTE', 'ARTICLE']

/** What was confirmed. */
export function registerLibraryRoutes(server: HttpServer, vault: VaultContext): void {
  server.get('/library', about('What was confirmed, newest first'), (request, reply) => readLibrary(vault, request, reply))
}

async function readLibrary(vault: VaultContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { space } = await scopeOf(vault, request)
  const limit = readLimit(request, LIBRARY_PAGE)
  const text = readParameter(request, 'q') ?? ''
  const tags = readParameters(request, 'tag').filter((tag) => tag.trim() !== '')
  const sourceType = readParameter(request, 'sourceType')
  if (tags.length > TAGS_MAX) throw invalidField('tag', `Give at most ${TAGS_MAX}.`)
  if (sourceType !== undefined && !sourceTypes.includes(sourceType)) throw invalidField('sourceType', `This is ${sourceTypes.join(' or ')}.`)
  const query = foldText(text) === '' ? { terms: [] } : readSearchQuery(text)
  if (query === undefined) throw invalidField('q', `Write what to look for, in at most ${QUERY_TERMS_MAX} words.`)
  const list = ['library', space, foldText(text), [...new Set(tags)].toSorted(), sourceType ?? null]
  const page = { space, terms: query.terms, sourceType, order: 'listed', list, cursor: readCursor(request), limit, counted: false } as const
  const { items, pagination } = await vault.http.database.read(async (reader) => {
    const tagIds = await tagIdsOf(reader, vault, space, tags)
    // A tag that nobody has is on no item.
    return listLibrary(reader, vault, { ...page, tagIds: tagIds ?? [''] })
  })
  return reply.send({ items, pagination })
}

/** Ids of the tags that are named by id or name; undefined when there is one that nothing is named by. */
async function tagIdsOf(reader: Reader, { collections }: Pick<VaultContext, 'collections'>, space: number, named: readonly string[]): Promise<readonly string[] | undefined> {
  const { tags } = collections
  const keys = new Map(named.map((text) => [text, readTagName(text)?.nameKey]))
  const byId = new Map((await getRecords(reader, tags, space, [...keys.keys()])).map((tag) => [tag.id, tag]))
  const byKey = await reader.all<{ id: string; name_key: string; merged_into: string | null }>(
    `SELECT id, name_key, merged_into FROM "${tags.table}" WHERE space = ? AND ${reader.dialect.inJsonArray('name_key')} AND deleted_at IS NULL`,
    [space, JSON.stringify([...keys.values()].filter((key) => key !== undefined))],
  )
  const ids = [...keys].map(([text, key]) => {
    const tag = byId.get(text)
    if (tag !== undefined && tag.deletedAt === null) return tag.fields['mergedInto'] ?? tag.id
    const rows = byKey.filter((row) => row.name_key === key)
    const row = rows.find(({ merged_into: mergedInto }) => mergedInto === null) ?? rows[0]
    return row === undefined ? undefined : (row.merged_into ?? row.id)
  })
  return ids.every((id) => typeof id === 'string') ? [...new Set(ids)] : undefined
}
