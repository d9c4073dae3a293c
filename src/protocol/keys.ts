import { z } from 'zod'
import { isWellFormedText } from '../lib/well-formed-text.ts'
import { idSchema } from './ids.ts'
import { spaceRoleSchema } from './spaces.ts'

const KEY_NAME_CHARS_MAX = 80

export const keyNameSchema = z.string().min(1).max(KEY_NAME_CHARS_MAX).refine(isWellFormedText, 'Text must be well-formed Unicode without U+0000.')

/** Without a space the key acts in the caller's personal space of the app. */
export const newKeyRequestSchema = z.strictObject({
  name: keyNameSchema,
  app: z.string().min(1).max(64),
  space: idSchema.optional(),
  role: spaceRoleSchema,
})
export type NewKeyRequest = z.infer<typeof newKeyRequestSchema>

/** An API key without its secret. `space` is the space's public id; times are epoch milliseconds. */
export const apiKeySchema = z.object({
  id: z.string(),
  name: z.string(),
  app: z.string(),
  space: z.string(),
  role: spaceRoleSchema,
  createdBy: z.string(),
  createdAt: z.int(),
  lastUsedAt: z.int().nullable(),
  revokedAt: z.int().nullable(),
})
export type WireKey = z.infer<typeof apiKeySchema>

/** A new key. The only time that `key` is shown. */
export const madeKeySchema = z.object({ ...apiKeySchema.shape, key: z.string() })
export type MadeKey = z.infer<typeof madeKeySchema>
