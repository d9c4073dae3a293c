import { z } from 'zod'
import { collection, ref } from '../../src/app/collection.ts'
import { defineApp } from '../../src/app/define-app.ts'
import { mergeLines } from '../../src/engine/merge-lines.ts'

/** Longest title of the newer app: shorter than what older devices write, so that old edits may be refused. */
export const TITLE_CHARS_MAX = 20

const unchanged = {
  tallies: collection(z.object({ count: z.int().default(0) }), { fields: { count: 'counter' } }),
  forms: collection(z.object({ text: z.string() }), { conflict: 'reject' }),
  marks: collection(z.object({ colour: z.string() }), { conflict: 'lastWriteWins' }),
  books: collection(z.object({ name: z.string() })),
  pages: collection(z.object({ book: ref('books'), text: z.string() })),
}
const joined = { fields: { body: mergeLines, tags: 'set' } } as const

/** The app of the simulation as first released: one collection for each way in which edits meet. */
export const firstApp = defineApp({
  name: 'simulation',
  collections: {
    ...unchanged,
    notes: collection(z.object({ title: z.string().max(100), body: z.string().default(''), tags: z.array(z.string()).default([]) }), joined),
  },
})

/** Its next release: a field and a collection more, and a rule that old edits may break. */
export const secondApp = defineApp({
  name: 'simulation',
  collections: {
    ...unchanged,
    notes: collection(z.object({ title: z.string().max(TITLE_CHARS_MAX), body: z.string().default(''), tags: z.array(z.string()).default([]), mood: z.string().nullable().default(null) }), joined),
    places: collection(z.object({ name: z.string() })),
  },
})

export const collectionNames = ['notes', 'tallies', 'forms', 'marks', 'books', 'pages'] as const
