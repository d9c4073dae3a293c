import { z } from 'zod'
import type { JsonValue } from '../lib/json.ts'

/** Any JSON value. It came through a JSON parser, so there is nothing left to check. */
export const jsonValueSchema = z.unknown() as unknown as z.ZodType<JsonValue>
