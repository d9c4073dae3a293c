import { z } from 'zod'
import type { JsonValue } from '../lib/json.ts'

/** How a field is kept: a column of text, whole number, floating number or truth value, or JSON text. */
export type FieldKind = 'text' | 'integer' | 'real' | 'boolean' | 'json'

export interface InspectedField {
  readonly kind: FieldKind
  readonly nullable: boolean
  readonly default: JsonValue | undefined
  readonly ref: string | undefined
}

interface FieldJsonSchema {
  /** One type, or a list of them where the schema has nothing else to say. */
  readonly type?: string | readonly string[]
  readonly anyOf?: readonly FieldJsonSchema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: JsonValue
  readonly ref?: string
}

const kinds: Readonly<Record<string, FieldKind>> = { string: 'text', integer: 'integer', number: 'real', boolean: 'boolean' }

/** Reads kind, nullability, default and reference from a field's Zod schema by way of its JSON Schema. */
export function inspectField(place: string, type: z.ZodType): InspectedField {
  if (type instanceof z.ZodOptional) {
    throw new Error(`${place}: a field is never optional. Write .nullable().default(null), so that every record has it.`)
  }
  const schema = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }) as FieldJsonSchema
  const variants = (schema.anyOf ?? [schema]).flatMap(splitTypes).filter((variant) => variant.type !== 'null')
  const nullable = type.safeParse(null).success
  const types = new Set(variants.map(kindOf))
  const [kind] = types.size === 1 ? types : ['json' as const]
  return { kind: kind ?? 'json', nullable, default: defaultOf(place, type), ref: schema.ref ?? variants.find((variant) => variant.ref !== undefined)?.ref }
}

/** `{ type: ['string', 'null'] }` is two schemas in one. */
function splitTypes(schema: FieldJsonSchema): FieldJsonSchema[] {
  return Array.isArray(schema.type) ? schema.type.map((type: string) => ({ ...schema, type })) : [schema]
}

function kindOf({ type, const: constant, enum: values }: FieldJsonSchema): FieldKind {
  return kinds[typeof type === 'string' ? type : typeof (constant ?? values?.find((value) => value !== null))] ?? 'json'
}

function defaultOf(place: string, type: z.ZodType): JsonValue | undefined {
  const absent = type.safeParse(undefined)
  if (!absent.success) return undefined
  // Zod does not look at what it fills in; a device sends the whole record, which the server would then refuse.
  if (!type.safeParse(absent.data).success) throw new Error(`${place}: the schema refuses its own default. Make it one that may be written.`)
  return (absent.data ?? null) as JsonValue
}
