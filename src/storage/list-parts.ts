import type { Reader, SqlValue } from './database.ts'
import { searchDialects } from './search-dialect.ts'

/** A piece of a statement, with the values of its parameters. */
export interface Part {
  readonly text: string
  readonly values: readonly SqlValue[]
}

export interface Occurring {
  readonly space: number
  /** One with searched fields. */
  readonly collection: string
  /** Folded. */
  readonly text: string
}

/** `SELECT` of the ids of the records whose searched text has a text. Every text of the collection is read: of thousands that takes less than to ask which of all collections may have it. */
export function occursPart({ dialect }: Reader, { space, collection, text }: Occurring): Part {
  const { contains } = searchDialects[dialect.name]
  return {
    text: `SELECT search.record FROM holdfast_search AS search WHERE search.space = ? AND search.collection = ? AND ${contains('search.body')} > 0`,
    values: [space, collection, text],
  }
}

export interface Counted {
  readonly space: number
  /** One with members. */
  readonly collection: string
  /** A value of `listed.by` whose records do not count. */
  readonly except: string
}

/** `SELECT` of each `member` that live records have, with how many (`records`). */
export function memberCountsPart({ space, collection, except }: Counted): Part {
  return {
    text: 'SELECT member, CAST(sum(records) AS BIGINT) AS records FROM holdfast_list_counts WHERE space = ? AND collection = ? AND state <> ? GROUP BY member',
    values: [space, collection, except],
  }
}
