import { idSchema, type JsonValue } from 'holdfast'
import { z } from 'zod'
import type { Body } from './read-request.ts'
import type { FieldProblem } from './vault-error.ts'

/** What is wrong with a body, found so far. */
export type Problems = FieldProblem[]

/** Ids of one list in a body. */
const IDS_MAX = 1_000
const timeSchema = z.iso.datetime({ offset: true })

/** The fields of a body that were sent, as they are; the collection's schema checks them. */
export function readFields(body: Body, names: readonly string[]): Record<string, JsonValue> {
  return Object.fromEntries(names.flatMap((name) => (body[name] === undefined ? [] : [[name, body[name] as JsonValue]])))
}

/** A list of ids, each once. */
export function readIds(field: string, value: unknown, problems: Problems): string[] {
  const ids = z.array(idSchema).max(IDS_MAX).safeParse(value)
  if (ids.success) return [...new Set(ids.data)]
  problems.push({ field, message: 'This is a list of ids.' })
  return []
}

/** A time as JSON has it, in epoch milliseconds; null where it is none. */
export function readTime(field: string, value: unknown, problems: Problems): number | null {
  const time = timeSchema.safeParse(value)
  const ms = time.success ? Date.parse(time.data) : Number.NaN
  if (ms >= 0) return ms
  problems.push({ field, message: 'Give a time from 1970 on, such as 2026-01-31T12:00:00.000Z.' })
  return null
}

/** Problems of the collection's schema by the names of the body. */
export function wireFields(fields: readonly { readonly path: string; readonly message: string }[]): Problems {
  return fields.map(({ path, message }) => ({ field: path.replace(/^data\./, ''), message }))
}
