import type { z } from 'zod'
import { Problem } from '../protocol/problem.ts'

/** Checks one value of a caller that has no schema of its own, such as the command line. Throws `request.invalid` naming the field. */
export function requireValid<Value>(schema: z.ZodType<Value>, path: string, value: unknown): Value {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new Problem('request.invalid', { fields: parsed.error.issues.map(({ message }) => ({ path, message })) })
}
