import { gramsOfTerm } from '../search/grams.ts'
import type { SearchTerm } from '../search/search-terms.ts'
import type { Reader, SqlValue } from './database.ts'
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
  if (search.terms.length === 0 || search.collections.length === 0) return []
  const { order, after, limit } = search
  const score = order === 'relevance' ? scoreText(reader, search.terms) : { text: '0', values: [] }
  const where = conditions(reader, search)
  const behind = after === undefined ? { text: '', values: [] } : { text: ' WHERE score < ? OR (score = ? AND version < ?)', values: [after.score, after.score, after.version] }
  const sql = `SELECT collection, record AS id, version, score FROM (SELECT search.collection, search.record, search.version, ${score.text} AS score FROM holdfast_search AS search WHERE ${where.text}) AS found${behind.text} ORDER BY score DESC, version DESC LIMIT ?`
  return reader.all<Match>(sql, [...score.values, ...where.values, ...behind.values, limit])
}

/** How many records match. */
export async function countMatches(reader: Reader, search: Pick<Search, 'space' | 'collections' | 'terms'>): Promise<number> {
  if (search.terms.length === 0 || search.collections.length === 0) return 0
  const where = conditions(reader, search)
  const [row] = await reader.all<{ count: number }>(`SELECT count(*) AS count FROM holdfast_search AS search WHERE ${where.text}`, where.values)
  return row?.count ?? 0
}

interface Part {
  readonly text: string
  readonly values: readonly SqlValue[]
}

function conditions({ dialect }: Reader, { space, collections, terms }: Pick<Search, 'space' | 'collections' | 'terms'>): Part {
  const parts = terms.map(({ text, orRecords }): Part => {
    const { contains, hasGrams, gramsText } = searchDialects[dialect.name]
    const own: Part = { text: `${hasGrams} AND ${contains('search.body')} > 0`, values: [gramsText(gramsOfTerm(space, text)), text] }
    if (orRecords === undefined || orRecords.length === 0) return own
    return { text: `((${own.text}) OR ${dialect.inJsonArray('search.record')})`, values: [...own.values, JSON.stringify(orRecords)] }
  })
  return {
    text: ['search.space = ?', dialect.inJsonArray('search.collection'), ...parts.map(({ text }) => text)].join(' AND '),
    values: [space, JSON.stringify(collections), ...parts.flatMap(({ values }) => values)],
  }
}

function scoreText({ dialect }: Reader, terms: readonly SearchTerm[]): Part {
  const { contains } = searchDialects[dialect.name]
  const one = `CASE WHEN ${contains('search.head')} > 0 THEN 8 WHEN ${contains('search.head')} > 0 THEN 4 WHEN ${contains('search.body')} > 0 THEN 2 ELSE 1 END`
  return { text: terms.map(() => one).join(' + '), values: terms.flatMap(({ text }) => [` ${text}`, text, ` ${text}`]) }
}
