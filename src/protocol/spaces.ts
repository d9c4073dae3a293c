import { z } from 'zod'

export const spaceRoleSchema = z.enum(['viewer', 'editor', 'owner'])

/** Name of an organisation's space: what people and the command line call it. */
export const spaceNameSchema = z.string().regex(/^[a-z0-9-]{1,40}$/, 'Use 1–40 of a–z, 0–9 and -.')

/** A space and the caller's role in it. `name` is the user's id for a personal space. */
export const spaceSchema = z.object({
  id: z.string(),
  app: z.string(),
  kind: z.enum(['personal', 'organisation', 'server']),
  name: z.string(),
  role: spaceRoleSchema,
})
export type WireSpace = z.infer<typeof spaceSchema>

export const newSpaceRequestSchema = z.strictObject({ app: z.string().min(1).max(64), name: spaceNameSchema })

/** A person in a space. `since` is epoch milliseconds. */
export const memberSchema = z.object({ userId: z.string(), email: z.string(), displayName: z.string(), role: spaceRoleSchema, since: z.int() })
export type WireMember = z.infer<typeof memberSchema>

export const memberRequestSchema = z.strictObject({ role: spaceRoleSchema })
