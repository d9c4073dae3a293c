import { z } from 'zod'

/** What a device says of itself from time to time. Times are epoch milliseconds of its own clock. */
export const deviceReportSchema = z.strictObject({
  /** Edits that wait to be sent, and when the oldest was made. */
  pending: z.int().min(0),
  oldestPendingAt: z.int().min(0).nullable().default(null),
  conflicts: z.int().min(0).default(0),
  rejected: z.int().min(0).default(0),
  lastSyncAt: z.int().min(0).nullable().default(null),
  appVersion: z.string().max(64).default(''),
  schemaVersion: z.int().min(0).default(0),
  /** Whether the device's storage may be cleared under it, and how full it is in bytes. */
  storage: z
    .strictObject({ persistent: z.boolean(), usedBytes: z.int().min(0), quotaBytes: z.int().min(0) })
    .nullable()
    .default(null),
})
export type DeviceReport = z.infer<typeof deviceReportSchema>

/** The last report of one app, and of one space where it named one; `at` is when it came, by the server's clock. */
export const keptReportSchema = deviceReportSchema.extend({ app: z.string(), space: z.string().nullable(), at: z.int() })
export type KeptReport = z.infer<typeof keptReportSchema>

/** What the device is asked to do: read everything again, remove its copy, or install a newer version. */
export const deviceInstructionSchema = z.enum(['resync', 'wipe', 'upgrade'])
export type DeviceInstruction = z.infer<typeof deviceInstructionSchema>

export const deviceAnswerSchema = z.object({ serverTime: z.int(), epoch: z.string(), instructions: z.array(deviceInstructionSchema) })
