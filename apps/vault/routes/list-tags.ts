import { memberCountsPart, occursPart, type Reader } from 'holdfast/server'
import { isoTime } from '../item-view.ts'
import type { Position, Shape } from './page-cursor.ts'
import type { VaultContext } from './vault-context.ts'

export const tagSorts = ['name', 'usage', 'lastUsed'] as const
export type TagSort = (typeof tagSorts)[number]

/** Which tags are asked for, and in which order. */
export interface TagList {
  readonly space: number
  /** Folded; a part of the name. */
  readonly text: string
  /** Only those that no item carries. */
  readonly unused: boolean
  readonly sort: TagSort
}

export interface TagRow {
  readonly id: string
  readonly name: string
  readonly name_key: string
  readonly color: string
  /** -1 for one that was never used. */
  readonly last_used: number
  readonly created_at: number
  readonly usage_count: number
}

/** Tags in their order, behind a place; their uses are read from counts that every commit keeps. */
export async function listTags(
  reader: Reader,
  vault: Pick<VaultContext, 'collections'>,
  list: TagList,
  { after, limit }: { readonly after: Position | undefined; readonly limit: number },
): Promise<TagRow[]> {
  const found = tagsPart(reader, vault, list)
  const { order, behind } = orders[list.sort]
  const sql = `SELECT * FROM (${found.text}) AS found${after === undefined ? '' : ` WHERE ${behind}`} ORDER BY ${order} LIMIT ?`
  return reader.all<TagRow>(sql, [...found.values, ...(after ?? []), limit])
}

/** One tag as it is now. */
export async function findTagRow(reader: Reader, vault: Pick<VaultContext, 'collections'>, space: number, id: string): Promise<TagRow | undefined> {
  const found = tagsPart(reader, vault, { space, text: '', unused: false })
  const [row] = await reader.all<TagRow>(`SELECT * FROM (${found.text}) AS found WHERE id = ?`, [...found.values, id])
  return row
}

/** How many tags there are, whatever the page. */
export async function countTags(reader: Reader, vault: Pick<VaultContext, 'collections'>, list: TagList): Promise<number> {
  const found = tagsPart(reader, vault, list)
  const [row] = await reader.all<{ count: number }>(`SELECT count(*) AS count FROM (${found.text}) AS found`, found.values)
  return row?.count ?? 0
}

/** The most and the latest first, ties by name; a place has the values of the order, the one that decides first given twice. */
const orders: Readonly<Record<TagSort, { readonly order: string; readonly behind: string; readonly shape: Shape; readonly placeOf: (row: TagRow) => Position }>> = {
  name: { order: 'name_key, id', behind: '(name_key, id) > (?, ?)', shape: ['text', 'text'], placeOf: ({ name_key: key, id }) => [key, id] },
  usage: {
    order: 'usage_count DESC, name_key, id',
    behind: '(usage_count < ? OR (usage_count = ? AND (name_key, id) > (?, ?)))',
    shape: ['number', 'number', 'text', 'text'],
    placeOf: ({ usage_count: count, name_key: key, id }) => [count, count, key, id],
  },
  lastUsed: {
    order: 'last_used DESC, name_key, id',
    behind: '(last_used < ? OR (last_used = ? AND (name_key, id) > (?, ?)))',
    shape: ['number', 'number', 'text', 'text'],
    placeOf: ({ last_used: time, name_key: key, id }) => [time, time, key, id],
  },
}

/** What a place in the order is made of. */
export function shapeOfPlace(sort: TagSort): Shape {
  return orders[sort].shape
}

export function placeOfTag(sort: TagSort): (row: TagRow) => Position {
  return orders[sort].placeOf
}

function tagsPart(reader: Reader, { collections }: Pick<VaultContext, 'collections'>, { space, text, unused }: Omit<TagList, 'sort'>) {
  const counts = memberCountsPart({ space, collection: 'items', except: 'DISCARDED' })
  const named = text === '' ? undefined : occursPart(reader, { space, collection: 'tags', text })
  const used = unused ? ' AND counted.records IS NULL' : ''
  return {
    text: `SELECT tag.id, tag.name, tag.name_key, tag.color, coalesce(tag.last_used, -1) AS last_used, tag.created_at, coalesce(counted.records, 0) AS usage_count
FROM "${collections.tags.table}" AS tag LEFT JOIN (${counts.text}) AS counted ON counted.member = tag.id
WHERE tag.space = ? AND tag.deleted_at IS NULL AND tag.merged_into IS NULL${named === undefined ? '' : ` AND tag.id IN (${named.text})`}${used}`,
    values: [...counts.values, space, ...(named?.values ?? [])],
  }
}

/** A tag as the dialect shows it. */
export function viewTag({ id, name, usage_count: usageCount, last_used: lastUsed, created_at: createdAt, color }: TagRow) {
  return { id, name, usageCount, lastUsed: lastUsed === -1 ? null : isoTime(lastUsed), createdAt: isoTime(createdAt), color }
}
