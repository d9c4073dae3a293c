import { collection, defineApp } from 'holdfast'
import { z } from 'zod'

/** One collection of ordinary notes: about 300 bytes of JSON a record. */
export const benchApp = defineApp({
  name: 'bench',
  collections: {
    notes: collection(
      z.object({
        title: z.string().max(200),
        body: z.string().max(10_000),
        done: z.boolean().default(false),
        rank: z.int().default(0),
      }),
    ),
  },
})
