import * as clientLimits from '../client-limits.ts'
import type { RejectedRow } from '../model.ts'
import type { StoreReader, StoreWriter, TableName, Tables } from '../stores/store.ts'
import { keysOf, numberKey } from './keys.ts'
import { readSync, writeSetting } from './settings-rows.ts'

export type OpenTable = Extract<TableName, 'conflicts' | 'rejected'>

/** All that waits for a person's word. */
export async function listOpen<Name extends OpenTable>(reader: StoreReader, partition: string, table: Name): Promise<Tables[Name][]> {
  const rows: Tables[Name][] = []
  for (let { after } = keysOf(partition); ;) {
    const page = await reader.range(table, { ...keysOf(partition), after, limit: clientLimits.PAGE })
    rows.push(...page.map(({ value }) => value))
    const last = page.at(-1)
    if (last === undefined) return rows
    after = last.key
  }
}

/** Takes edits from the refused, here and, with the next sync, on the server: what no device holds any more is open nowhere. */
export async function takeOut(writer: StoreWriter, partition: string, rows: readonly RejectedRow[]): Promise<void> {
  await writer.remove(
    'rejected',
    rows.map(({ n }) => numberKey(partition, n)),
  )
  const { discards = [], ...sync } = await readSync(writer, partition)
  await writeSetting(writer, partition, { ...sync, discards: [...discards, ...rows.map(({ collection, id }) => ({ collection, id }))] })
}
