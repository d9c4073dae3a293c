import { z } from 'zod'
import type { JsonValue } from '../lib/json.ts'
import { snakeCase } from '../lib/snake-case.ts'
import { keptFields, type Collection, type CollectionAccess, type CollectionOptions, type SpaceRole } from './collection.ts'
import type { ConflictPolicy, FieldPolicy, Fields } from './conflict-policy.ts'
import type { App, SpaceKind } from './define-app.ts'
import { inspectField, type FieldKind } from './inspect-field.ts'
import { refuseNestedNul } from './well-formed-json.ts'

export interface CompiledField {
  readonly name: string
  readonly column: string
  readonly kind: FieldKind
  readonly nullable: boolean
  /** Value of a record that was made without the field; undefined when a create must send it. */
  readonly default: JsonValue | undefined
  readonly policy: FieldPolicy | undefined
  /** Name of the collection this field refers to. */
  readonly ref: string | undefined
  readonly server: boolean
}

export interface CompiledCollection {
  readonly name: string
  readonly table: string
  readonly fields: readonly CompiledField[]
  /** By name in code-unit order, as canonical JSON has them. */
  readonly sortedFields: readonly CompiledField[]
  readonly fieldByName: ReadonlyMap<string, CompiledField>
  /** Fields that refer to other collections. */
  readonly refs: readonly CompiledField[]
  /** Validates a whole record and fills in defaults; unknown fields are refused. */
  readonly schema: z.ZodType<Fields>
  /** Validates just the fields that are present; fills in nothing. */
  readonly partialSchema: z.ZodType<Fields>
  /** True when the schema checks fields against each other, so that an update must be validated as a whole. */
  readonly checksWhole: boolean
  /** Fields of a record that nobody has written: defaults and nulls. */
  readonly blank: Fields
  readonly conflict: ConflictPolicy
  readonly indexes: readonly (readonly string[])[]
  /** Fields that can be searched, in their order. */
  readonly search: readonly CompiledField[]
  /** Records are listed by a text field, in the order of a number field. */
  readonly listed: { readonly by: CompiledField; readonly sort: CompiledField } | undefined
  /** A list of ids that listed records are found and counted by. */
  readonly members: CompiledField | undefined
  readonly access: Required<CollectionAccess> & { readonly read: SpaceRole }
  readonly singleton: string | undefined
  readonly encrypted: boolean
  readonly jsonSchema: Readonly<Record<string, unknown>>
}

export interface CompiledApp {
  readonly name: string
  readonly spaces: SpaceKind
  readonly collections: ReadonlyMap<string, CompiledCollection>
}

const namePattern = /^[a-z][a-zA-Z0-9_]{0,39}$/

/** Columns that the platform keeps on every collection, and words it needs for itself. */
const platformColumns = new Set(['space', 'id', 'version', 'created_at', 'updated_at', 'deleted_at', 'author', 'device'])

/** Checks a declaration and derives what storage, engine and HTTP need. Throws with the place and the mend. */
export function compileApp(app: App): CompiledApp {
  if (!namePattern.test(app.name) || app.name === 'holdfast' || app.name.includes('_')) {
    throw new Error(`App name "${app.name}": use a lower-case word of letters and digits; "holdfast" is taken.`)
  }
  const collections = new Map<string, CompiledCollection>()
  for (const [name, declared] of Object.entries(app.collections)) {
    collections.set(name, compileCollection(app.name, name, declared))
  }
  for (const compiled of collections.values()) {
    for (const field of compiled.fields) {
      if (field.ref !== undefined && !collections.has(field.ref)) {
        throw new Error(`${app.name}.${compiled.name}.${field.name}: ref('${field.ref}') names no collection of the app.`)
      }
    }
  }
  return { name: app.name, spaces: app.spaces, collections }
}

function compileCollection(appName: string, name: string, declared: Collection): CompiledCollection {
  const place = `${appName}.${name}`
  if (!namePattern.test(name)) throw new Error(`${place}: a collection's name is letters, digits and _, and begins with a lower-case letter.`)
  const { schema, options } = declared
  const fields = Object.entries(schema.shape).map(([fieldName, type]) => compileField(place, fieldName, type as z.ZodType, declared))
  refuseSharedColumns(place, fields)
  const fieldByName = new Map(fields.map((field) => [field.name, field]))
  const indexed = (options.indexes ?? []).flat().filter((named) => !(keptFields as readonly string[]).includes(named))
  for (const named of [
    ...indexed,
    ...Object.keys(options.fields ?? {}),
    ...(options.server ?? []),
    ...(options.search ?? []),
    ...Object.values(options.listed ?? {}),
    ...(options.members === undefined ? [] : [options.members]),
  ]) {
    if (!fieldByName.has(named)) throw new Error(`${place}: "${named}" is not a field of the collection.`)
  }
  const strict = z.strictObject(schema.shape).superRefine(refuseNestedNul)
  const partial = z.strictObject(partialShape(schema.shape)).superRefine(refuseNestedNul)
  const checksWhole = (schema.def.checks ?? []).length > 0
  const whole = checksWhole
    ? z
        .strictObject(schema.shape)
        .superRefine(refuseNestedNul)
        .pipe(schema as unknown as z.ZodType<never, never>)
    : strict
  return {
    name,
    table: `${appName}_${snakeCase(name)}`,
    fields,
    sortedFields: fields.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    fieldByName,
    refs: fields.filter(({ ref }) => ref !== undefined),
    schema: whole as unknown as z.ZodType<Fields>,
    partialSchema: partial as unknown as z.ZodType<Fields>,
    checksWhole,
    blank: Object.fromEntries(fields.map((field) => [field.name, field.default ?? null])),
    conflict: options.conflict ?? 'merge',
    indexes: options.indexes ?? [],
    search: (options.search ?? []).map((searched) => searchedField(place, fieldByName.get(searched))),
    ...listedFields(place, fieldByName, options),
    access: { read: options.access?.read ?? 'viewer', write: options.access?.write ?? 'editor', delete: options.access?.delete ?? options.access?.write ?? 'editor' },
    singleton: options.singleton,
    encrypted: declared.encrypted,
    jsonSchema: z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
  }
}

function compileField(place: string, name: string, type: z.ZodType, declared: Collection): CompiledField {
  if (!/^[a-z][a-zA-Z0-9_]{0,62}$/.test(name)) throw new Error(`${place}.${name}: a field's name is letters, digits and _, and begins with a lower-case letter.`)
  const column = snakeCase(name)
  if (platformColumns.has(column)) throw new Error(`${place}.${name}: the platform keeps a column "${column}" itself; choose another name.`)
  const server = declared.options.server?.includes(name) ?? false
  return { name, column, ...inspectField(`${place}.${name}`, type), policy: declared.options.fields?.[name], server }
}

function searchedField(place: string, field: CompiledField | undefined): CompiledField {
  if (field?.kind === 'text' || field?.kind === 'json') return field
  throw new Error(`${place}.${field?.name ?? ''}: only fields of text, or of JSON with texts in it, can be searched.`)
}

function listedFields(place: string, fields: ReadonlyMap<string, CompiledField>, { listed, members }: CollectionOptions): Pick<CompiledCollection, 'listed' | 'members'> {
  const [by, sort, list] = [listed?.by, listed?.sort, members].map((name) => fields.get(name ?? ''))
  if (listed === undefined && members === undefined) return { listed: undefined, members: undefined }
  if (by?.kind !== 'text' || sort?.kind !== 'integer') throw new Error(`${place}: records are listed by a field of text, in the order of a field that is a whole number.`)
  if (members !== undefined && list?.kind !== 'json') throw new Error(`${place}.${members}: members are a field that is a list.`)
  return { listed: { by, sort }, members: list }
}

function refuseSharedColumns(place: string, fields: readonly CompiledField[]): void {
  const seen = new Map<string, string>()
  for (const { name, column } of fields) {
    const other = seen.get(column)
    if (other !== undefined) throw new Error(`${place}: fields "${other}" and "${name}" would share the column "${column}".`)
    seen.set(column, name)
  }
}

/** The same fields, each optional and without its default, so that an absent field stays absent. */
function partialShape(shape: z.ZodRawShape): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(shape).map(([name, type]) => [name, withoutDefault(type as z.ZodType).optional()]))
}

function withoutDefault(type: z.ZodType): z.ZodType {
  return type instanceof z.ZodDefault || type instanceof z.ZodPrefault ? withoutDefault(type.def.innerType as z.ZodType) : type
}
