import { z } from 'zod'
import type { JobOutcome } from './define-job.ts'

const reason = z.object({ code: z.string(), message: z.string() }).optional()
const write = z.object({ mutations: z.array(z.unknown()).optional(), jobs: z.array(z.unknown()).optional(), stops: z.array(z.unknown()).optional() }).optional()
const outcomeSchema = z.discriminatedUnion('kind', [z.object({ kind: z.enum(['done', 'empty', 'refused']), reason, write }), z.object({ kind: z.literal('later'), runAt: z.number(), reason })])

/** What a job has answered, if it is an answer; a job may be written without types. What cannot be stored would take others with it that end at the same time. */
export function checkOutcome(outcome: JobOutcome): JobOutcome {
  if (!outcomeSchema.safeParse(outcome).success) throw new Error('It answered nothing that a job may answer.')
  return outcome
}
