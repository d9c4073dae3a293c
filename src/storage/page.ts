import { sql, type RawBuilder } from 'kysely'
import { limits } from '../protocol/limits.ts'

/** Rows of one answer. */
export interface Page<Row> {
  readonly rows: readonly Row[]
  /** There are further ones behind them. */
  readonly more: boolean
}

/** A list of rows, asked for by how many. */
export interface PagedList<Row> {
  /** Bytes of the texts in each row, in the order of the rows. Read without the texts. */
  sizes(count: number): Promise<readonly { readonly bytes: number }[]>
  rows(count: number): Promise<readonly Row[]>
}

/** The first rows of a list: at most `limit`, and no more than a process can hold at once for many callers, but at least one. */
export async function readPage<Row>(list: PagedList<Row>, limit: number, bytesMax: number = limits.PAGE_BYTES_MAX): Promise<Page<Row>> {
  const sizes = await list.sizes(limit + 1)
  let [count, total] = [0, 0]
  for (const { bytes } of sizes) {
    total += bytes
    if (count === limit || (total > bytesMax && count > 0)) break
    count += 1
  }
  return { rows: count === 0 ? [] : await list.rows(count), more: sizes.length > count }
}

/** Bytes of the texts in some columns, which the databases know without reading a long text; a missing one has none. */
export function textBytes(...columns: readonly string[]): RawBuilder<number> {
  return sql<number>`${sql.join(
    columns.map((column) => sql`coalesce(octet_length(${sql.ref(column)}), 0)`),
    sql` + `,
  )}`
}
