import { z } from 'zod'
import type { CompiledApp, CompiledCollection } from '../app/compile-app.ts'
import type { Scope } from '../app/rule.ts'
import { isWellFormedText } from '../lib/well-formed-text.ts'
import { Problem } from '../protocol/problem.ts'
import { recordSchema, type WireRecord } from '../protocol/push.ts'
import { searchLimits } from '../search/search-limits.ts'
import { phraseOf, termsOf } from '../search/search-terms.ts'
import type { Reader } from '../storage/database.ts'
import { readPage } from '../storage/page.ts'
import { getRecords, recordSizes } from '../storage/read-records.ts'
import { wireRecord } from '../storage/record-rows.ts'
import { countMatches, searchRecords, type Match, type SearchPosition } from '../storage/search-records.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { decodeListCursor, encodeListCursor } from './list-cursor.ts'
import { appOf, checkScope, mayRead } from './route-scope.ts'
import { appParamsSchema, cursorQuerySchema, jsonAnswer, needsCredential, pageLimitSchema, refusals, spaceQuerySchema } from './route-schema.ts'

const textSchema = z.string().max(searchLimits.QUERY_CHARS_MAX).refine(isWellFormedText, 'Not well-formed text.')

const searchQuerySchema = spaceQuerySchema.extend({
  q: textSchema.optional().meta({ description: 'Words with blanks between, at most 16; each must occur, also inside a word. Nothing in it is an operator.' }),
  phrase: textSchema.optional().meta({ description: 'Words that must stand next to each other, in this order.' }),
  collections: z.string().optional().meta({ description: 'Names with commas between; all that can be searched and read when absent.' }),
  sort: z.enum(['relevance', 'recent']).default('relevance'),
  limit: pageLimitSchema(searchLimits.PAGE_RECORDS_MAX, searchLimits.PAGE_RECORDS_DEFAULT),
  cursor: cursorQuerySchema,
  total: z.enum(['true', 'false']).default('false').meta({ description: 'Count all matches.' }),
})

const foundSchema = z.object({ score: z.int(), record: recordSchema })

/** `…/search`: live records with the words in their searched fields, in the collections that the caller may read. */
export function registerSearchRoute(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'GET',
    url: '/api/v1/:app/search',
    schema: {
      operationId: 'search',
      tags: ['search'],
      summary: 'Records by their words',
      description: 'Case in every script, and accents on Latin letters, do not count. Without `q` and `phrase`, or with blank ones, 400.',
      security: needsCredential,
      params: appParamsSchema,
      querystring: searchQuerySchema,
      response: { 200: jsonAnswer('A page; `cursor` is null on the last.', z.object({ results: z.array(foundSchema), cursor: z.string().nullable(), total: z.int().optional() })), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      const { q = '', phrase = '', sort, limit, cursor, total } = request.query
      const collections = searchedCollections(appOf(context, scope.app), scope, request.query.collections)
      const terms = [...termsOf(q), ...phraseOf(phrase)]
      if (terms.length === 0) throw invalid('q', 'Write something to search for.')
      if (terms.length > searchLimits.TERMS_MAX) throw invalid('q', `Write at most ${searchLimits.TERMS_MAX} words.`)
      const list = ['search', scope.space, [...collections.keys()], terms, sort]
      const search = { space: scope.space, collections: [...collections.keys()], terms, order: sort, after: positionOf(decodeListCursor(list, cursor)), limit: limit + 1 }
      const { page, count, results } = await context.database.read(async (reader) => {
        const found = await searchRecords(reader, search)
        const sizes = async () => sizesOf(reader, scope.space, collections, found)
        const fitting = await readPage({ sizes, rows: async (wanted) => found.slice(0, wanted) }, limit)
        return {
          page: fitting,
          results: await readMatches(reader, scope.space, collections, fitting.rows),
          count: total === 'true' ? await countMatches(reader, search) : undefined,
        }
      })
      const last = page.more ? page.rows.at(-1) : undefined
      return reply.send({ results, cursor: last === undefined ? null : encodeListCursor(list, [last.score, last.version]), ...(count === undefined ? {} : { total: count }) })
    },
  })
}

/** Searchable collections that the caller may read, by name. Naming any other is refused. */
function searchedCollections(app: CompiledApp, scope: Scope, asked: string | undefined): ReadonlyMap<string, CompiledCollection> {
  const all = [...app.collections.values()].filter((collection) => collection.search.length > 0)
  if (asked === undefined) return new Map(all.filter((collection) => mayRead(scope, collection)).map((collection) => [collection.name, collection]))
  const chosen = [...new Set(asked.split(','))].map((name) => {
    const collection = all.find((one) => one.name === name)
    if (collection === undefined) throw invalid('collections', `"${name.slice(0, 64)}" cannot be searched.`)
    if (!mayRead(scope, collection)) throw new Problem('access.forbidden')
    return collection
  })
  return new Map(chosen.map((collection) => [collection.name, collection]))
}

/** Bytes of the matching records, in the order found. */
async function sizesOf(reader: Reader, space: number, collections: ReadonlyMap<string, CompiledCollection>, matches: readonly Match[]): Promise<{ readonly bytes: number }[]> {
  const sizes = new Map<string, ReadonlyMap<string, number>>()
  for (const [name, collection] of collections) {
    const ids = matches.filter((match) => match.collection === name).map(({ id }) => id)
    sizes.set(name, await recordSizes(reader, collection, space, ids))
  }
  return matches.map(({ collection, id }) => ({ bytes: sizes.get(collection)?.get(id) ?? 0 }))
}

/** The matches with their records, in the order found: one statement per collection. */
async function readMatches(
  reader: Reader,
  space: number,
  collections: ReadonlyMap<string, CompiledCollection>,
  matches: readonly Match[],
): Promise<{ readonly score: number; readonly record: WireRecord }[]> {
  const records = new Map<string, WireRecord>()
  for (const collection of collections.values()) {
    const ids = matches.filter((match) => match.collection === collection.name).map(({ id }) => id)
    for (const record of await getRecords(reader, collection, space, ids)) records.set(`${collection.name}/${record.id}`, wireRecord(collection.name, record))
  }
  return matches.flatMap(({ collection, id, score }) => {
    const record = records.get(`${collection}/${id}`)
    return record === undefined ? [] : [{ score, record }]
  })
}

function positionOf(values: readonly (string | number | null)[] | undefined): SearchPosition | undefined {
  if (values === undefined) return undefined
  const [score, version] = values
  if (typeof score !== 'number' || typeof version !== 'number' || !Number.isSafeInteger(score) || !Number.isSafeInteger(version)) throw new Problem('cursor.invalid')
  return { score, version }
}

function invalid(path: string, message: string): Problem {
  return new Problem('request.invalid', { detail: `${path}: ${message}`, fields: [{ path, message }] })
}
