import { z } from 'zod'
import { collection, ref } from '../app/collection.ts'
import { defineApp } from '../app/define-app.ts'
import { mergeLines } from '../engine/merge-lines.ts'

/** The app of the client's tests. */
export const diary = defineApp({
  name: 'diary',
  collections: {
    notes: collection(z.object({ title: z.string().max(50), body: z.string().default(''), likes: z.int().default(0), tags: z.array(z.string()).default([]) }), {
      fields: { body: mergeLines, likes: 'counter', tags: 'set' },
    }),
    books: collection(z.object({ name: z.string() })),
    pages: collection(z.object({ book: ref('books'), number: z.int() })),
  },
})
