import type { CompiledCollection } from '../app/compile-app.ts'
import type { StoredRecord } from '../app/rule.ts'
import type { Reader } from './database.ts'
import { recordFromRow, selectList, type RecordRow } from './record-rows.ts'

export interface FindIn {
  readonly space: number
  /** A text field; declare an index on it. */
  readonly field: string
  readonly values: readonly string[]
}

/** Records and tombstones whose field holds one of the values, by version: what hangs on a page of other records, in one statement. */
export async function findRecordsIn(reader: Reader, collection: CompiledCollection, { space, field: name, values }: FindIn): Promise<StoredRecord[]> {
  const field = collection.fieldByName.get(name)
  if (field === undefined) throw new Error(`${collection.name} has no field "${name}".`)
  const rows = await reader.all<RecordRow>(reader.dialect.lookUp({ select: selectList(collection), table: collection.table, column: `"${field.column}"` }), [space, JSON.stringify(values)])
  // Sorted here: asked to sort, the database might walk the index of versions instead of the field's.
  return rows.map((row) => recordFromRow(collection, row)).toSorted((one, other) => one.version - other.version)
}
