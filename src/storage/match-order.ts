import { FIELD_SEPARATOR } from '../search/search-text.ts'
import type { Reader } from './database.ts'
import { memberTest, type EntrySet } from './entry-sets.ts'
import type { Part } from './list-parts.ts'
import type { Matched, MatchingTerm } from './match-entries.ts'
import { readEntries, searchDialects } from './search-dialect.ts'

export interface MatchPlace {
  readonly id: string
  /** `listed.sort`; a record without it is not listed. */
  readonly value: number
  readonly score: number
}

/** A page of what matched. */
export interface OrderedPage {
  /** `FROM` and `WHERE` of the list as the index of the search has it, the largest value first; the entry's row is `item`. */
  readonly listed: Part
  readonly after: MatchPlace | undefined
  readonly limit: number
}

/** Entries of which place and id are read, to be sorted here; more than that are gone through in the order of the list. */
const SORTED_MAX = 2_000
/** Rows of the list that are gone through before the database is asked to look for the set. */
const WALKED_MAX = 1_000

/** The page of a list: its largest values that matched. */
export async function listedPage(reader: Reader, entries: EntrySet, page: OrderedPage): Promise<MatchPlace[]> {
  return inOrder(reader, entries, page, 0)
}

/** The page of the best scores. Which of two lower places a term has is read of no more records than may be on the page. */
export async function bestPage(reader: Reader, { entries, places }: Matched, { terms, page }: { readonly terms: readonly MatchingTerm[]; readonly page: OrderedPage }): Promise<MatchPlace[]> {
  const { after, limit } = page
  const scoreMax = after?.score ?? Infinity
  const tests = terms.map(({ membersOnly }, index) => {
    const place = places[index]
    return {
      isOwn: membersOnly !== true,
      begins: memberTest(place?.begins ?? []),
      inFirst: memberTest(place?.inFirst ?? []),
      absent: memberTest(place?.absent ?? []),
      inMember: memberTest(place?.inMember ?? []),
    }
  })
  const bounds = entries.map((entry) => {
    let [least, open] = [0, 0]
    for (const { isOwn, begins, inFirst, absent, inMember } of tests) {
      const [isBegin, isFirst, isMember, isAbsent] = [begins(entry), inFirst(entry), inMember(entry), absent(entry)]
      if (isOwn && isBegin) least += 9
      else if (isOwn && isFirst) least += 8
      else if (isMember) least += 6
      else if (isAbsent) least += 1
      else {
        // The second field counts 4.
        least += 2
        open += 1
      }
    }
    return { entry, least, most: least + 2 * open }
  })
  // Beyond the place that was given, as many are at least as good as this.
  const surely = bounds.filter(({ most }) => most < scoreMax).map(({ least }) => least)
  const enough = surely.toSorted((one, other) => other - one)[limit - 1] ?? 0
  const open = bounds.filter(({ least, most }) => least < most && most >= enough && least <= scoreMax)
  const openEntries = open.map(({ entry }) => entry)
  const inSecond = await readSecond(reader, openEntries, { terms, places })
  const isOpen = memberTest(openEntries)
  const byScore = new Map<number, number[]>()
  for (const { entry, least, most } of bounds) {
    const score = isOpen(entry) ? least + 2 * inSecond.reduce((count, test) => count + (test(entry) ? 1 : 0), 0) : least
    if (score > scoreMax || most < enough) continue
    const same = byScore.get(score)
    if (same === undefined) byScore.set(score, [entry])
    else same.push(entry)
  }
  const found: MatchPlace[] = []
  for (const [score, same] of [...byScore].toSorted(([one], [other]) => other - one)) {
    if (found.length >= limit) break
    found.push(...(await inOrder(reader, same, { ...page, after: after !== undefined && score === after.score ? after : undefined, limit: limit - found.length }, score)))
  }
  return found
}

/** For each term: which of the entries have it in the second field and no better place. */
async function readSecond(
  reader: Reader,
  entries: EntrySet,
  { terms, places }: { readonly terms: readonly MatchingTerm[]; readonly places: Matched['places'] },
): Promise<((entry: number) => boolean)[]> {
  if (entries.length === 0) return []
  const { contains, entriesText, givenRows, entriesParameter } = searchDialects[reader.dialect.name]
  const behindFirst = 'substr(item.body, length(item.head) + 2)'
  const own = terms.flatMap(({ text, membersOnly }, index) => (membersOnly === true ? [] : [{ text, place: places[index] }]))
  const columns = own.map((_, index) => `${entriesText('item.entry', `${contains(behindFirst)} > 0 AND ${contains(behindFirst)} < ${contains(behindFirst)}`)} AS second${index}`)
  const values = own.flatMap(({ text }) => [text, text, FIELD_SEPARATOR])
  const sql = `SELECT ${columns.join(', ')} FROM ${givenRows('item')}`
  const [row] = await reader.all<Record<string, string>>(sql, [...values, entriesParameter(entries)])
  return own.map(({ place }, index) => {
    const isSecond = new Set(readEntries(row?.[`second${index}`] ?? '[]'))
    const better = [place?.inFirst, place?.inMember].map((set) => memberTest(set ?? []))
    return (entry) => {
      const isBetter = better.map((test) => test(entry)).includes(true)
      return isSecond.has(entry) && !isBetter
    }
  })
}

interface PlaceRow {
  readonly entry: number
  readonly id: string
  readonly value: number
}

/** The first of a set in the order of the list, behind a place. */
async function inOrder(reader: Reader, entries: EntrySet, { listed, after, limit }: OrderedPage, score: number): Promise<MatchPlace[]> {
  const { givenEntries, givenRows, entriesParameter } = searchDialects[reader.dialect.name]
  const shown = (rows: readonly PlaceRow[]) => rows.slice(0, limit).map(({ id, value }) => ({ id, value, score }))
  if (entries.length === 0) return []
  if (entries.length <= SORTED_MAX) {
    const sql = `SELECT item.entry, item.record AS id, item.listed_at AS value FROM ${givenRows('item')}`
    const rows = await reader.all<PlaceRow>(sql, [entriesParameter(entries)])
    const behind = after === undefined ? rows : rows.filter((row) => comesBefore(after, row))
    return shown(behind.toSorted((one, other) => (comesBefore(one, other) ? -1 : 1)))
  }
  const behind = after === undefined ? '' : ' AND (item.listed_at, item.record) < (?, ?)'
  const place = after === undefined ? [] : [after.value, after.id]
  const walk = (condition: string) => `SELECT item.entry, item.record AS id, item.listed_at AS value ${listed.text}${behind}${condition} ORDER BY item.listed_at DESC, item.record DESC LIMIT ?`
  const has = new Set(entries)
  const first = (await reader.all<PlaceRow>(walk(''), [...listed.values, ...place, WALKED_MAX])).filter(({ entry }) => has.has(entry))
  if (first.length >= limit) return shown(first)
  const given = entriesParameter(entries)
  return shown(await reader.all<PlaceRow>(walk(` AND item.entry IN (SELECT entry FROM ${givenEntries} AS given)`), [...listed.values, ...place, given, limit]))
}

/** The larger value comes first, among equals the larger id. */
function comesBefore(one: Pick<MatchPlace, 'id' | 'value'>, other: Pick<MatchPlace, 'id' | 'value'>): boolean {
  return one.value > other.value || (one.value === other.value && one.id > other.id)
}
