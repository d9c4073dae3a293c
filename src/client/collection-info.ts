import type { Collection } from '../app/collection.ts'
import type { ConflictPolicy, FieldPolicy, Fields } from '../app/conflict-policy.ts'
import type { App } from '../app/define-app.ts'
import type { JsonValue } from '../lib/json.ts'

export interface FieldInfo {
  readonly name: string
  readonly policy: FieldPolicy | undefined
  /** Only the server sets it. */
  readonly server: boolean
  /** Name of the collection this field refers to. */
  readonly ref: string | undefined
}

/** What a client knows of a collection. Read from the declaration without a schema library, so that none is bundled. */
export interface CollectionInfo {
  readonly name: string
  readonly fields: readonly FieldInfo[]
  readonly conflict: ConflictPolicy
  readonly encrypted: boolean
  readonly singleton: string | undefined
  /** Fields of a record that nobody has written: defaults and nulls. */
  readonly blank: Fields
  /** The schemas that the app itself brought; they check what it writes. */
  readonly checks: RecordChecks
}

/** One field that is not valid, and why. */
export interface FieldIssue {
  readonly path: string
  readonly message: string
}

/** What is used of a schema: any library with this method will do. */
interface Schema {
  readonly def: { readonly type?: string; readonly innerType?: Schema; readonly defaultValue?: unknown; readonly checks?: readonly unknown[] }
  meta?(): { readonly ref?: unknown } | undefined
  safeParse(value: unknown): {
    readonly success: boolean
    readonly data?: unknown
    readonly error?: { readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] }
  }
}

export interface RecordChecks {
  readonly whole: Schema
  readonly byField: ReadonlyMap<string, Schema>
}

/** Reads what a client needs from an app's declaration. */
export function describeApp(app: App): ReadonlyMap<string, CollectionInfo> {
  return new Map(Object.entries(app.collections).map(([name, declared]) => [name, describe(name, declared)]))
}

function describe(name: string, declared: Collection & { readonly plain?: unknown }): CollectionInfo {
  const whole = (declared.encrypted ? declared.plain : declared.schema) as unknown as Schema & { readonly shape: Readonly<Record<string, Schema>> }
  const { options } = declared
  const shape = Object.entries(whole.shape)
  return {
    name,
    fields: shape.map(([field, schema]) => ({ name: field, policy: options.fields?.[field], server: options.server?.includes(field) ?? false, ref: refOf(schema) })),
    conflict: declared.encrypted ? 'merge' : (options.conflict ?? 'merge'),
    encrypted: declared.encrypted,
    singleton: options.singleton,
    blank: Object.fromEntries(shape.map(([field, schema]) => [field, defaultOf(schema)])),
    checks: { whole, byField: new Map(shape) },
  }
}

function refOf(schema: Schema): string | undefined {
  const ref = schema.meta?.()?.ref
  if (typeof ref === 'string') return ref
  return schema.def.innerType === undefined ? undefined : refOf(schema.def.innerType)
}

function defaultOf(schema: Schema): JsonValue {
  if (schema.def.type === 'default' || schema.def.type === 'prefault') return (schema.def.defaultValue ?? null) as JsonValue
  return schema.def.innerType === undefined ? null : defaultOf(schema.def.innerType)
}
