import { gramsOfTerm, isOneGram } from '../search/grams.ts'
import type { SearchTerm } from '../search/search-terms.ts'
import type { Reader } from './database.ts'
import type { Part } from './list-parts.ts'
import { gramEntries } from './match-entries.ts'
import { searchDialects } from './search-dialect.ts'

export interface Search {
  readonly space: number
  /** Names of searchable collections. */
  readonly collections: readonly string[]
  /** All must occur; without any nothing is found. */
  readonly terms: readonly SearchTerm[]
  /** `relevance`: by score; `recent`: what was changed last comes first. */
  readonly order: 'relevance' | 'recent'
  /** The last match of the page before. */
  readonly after?: SearchPosition | undefined
  readonly limit: number
}

export interface SearchPosition {
  readonly score: number
  readonly version: number
}

export interface Match extends SearchPosition {
  readonly collection: string
  readonly id: string
}

/**
 * Live records with every term somewhere in their searched fields. A term scores 8 where it begins a word of the first field, 4 elsewhere in that field,
 * 2 where it begins a word of another, and 1 inside one; equal scores are in the order of the last change, the newest first.
 */
export async function searchRecords(reader: Reader, search: Search): Promise<Match[]> {
  const { order, after, limit } = search
  const found = await matching(reader, search)
  if (found === undefined) return []
  const score = order === 'relevance' ? scoreText(reader, search.terms) : { text: '0', values: [] }
  const behind = after === undefined ? { text: '', values: [] } : { text: ' WHERE score < ? OR (score = ? AND version < ?)', values: [after.score, after.score, after.version] }
  const sql = `SELECT collection, record AS id, version, score FROM (SELECT item.collection, item.record, item.version, ${score.text} AS score FROM ${found.text}) AS found${behind.text} ORDER BY score DESC, version DESC LIMIT ?`
  return reader.all<Match>(sql, [...score.values, ...found.values, ...behind.values, limit])
}

/** How many records match. */
export async function countMatches(reader: Reader, search: Pick<Search, 'space' | 'collections' | 'terms'>): Promise<number> {
  const found = await matching(reader, search)
  if (found === undefined) return 0
  const [row] = await reader.all<{ count: number }>(`SELECT count(*) AS count FROM ${found.text}`, found.values)
  return row?.count ?? 0
}

/** `FROM` and `WHERE`: the rows, `item`, of all that matches; undefined where nothing does. What may match is known from the grams, each is then looked up by itself. */
async function matching(reader: Reader, { space, collections, terms }: Pick<Search, 'space' | 'collections' | 'terms'>): Promise<Part | undefined> {
  if (collections.length === 0 || terms.length === 0) return undefined
  const { begin, contains, givenRows, entriesParameter } = searchDialects[reader.dialect.name]
  await begin(reader)
  const candidates = await gramEntries(reader, new Set(terms.flatMap(({ text }) => gramsOfTerm(space, text))))
  if (candidates.length === 0) return undefined
  const read = terms.filter(({ text }) => !isOneGram(text))
  return {
    text: `${givenRows('item')} WHERE ${[reader.dialect.inJsonArray('item.collection'), ...read.map(() => `${contains('item.body')} > 0`)].join(' AND ')}`,
    values: [entriesParameter(candidates), JSON.stringify(collections), ...read.map(({ text }) => text)],
  }
}

function scoreText({ dialect }: Reader, terms: readonly SearchTerm[]): Part {
  const { contains } = searchDialects[dialect.name]
  const one = `CASE WHEN ${contains('item.head')} > 0 THEN 8 WHEN ${contains('item.head')} > 0 THEN 4 WHEN ${contains('item.body')} > 0 THEN 2 ELSE 1 END`
  return { text: terms.map(() => one).join(' + '), values: terms.flatMap(({ text }) => [` ${text}`, text, ` ${text}`]) }
}
