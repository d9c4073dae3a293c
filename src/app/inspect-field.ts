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
  readonly type?: string
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
  const variants = (schema.anyOf ?? [schema]).filter((variant) => variant.type !== 'null')
  const nullable = type.safeParse(null).success
  const types = new Set(variants.map((variant) => kinds[variant.type ?? typeof (variant.const ?? variant.enum?.[0])] ?? 'json'))
  const [kind] = types.size === 1 ? types : ['json' as const]
  return { kind: kind ?? 'json', nullable, default: defaultOf(type), ref: schema.ref ?? variants.find((variant) => variant.ref !== undefined)?.ref }
}

function defaultOf(type: z.ZodType): JsonValue | undefined {
  const absent = type.safeParse(undefined)
  return absent.success ? ((absent.data ?? null) as JsonValue) : undefined
}
