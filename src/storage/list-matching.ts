import type { CompiledCollection } from '../app/compile-app.ts'
import type { Reader } from './database.ts'
import type { Part } from './list-parts.ts'
import { matchEntries, type MatchingTerm } from './match-entries.ts'
import { bestPage, listedPage, type MatchPlace } from './match-order.ts'
import { columnFromField } from './record-rows.ts'

export interface Matching {
  readonly space: number
  /** Value of the field that the collection is listed by. */
  readonly by: string
  /** Values of other fields. Declare an index on `listed.by` and the field. */
  readonly equals?: Readonly<Record<string, string>>
  /** Members, all of which a record must have. */
  readonly members?: readonly string[]
  /** Texts, all of which must occur. */
  readonly terms?: readonly MatchingTerm[]
}

export interface MatchingPage extends Matching {
  /** `listed`: the largest `listed.sort` first, among equals the largest id. `relevance`: the best score first, among equals as listed. */
  readonly order: 'listed' | 'relevance'
  /** The last record of the page before. */
  readonly after?: MatchPlace | undefined
  readonly limit: number
}

/** Ids and places of live records that fit all of it, a page of them. */
export async function listMatching(reader: Reader, collection: CompiledCollection, page: MatchingPage): Promise<MatchPlace[]> {
  if ((page.terms ?? []).length > 0) return (await findByTerms(reader, collection, page)).places
  const found = listedRecords(collection, page)
  const { after, limit } = page
  const behind = after === undefined ? '' : ' WHERE (value, id) < (?, ?)'
  // As the index of the walked table has them, so that the database need not sort.
  const sql = `SELECT id, value, score FROM (${found.text}) AS found${behind} ORDER BY value DESC NULLS LAST, id DESC NULLS LAST LIMIT ?`
  return reader.all<MatchPlace>(sql, [...found.values, ...(after === undefined ? [] : [after.value, after.id]), limit])
}

/** A page, and how many records fit whatever the page: what is searched is searched once for both. */
export async function listAndCountMatching(reader: Reader, collection: CompiledCollection, page: MatchingPage): Promise<{ readonly places: MatchPlace[]; readonly total: number }> {
  if ((page.terms ?? []).length > 0) return findByTerms(reader, collection, page)
  const found = listedRecords(collection, page)
  const [row] = await reader.all<{ count: number }>(`SELECT count(*) AS count FROM (${found.text}) AS found`, found.values)
  return { places: await listMatching(reader, collection, page), total: row?.count ?? 0 }
}

/** With texts to find the index of the search is gone through, which knows how its records are listed. */
async function findByTerms(reader: Reader, collection: CompiledCollection, page: MatchingPage): Promise<{ readonly places: MatchPlace[]; readonly total: number }> {
  const { space, by, terms = [], order, after, limit } = page
  if (collection.listed === undefined) throw new Error(`${collection.name} is not listed.`)
  const isListed = { text: 'item.space = ? AND item.collection = ? AND item.listed_by = ?', values: [space, collection.name, by] }
  const listed = { ...isListed, text: `FROM holdfast_search AS item WHERE ${isListed.text}` }
  const among = joinParts([isListed, ...narrowedParts(collection, page, 'item.record')])
  const isBest = order === 'relevance'
  const matched = await matchEntries(reader, { space, collection: collection.name, among, terms, scored: isBest })
  const ordered = { listed, after, limit }
  const places = isBest ? await bestPage(reader, matched, { terms, page: ordered }) : await listedPage(reader, matched.entries, ordered)
  return { places, total: matched.entries.length }
}

/** Without texts the records themselves are gone through. */
function listedRecords(collection: CompiledCollection, matching: Matching): Part {
  const { space, by } = matching
  const { listed } = collection
  if (listed === undefined) throw new Error(`${collection.name} is not listed.`)
  const equals = Object.entries(matching.equals ?? {}).map(([name, value]) => equalPart(collection, name, value))
  return joinParts([
    {
      text: `SELECT item.id AS id, item."${listed.sort.column}" AS value, 0 AS score FROM "${collection.table}" AS item WHERE item.space = ? AND item."${listed.by.column}" = ? AND item."${listed.sort.column}" IS NOT NULL AND item.deleted_at IS NULL`,
      values: [space, by],
    },
    ...equals.map(({ text, values }) => ({ text: ` AND item.${text}`, values })),
    ...narrowedParts(collection, { ...matching, equals: {} }, 'item.id'),
  ])
}

function joinParts(parts: readonly Part[], between = ''): Part {
  return { text: parts.map(({ text }) => text).join(between), values: parts.flatMap(({ values }) => values) }
}

function equalPart(collection: CompiledCollection, name: string, value: string): Part {
  const field = collection.fieldByName.get(name)
  if (field === undefined) throw new Error(`${collection.name} has no field "${name}".`)
  return { text: `"${field.column}" = ?`, values: [columnFromField(field, value)] }
}

/** Conditions on the record that `id` names: its members, and fields that are not of the table at hand. */
function narrowedParts(collection: CompiledCollection, { space, by, equals = {}, members = [] }: Matching, id: string): Part[] {
  const having = members.map(
    (member): Part => ({
      text: ` AND ${id} IN (SELECT record FROM holdfast_list_members WHERE space = ? AND collection = ? AND member = ?)`,
      values: [space, collection.name, member],
    }),
  )
  const fields = Object.entries({ [collection.listed?.by.name ?? '']: by, ...equals }).map(([name, value]) => equalPart(collection, name, value))
  if (Object.keys(equals).length === 0) return having
  const fitting = joinParts(fields, ' AND ')
  return [...having, { text: ` AND ${id} IN (SELECT id FROM "${collection.table}" WHERE space = ? AND ${fitting.text})`, values: [space, ...fitting.values] }]
}
