import type { CompiledCollection, Reader } from 'holdfast/server'

/** What makes two items the same to an import: the page that they are about, else the text. */
export interface Known {
  readonly key: string
  readonly urlKey: string | null
  readonly text: string
}

export function keyOf({ urlKey, text }: { readonly urlKey: string | null; readonly text: string }): Known {
  return { key: urlKey === null ? `text ${text}` : `url ${urlKey}`, urlKey, text }
}

/** Ids of the items, neither deleted nor discarded, that have one of the keys; the oldest for each. Two statements, however many keys. */
export async function findKnown(reader: Reader, { table }: CompiledCollection, space: number, wanted: readonly Known[]): Promise<Map<string, string>> {
  const find = (column: 'url_key' | 'raw_text', values: readonly string[]) => {
    if (values.length === 0) return []
    const sql = `SELECT id, ${column} AS value FROM "${table}" WHERE space = ? AND ${reader.dialect.inJsonArray(column)} AND deleted_at IS NULL AND status <> 'DISCARDED' ORDER BY created_at, id`
    return reader.all<{ readonly id: string; readonly value: string }>(sql, [space, JSON.stringify(values)])
  }
  const byUrl = await find('url_key', wanted.flatMap(({ urlKey }) => urlKey ?? [])) // prettier-ignore
  const byText = await find('raw_text', wanted.filter(({ urlKey }) => urlKey === null).map(({ text }) => text)) // prettier-ignore
  const ids = new Map<string, string>()
  const note = (key: string, id: string) => {
    if (!ids.has(key)) ids.set(key, id)
  }
  for (const { id, value } of byUrl) note(`url ${value}`, id)
  for (const { id, value } of byText) note(`text ${value}`, id)
  return ids
}
