import { z } from 'zod'
import { limits } from './limits.ts'
import { idSchema, versionSchema } from './ids.ts'
import { jsonValueSchema } from './json-value-schema.ts'

export const operationSchema = z.enum(['put', 'patch', 'delete'])
export type Operation = z.infer<typeof operationSchema>

/** One edit of one record. `base` is the version the writer last saw; 0 or null for a record it believes new. */
export const mutationSchema = z.strictObject({
  n: z.int().min(1).optional(),
  collection: z.string().min(1).max(64),
  id: idSchema,
  op: operationSchema,
  base: versionSchema.nullable().default(null),
  data: z.record(z.string(), jsonValueSchema).optional(),
  /** Epoch milliseconds of the writer's clock; clamped to the server's. */
  at: z.int().optional(),
  /** Mutations with the same group that stand next to each other are accepted together or not at all. */
  group: z.string().min(1).max(limits.GROUP_CHARS_MAX).optional(),
})
export type WireMutation = z.infer<typeof mutationSchema>

/** The envelope only: a malformed mutation is that mutation's rejection, not the push's. */
export const pushRequestSchema = z.strictObject({
  clientId: idSchema.optional(),
  ackedThrough: z.int().min(0).optional(),
  pending: z.int().min(0).optional(),
  mutations: z.array(z.unknown()),
})
export type PushRequest = z.infer<typeof pushRequestSchema>

/** A record as pull, push answers and REST show it. Times are epoch milliseconds of the server. */
export const recordSchema = z.object({
  collection: z.string(),
  id: z.string(),
  version: versionSchema,
  deleted: z.boolean(),
  data: z.record(z.string(), jsonValueSchema).readonly().nullable(),
  createdAt: z.int(),
  updatedAt: z.int(),
  author: z.string(),
  device: z.string().nullable(),
})
export type WireRecord = z.infer<typeof recordSchema>

export const mutationErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  fields: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})
export type MutationError = z.infer<typeof mutationErrorSchema>

export const pushResultSchema = z.object({
  n: z.int().optional(),
  status: z.enum(['applied', 'unchanged', 'merged', 'conflict', 'rejected']),
  version: versionSchema.optional(),
  record: recordSchema.nullable().optional(),
  conflictId: z.string().optional(),
  error: mutationErrorSchema.optional(),
})
export type PushResult = z.infer<typeof pushResultSchema>

export const pushResponseSchema = z.object({
  epoch: z.string(),
  version: versionSchema,
  serverTime: z.int(),
  /** Where the log stood behind this push; for the `proof` of the next pull. */
  proof: z.string(),
  /** This very request, by its `X-Request-Id`, has been carried out before: it came twice on its way. */
  repeated: z.literal(true).optional(),
  results: z.array(pushResultSchema),
})
export type PushResponse = z.infer<typeof pushResponseSchema>
