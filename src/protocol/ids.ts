import { z } from 'zod'
import { limits } from './limits.ts'

/** Opaque record id: 1–128 of `[A-Za-z0-9_.:-]`, made by whoever creates the record. */
export const idPattern = /^[A-Za-z0-9_.:-]{1,128}$/
export const idSchema = z.string().max(limits.ID_CHARS_MAX).regex(idPattern)

/** A version of a space: unique, strictly increasing, `max(server clock in ms, last + 1)`. */
export const versionSchema = z.int().min(0)
