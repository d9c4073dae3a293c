import type { CompiledApp, CompiledCollection, CompiledField } from '../app/compile-app.ts'
import { snakeCase } from '../lib/snake-case.ts'
import type { Transactor } from './database.ts'
import { MigrationRefused } from './migration-refused.ts'
import { columnFromField, syncColumns } from './record-rows.ts'

/** Makes and extends an app's tables from its declaration. What could lose data stops with the migration to write. */
export async function evolveTables(tx: Transactor, app: CompiledApp): Promise<void> {
  await refuseForgottenTables(tx, app)
  const made: CompiledCollection[] = []
  for (const collection of app.collections.values()) {
    const columns = await tx.dialect.columnsOf(tx, collection.table)
    if (columns.size === 0) {
      await tx.run(createTableText(app, collection, tx))
      made.push(collection)
    } else await extendTable(tx, app, collection, columns)
    await ensureIndexes(tx, collection)
  }
  if (tx.dialect.referencesLater) await addReferences(tx, app, made)
}

/** Collections may refer to each other in a circle, so references are added when all tables are there. */
async function addReferences(tx: Transactor, app: CompiledApp, collections: readonly CompiledCollection[]): Promise<void> {
  for (const collection of collections) {
    for (const reference of referenceTexts(app, collection)) await tx.run(`ALTER TABLE "${collection.table}" ADD ${reference}`)
  }
}

function referenceTexts(app: CompiledApp, collection: CompiledCollection): string[] {
  return collection.refs.map(({ column, ref }) => {
    const target = app.collections.get(ref ?? '')?.table ?? ''
    return `FOREIGN KEY ("space", "${column}") REFERENCES "${target}" ("space", "id") DEFERRABLE INITIALLY DEFERRED`
  })
}

function createTableText(app: CompiledApp, collection: CompiledCollection, { dialect }: Transactor): string {
  const { columnType } = dialect
  const sync = [
    `"space" ${columnType('integer')} NOT NULL`,
    `"id" ${columnType('text')} NOT NULL`,
    `"version" ${columnType('integer')} NOT NULL`,
    `"created_at" ${columnType('integer')} NOT NULL`,
    `"updated_at" ${columnType('integer')} NOT NULL`,
    `"deleted_at" ${columnType('integer')}`,
    `"author" ${columnType('text')} NOT NULL`,
    `"device" ${columnType('text')}`,
  ]
  const fields = collection.fields.map((field) => columnText(field, columnType(field.kind)))
  const references = dialect.referencesLater ? [] : referenceTexts(app, collection)
  const keys = ['PRIMARY KEY ("space", "id")', 'UNIQUE ("space", "version")']
  return `CREATE TABLE "${collection.table}" (${[...sync, ...fields, ...keys, ...references].join(', ')})`
}

/** A column is NOT NULL where the field is never null; one that is added later needs the field's default for the rows there are. */
function columnText(field: CompiledField, type: string): string {
  const value = field.default === undefined ? null : columnFromField(field, field.default)
  const byDefault = value === null ? '' : ` DEFAULT ${typeof value === 'number' ? value : `'${value.replaceAll("'", "''")}'`}`
  return `"${field.column}" ${type}${field.nullable ? '' : ' NOT NULL'}${byDefault}`
}

async function extendTable(tx: Transactor, app: CompiledApp, collection: CompiledCollection, columns: ReadonlyMap<string, string>): Promise<void> {
  const { dialect } = tx
  const place = `${app.name}.${collection.name}`
  const declared = new Map(collection.fields.map((field) => [field.column, field]))
  for (const column of columns.keys()) {
    if (declared.has(column) || (syncColumns as readonly string[]).includes(column)) continue
    throw stop(app, `${place}: the database has a column "${column}" that the app no longer declares. Its values would be lost.`)
  }
  for (const field of collection.fields) {
    const there = columns.get(field.column)
    const type = dialect.columnType(field.kind)
    if (there === undefined) await addColumn(tx, app, collection, field, type)
    else if (there.toLowerCase() !== type.toLowerCase()) {
      throw stop(app, `${place}.${field.name}: declared as ${type}, but the database has ${there}. The values must be converted.`)
    }
  }
}

async function addColumn(tx: Transactor, app: CompiledApp, collection: CompiledCollection, field: CompiledField, type: string): Promise<void> {
  const place = `${app.name}.${collection.name}.${field.name}`
  if (!field.nullable && (field.default === undefined || field.default === null)) {
    throw stop(app, `${place}: a new field needs a default or must be nullable; the records there are have no value for it.`)
  }
  if (field.ref !== undefined && !field.nullable) throw stop(app, `${place}: a new reference must be nullable; the records there are refer to nothing.`)
  // A reference added later is checked by the commit path alone: SQLite adds no two-column key to a table in place.
  await tx.run(`ALTER TABLE "${collection.table}" ADD COLUMN ${columnText(field, type)}`)
}

async function ensureIndexes(tx: Transactor, { table, indexes, refs }: CompiledCollection): Promise<void> {
  const there = await tx.dialect.indexesOf(tx, table)
  const references = refs.map(({ name }) => [name])
  for (const names of [...indexes, ...references]) {
    const columns = names.map((name) => snakeCase(name))
    const name = `${table}_by_${columns.join('_')}`
    // Asked first: even one that exists would take a lock that makes every writer wait.
    if (there.has(name)) continue
    const quoted = ['"space"', ...columns.map((column) => tx.dialect.indexColumn(`"${column}"`))].join(', ')
    await tx.run(`CREATE INDEX IF NOT EXISTS "${name}" ON "${table}" (${quoted})`)
  }
  // Tombstones are few; compaction finds the old ones of all spaces by it.
  const deleted = `${table}_deleted`
  if (!there.has(deleted)) await tx.run(`CREATE INDEX IF NOT EXISTS "${deleted}" ON "${table}" (deleted_at) WHERE deleted_at IS NOT NULL`)
}

async function refuseForgottenTables(tx: Transactor, app: CompiledApp): Promise<void> {
  const declared = new Set([...app.collections.values()].map(({ table }) => table))
  for (const table of await tx.dialect.tablesOf(tx, `${app.name}_`)) {
    if (declared.has(table)) continue
    throw stop(app, `${app.name}: the database has a table "${table}" that the app no longer declares. Its records would be out of reach.`)
  }
}

function stop(app: CompiledApp, what: string): Error {
  return new MigrationRefused(`${what} Nothing was changed. Write the step as a migration named "${app.name}/<number>-<what-it-does>" in apps/${app.name}/migrations.ts and start again.`)
}
