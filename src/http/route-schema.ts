import { z } from 'zod'
import { limits } from '../protocol/limits.ts'

/** The app that a path names. */
export const appParamsSchema = z.object({ app: z.string().meta({ description: 'Name of the app.', examples: ['journal'] }) })

export const spaceQuerySchema = z.object({
  space: z.string().optional().meta({ description: "Public id of the space to act in; the caller's personal one when absent." }),
})

export const recordParamsSchema = appParamsSchema.extend({ collection: z.string() })

/** A page size: a whole number from 1 to `max`. */
export function pageLimitSchema(max: number, byDefault: number) {
  return z.coerce.number().int().min(1).max(max).default(byDefault)
}

/** Longest opaque cursor of a list, in characters. */
const LIST_CURSOR_CHARS_MAX = 8_192
export const cursorQuerySchema = z.string().min(1).max(LIST_CURSOR_CHARS_MAX).optional().meta({ description: 'The `cursor` of the page before this one.' })

/** Conflicts, rejections and log entries come in pages of the same sizes as records. */
export const pageQuerySchema = spaceQuerySchema.extend({
  limit: pageLimitSchema(limits.LIST_RECORDS_MAX, limits.LIST_RECORDS_DEFAULT),
  cursor: cursorQuerySchema,
})

const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string().meta({ description: 'One of docs/ERRORS.md.' }),
  detail: z.string(),
  requestId: z.string(),
  fields: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})

/** An answer as the OpenAPI document shows it. Its type says nothing of the body: handlers may send JSON text that is ready. */
interface Answer {
  readonly description: string
  readonly content: Readonly<Record<string, { readonly schema: unknown }>>
}

export function jsonAnswer(description: string, schema: z.ZodType): Answer {
  return { description, content: { 'application/json': { schema } } }
}

export function textAnswer(description: string, mediaType: string): Answer {
  return { description, content: { [mediaType]: { schema: z.string() } } }
}

export const noContent = z.void()

const problemAnswer: Answer = { description: 'Refused; `code` says why.', content: { 'application/problem+json': { schema: problemSchema } } }

/** Refusals of every route. */
export const refusals = { '4xx': problemAnswer }

/** The token of a signed-in person. */
export const needsUser = [{ bearer: [] }]

/** A user's token or an API key. */
export const needsCredential = [{ bearer: [] }, { apiKey: [] }]

/** What may read `/metrics` from elsewhere. */
export const needsMetricsToken = [{ metricsToken: [] }, {}]
