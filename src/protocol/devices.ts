import { z } from 'zod'
import { labelSchema } from './accounts.ts'
import { keptReportSchema } from './device-report.ts'

/** A session as its owner sees it. Times are epoch milliseconds. */
export const sessionSchema = z.object({
  id: z.string(),
  deviceId: z.string(),
  createdAt: z.int(),
  lastUsedAt: z.int(),
  expiresAt: z.int(),
  /** True for the session that asks. */
  current: z.boolean(),
})
export type WireSession = z.infer<typeof sessionSchema>

/** A device of an account with its live sessions. Times are epoch milliseconds. */
export const deviceSchema = z.object({
  id: z.string(),
  name: z.string(),
  platform: z.string(),
  appVersion: z.string(),
  createdAt: z.int(),
  lastSeenAt: z.int(),
  /** True for the device that asks. */
  current: z.boolean(),
  sessions: z.array(sessionSchema),
  /** What the device last said of itself, the newest first. */
  reports: z.array(keptReportSchema),
})
export type WireDevice = z.infer<typeof deviceSchema>

export const renameDeviceRequestSchema = z.strictObject({ name: labelSchema })
