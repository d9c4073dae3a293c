import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Scope, StoredRecord } from 'holdfast'
import { foldText, type HttpServer } from 'holdfast/server'
import { about } from './about-route.ts'
import { countTags, findTagRow, listTags, placeOfTag, shapeOfPlace, tagSorts, viewTag } from './list-tags.ts'
import { cutPage, decodeCursor } from './page-cursor.ts'
import { readBody, readCursor, readLimit, readParameter, readPathParameter } from './read-request.ts'
import { scopeOf, type VaultContext } from './vault-context.ts'
import { invalidField, notFound } from './vault-error.ts'
import { changeTag, deleteTag, makeTag, mergeTags, readMerge, readTagFields } from './write-tag.ts'

const TAGS_PAGE = { byDefault: 50, max: 100 }

/** Tags: listed with their uses, made, renamed, deleted and merged. */
export function registerTagRoutes(server: HttpServer, vault: VaultContext): void {
  server.get('/tags', about('Tags with how many items carry them'), (request, reply) => readTags(vault, request, reply))
  server.post('/tags', about('Make a tag, or find the one of this name'), async (request, reply) => {
    const scope = await scopeOf(vault, request)
    const { tag, made } = await makeTag(vault, scope, readTagFields(vault, readBody(request), 'create'))
    return reply.code(made ? 201 : 200).send(await shownTag(vault, scope, tag))
  })
  server.patch('/tags/:id', about('Give a tag another name or color'), async (request, reply) => {
    const scope = await scopeOf(vault, request)
    const tag = await changeTag(vault, scope, readPathParameter(request, 'id'), readTagFields(vault, readBody(request), 'change'))
    return reply.send(await shownTag(vault, scope, tag))
  })
  server.delete('/tags/:id', about('Delete a tag and take it off its items'), async (request, reply) => {
    await deleteTag(vault, await scopeOf(vault, request), readPathParameter(request, 'id'))
    return reply.code(204).send()
  })
  server.post('/tags/merge', about('Merge tags into one'), async (request, reply) => {
    const scope = await scopeOf(vault, request)
    const merge = readMerge(readBody(request))
    const target = await mergeTags(vault, scope, merge)
    return reply.send({ targetTag: await shownTag(vault, scope, target), mergedCount: merge.sources.length })
  })
}

async function readTags(vault: VaultContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { space } = await scopeOf(vault, request)
  const limit = readLimit(request, TAGS_PAGE)
  const asked = readParameter(request, 'sort') ?? 'name'
  const sort = tagSorts.find((known) => known === asked)
  if (sort === undefined) throw invalidField('sort', `This is one of ${tagSorts.join(', ')}.`)
  const unused = readParameter(request, 'unused') ?? 'false'
  if (unused !== 'true' && unused !== 'false') throw invalidField('unused', 'This is true or false.')
  const tags = { space, text: foldText((readParameter(request, 'q') ?? '').trim().replace(/^#/, '')), unused: unused === 'true', sort }
  const list = ['tags', tags.space, tags.text, tags.unused, tags.sort]
  const after = decodeCursor({ list, shape: shapeOfPlace(sort) }, readCursor(request))
  const { found, total } = await vault.http.database.read(async (reader) => ({ found: await listTags(reader, vault, tags, { after, limit: limit + 1 }), total: await countTags(reader, vault, tags) }))
  const { rows, pagination } = cutPage(found, { limit, list, positionOf: placeOfTag(sort) })
  return reply.send({ tags: rows.map(viewTag), total, pagination })
}

async function shownTag(vault: VaultContext, { space }: Scope, { id }: StoredRecord) {
  const row = await vault.http.database.read((reader) => findTagRow(reader, vault, space, id))
  if (row === undefined) throw notFound()
  return viewTag(row)
}
