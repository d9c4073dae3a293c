import * as clientLimits from '../client-limits.ts'
import type { StoreWriter, TableName, Tables } from '../stores/store.ts'
import { keysOf } from './keys.ts'

/** Removes what one partition has in a table: all of it, or what `isGone`. */
export async function emptyTable<Name extends TableName>(writer: StoreWriter, table: Name, partition: string, isGone: (row: Tables[Name]) => boolean = () => true): Promise<void> {
  const keys = keysOf(partition)
  for (let after = keys.after; ;) {
    const page = await writer.range(table, { ...keys, after, limit: clientLimits.PAGE })
    const last = page.at(-1)
    if (last === undefined) return
    await writer.remove(
      table,
      page.filter(({ value }) => isGone(value)).map(({ key }) => key),
    )
    after = last.key
  }
}
