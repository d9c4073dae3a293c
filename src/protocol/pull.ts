import { z } from 'zod'
import { recordSchema } from './push.ts'

export const pullResponseSchema = z.object({
  epoch: z.string(),
  changes: z.array(recordSchema),
  /** Opaque: epoch, space, version, collections and the start of the change log's hash at that version. */
  cursor: z.string(),
  /** False at a checkpoint: everything up to `cursor` has been given. */
  more: z.boolean(),
})
export type PullResponse = z.infer<typeof pullResponseSchema>

export const resyncReasonSchema = z.enum(['horizon', 'epoch', 'diverged', 'schema'])
export type ResyncReason = z.infer<typeof resyncReasonSchema>
