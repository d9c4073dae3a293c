import type { JsonValue } from 'holdfast'
import { getRecords, listAndCountMatching, listMatching, type Matching, type MatchPlace, type Reader } from 'holdfast/server'
import { viewItems, type ItemView } from '../item-view.ts'
import type { QueryTerm } from '../search-query.ts'
import { cutPage, decodeCursor, type Pagination, type Position } from './page-cursor.ts'
import type { VaultContext } from './vault-context.ts'

/** What of the library is asked for. */
export interface LibraryPage {
  readonly space: number
  readonly terms: readonly QueryTerm[]
  /** Ids of tags, all of which an item must carry. */
  readonly tagIds: readonly string[]
  readonly sourceType?: string | undefined
  readonly order: 'listed' | 'relevance'
  /** Route, filters and order: what a cursor belongs to. */
  readonly list: readonly JsonValue[]
  /** As it was sent. */
  readonly cursor: unknown
  readonly limit: number
  readonly counted: boolean
}

export interface ShownPage {
  readonly items: readonly ItemView[]
  readonly pagination: Pagination
  /** Of all pages; undefined unless it was asked for. */
  readonly total: number | undefined
}

/** One page of the confirmed items that fit, as lists show them. */
export async function listLibrary(reader: Reader, { collections }: Pick<VaultContext, 'collections'>, page: LibraryPage): Promise<ShownPage> {
  const { space, limit, order, list, counted } = page
  const matching = { ...matchingOf(page), order, after: placeOf(decodeCursor({ list, shape: ['number', 'number', 'text'] }, page.cursor)), limit: limit + 1 }
  const { places, total } = counted ? await listAndCountMatching(reader, collections.items, matching) : { places: await listMatching(reader, collections.items, matching), total: undefined }
  const { rows, pagination } = cutPage(places, { limit, list, positionOf: ({ value, score, id }) => [value, score, id] })
  const ids = rows.map(({ id }) => id)
  const records = new Map((await getRecords(reader, collections.items, space, ids)).map((record) => [record.id, record]))
  const shown = ids.flatMap((id) => records.get(id) ?? [])
  return { items: await viewItems(reader, { space, collections }, shown, 'listed'), pagination, total }
}

function matchingOf({ space, terms, tagIds, sourceType }: LibraryPage): Matching {
  return {
    space,
    by: 'ARCHIVED',
    members: tagIds,
    terms: terms.map(({ text, inTags }) => ({ text, alsoIn: 'articles', membersIn: 'tags', membersOnly: inTags })),
    ...(sourceType === undefined ? {} : { equals: { sourceType } }),
  }
}

function placeOf(position: Position | undefined): MatchPlace | undefined {
  if (position === undefined) return undefined
  const [value, score, id] = position
  return { value: Number(value), score: Number(score), id: String(id) }
}
