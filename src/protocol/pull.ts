import { z } from 'zod'
import { versionSchema } from './ids.ts'
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

/** First line of a snapshot. `count` is the number of live records when it began. */
export const snapshotHeadSchema = z.object({
  snapshot: z.object({ epoch: z.string(), version: versionSchema, count: z.int() }),
})
/** Last line of a snapshot: where pull goes on. Without it the stream was cut; resume with `after`. */
export const snapshotTailSchema = z.object({ cursor: z.string() })

export const resyncReasonSchema = z.enum(['horizon', 'epoch', 'diverged', 'schema'])
export type ResyncReason = z.infer<typeof resyncReasonSchema>
