import { z } from 'zod'
import { emailKey } from '../lib/email-key.ts'
import { isWellFormedText } from '../lib/well-formed-text.ts'
import { idSchema } from './ids.ts'

const EMAIL_CHARS_MAX = 254
const PASSWORD_CHARS_MIN = 8
/** Bounds the work of one hash. */
const PASSWORD_CHARS_MAX = 256
const LABEL_CHARS_MAX = 200
const TOKEN_CHARS_MAX = 512

/** One `@`, no white space, nothing that means something in a mail header. */
const emailPattern = /^[^\s@<>()[\]\\,;:"\p{Cc}]+@[^\s@<>()[\]\\,;:"\p{Cc}]+$/u

/** An e-mail address of at most 254 characters. Its compatibility form must be one too, since that form is the account's key. */
export const emailSchema = z
  .string()
  .max(EMAIL_CHARS_MAX)
  .refine((email) => isEmail(email) && isEmail(emailKey(email)), 'This is not an e-mail address.')

/** A password as typed: 8–256 UTF-16 units of well-formed text. */
export const passwordSchema = z.string().min(PASSWORD_CHARS_MIN).max(PASSWORD_CHARS_MAX).refine(isWellFormedText, 'Text must be well-formed Unicode without U+0000.')

/** A name that people read: 1–200 characters of well-formed text. */
export const labelSchema = z.string().min(1).max(LABEL_CHARS_MAX).refine(isWellFormedText, 'Text must be well-formed Unicode without U+0000.')

/** A secret that this server gave out; what it is worth is looked up. */
const tokenSchema = z.string().min(1).max(TOKEN_CHARS_MAX)

/** What a client says of the device it runs on. Without an id the server makes one. */
export const deviceInfoSchema = z.strictObject({
  id: idSchema.optional(),
  name: labelSchema.optional(),
  platform: labelSchema.optional(),
  appVersion: labelSchema.optional(),
})
export type DeviceInfo = z.infer<typeof deviceInfoSchema>

/** What may be typed at sign-in: longer than any valid value is refused, anything else is simply wrong. */
/** An address as somebody typed it, who may be wrong; only what no database takes as text is refused. */
const typedEmailSchema = z.string().max(EMAIL_CHARS_MAX).refine(isWellFormedText, 'This is not an e-mail address.')

export const loginRequestSchema = z.strictObject({
  email: typedEmailSchema,
  password: z.string().max(PASSWORD_CHARS_MAX),
  device: deviceInfoSchema.optional(),
})
export type LoginRequest = z.infer<typeof loginRequestSchema>

export const registerRequestSchema = z.strictObject({
  email: emailSchema,
  password: passwordSchema,
  displayName: labelSchema.optional(),
  device: deviceInfoSchema.optional(),
  /** Token of an invitation, where the server asks for one. */
  invite: tokenSchema.optional(),
})
export type RegisterRequest = z.infer<typeof registerRequestSchema>

export const setupRequestSchema = z.strictObject({
  token: tokenSchema,
  email: emailSchema,
  password: passwordSchema,
  displayName: labelSchema.optional(),
  device: deviceInfoSchema.optional(),
})
export type SetupRequest = z.infer<typeof setupRequestSchema>

export const refreshRequestSchema = z.strictObject({ refreshToken: tokenSchema })
export const passwordRequestSchema = z.strictObject({ currentPassword: z.string().max(PASSWORD_CHARS_MAX), newPassword: passwordSchema })
export const resetRequestSchema = z.strictObject({ email: typedEmailSchema })
export const resetSchema = z.strictObject({ token: tokenSchema, newPassword: passwordSchema })

export const serverRoleSchema = z.enum(['admin', 'user'])

export const userSchema = z.object({ id: z.string(), email: z.string(), displayName: z.string(), role: serverRoleSchema })
export type WireUser = z.infer<typeof userSchema>

/** Tokens of a session. `expiresIn` is the access token's life in seconds. */
export const tokensSchema = z.object({ accessToken: z.string(), refreshToken: z.string(), expiresIn: z.int() })
export type Tokens = z.infer<typeof tokensSchema>

export const signedInSchema = z.object({ user: userSchema, device: z.object({ id: z.string() }), ...tokensSchema.shape })
export type SignedIn = z.infer<typeof signedInSchema>

export const meSchema = z.object({ user: userSchema, device: z.object({ id: z.string() }), session: z.object({ id: z.string() }) })

/** A link that works once. `expiresAt` is epoch milliseconds. */
export const oneTimeLinkSchema = z.object({ token: z.string(), url: z.string(), expiresAt: z.int() })
export type OneTimeLink = z.infer<typeof oneTimeLinkSchema>

/** An account as an admin sees it. Times are epoch milliseconds. */
export const accountSchema = z.object({ ...userSchema.shape, createdAt: z.int(), disabledAt: z.int().nullable() })
export type WireAccount = z.infer<typeof accountSchema>

function isEmail(text: string): boolean {
  return text.length <= EMAIL_CHARS_MAX && isWellFormedText(text) && emailPattern.test(text)
}
