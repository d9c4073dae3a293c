import type { FastifyReply, FastifyRequest } from 'fastify'
import { foldText, type HttpServer } from 'holdfast/server'
import type { ItemView } from '../item-view.ts'
import { QUERY_TERMS_MAX, readSearchQuery } from '../search-query.ts'
import { snippetOf } from '../snippet.ts'
import { about } from './about-route.ts'
import { listLibrary } from './list-library.ts'
import { LIBRARY_PAGE, limitOf, readBody, readCursor, readLimit, readParameter } from './read-request.ts'
import { scopeOf, type VaultContext } from './vault-context.ts'
import { invalidField } from './vault-error.ts'

const sorts = ['recent', 'relevance'] as const

interface Asked {
  readonly text: string
  readonly sort: string
  readonly cursor: unknown
  readonly limit: number
}

/** What was confirmed, by its words. */
export function registerSearchRoutes(server: HttpServer, vault: VaultContext): void {
  server.get('/search', about('Confirmed items by their words'), (request, reply) =>
    search(vault, request, reply, {
      text: readParameter(request, 'q') ?? '',
      sort: readParameter(request, 'sort') ?? 'recent',
      cursor: readCursor(request),
      limit: readLimit(request, LIBRARY_PAGE),
    }),
  )
  server.post('/search', about('Confirmed items by their words'), (request, reply) => {
    const body = readBody(request)
    const { limit = null } = body
    const size = limit === null ? LIBRARY_PAGE.byDefault : limitOf(typeof limit === 'number' ? String(limit) : limit, LIBRARY_PAGE)
    return search(vault, request, reply, { text: textOf(body, 'q') ?? textOf(body, 'query') ?? '', sort: textOf(body, 'sort') ?? 'recent', cursor: body['cursor'] ?? undefined, limit: size })
  })
}

function textOf(body: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = body[name] ?? undefined
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !value.isWellFormed() || value.includes('\u0000')) throw invalidField(name, 'This is well-formed text without U+0000.')
  return value
}

async function search(vault: VaultContext, request: FastifyRequest, reply: FastifyReply, { text, sort, cursor, limit }: Asked): Promise<FastifyReply> {
  const { space } = await scopeOf(vault, request)
  const query = readSearchQuery(text)
  if (query === undefined) throw invalidField('q', `Write what to look for, in at most ${QUERY_TERMS_MAX} words.`)
  if (!sorts.some((known) => known === sort)) throw invalidField('sort', `This is ${sorts.join(' or ')}.`)
  const order = sort === 'relevance' ? 'relevance' : 'listed'
  const page = { space, terms: query.terms, tagIds: [], order, list: ['search', space, foldText(text), sort], cursor, limit, counted: true } as const
  const found = await vault.http.database.read((reader) => listLibrary(reader, vault, page))
  const terms = query.terms.filter(({ inTags }) => !inTags).map((term) => term.text)
  return reply.send({ items: found.items.map((item) => foundView(item, terms)), mode: query.mode, pagination: found.pagination, total: found.total })
}

/** An item as a search shows it: a piece of its text in place of all of it. */
function foundView({ rawText, status: _status, ...shown }: ItemView, terms: readonly string[]) {
  const texts = [shown['summary'], rawText].map((text) => (typeof text === 'string' ? text : null))
  return { ...shown, snippet: snippetOf(texts, terms) }
}
