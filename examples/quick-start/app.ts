import { collection, defineApp } from 'holdfast'
import { z } from 'zod'

/** What is kept, and how it merges. Server and devices share this declaration. */
export const notes = defineApp({
  name: 'notes',
  collections: {
    notes: collection(z.object({ title: z.string().max(200), body: z.string().default(''), tags: z.array(z.string()).default([]) }), { fields: { tags: 'set' } }),
  },
})
