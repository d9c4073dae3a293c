import { z } from 'zod'
import { collection, ref } from '../app/collection.ts'
import { compileApp } from '../app/compile-app.ts'
import { defineApp } from '../app/define-app.ts'
import { mergeLines } from '../engine/merge-lines.ts'

const notes = collection(
  z.object({
    title: z.string().max(200),
    body: z.string().nullable().default(null),
    tags: z.array(z.string()).default([]),
    visits: z.int().default(0),
    best: z.int().nullable().default(null),
    first: z.int().nullable().default(null),
    score: z.number().nullable().default(null),
    favorite: z.boolean().default(false),
    place: z
      .object({ name: z.string(), at: z.array(z.number()) })
      .nullable()
      .default(null),
    checkedAt: z.int().nullable().default(null),
  }),
  { fields: { body: mergeLines, tags: 'set', visits: 'counter', best: 'max', first: 'min' }, server: ['checkedAt'], indexes: [['title']] },
)

/** An app with one collection for each way in which a collection can be declared. */
export const diaryApp = compileApp(
  defineApp({
    name: 'diary',
    collections: {
      notes,
      forms: collection(z.object({ text: z.string() }), { conflict: 'reject' }),
      marks: collection(z.object({ colour: z.string() }), { conflict: 'lastWriteWins' }),
      pages: collection(z.object({ note: ref('notes').nullable().default(null), number: z.int() })),
      joins: collection(z.object({ words: z.array(z.string()) }), {
        conflict: (_base, server, client) => {
          const words = [...new Set([...(server['words'] as string[]), ...(client['words'] as string[])])]
          return words.length > 5 ? { kind: 'conflict' } : { kind: 'joined', value: { words } }
        },
      }),
      spans: collection(z.object({ from: z.int(), to: z.int() }).refine(({ from, to }) => from <= to, { path: ['to'], message: 'Ends before it begins.' })),
      profile: collection(z.object({ name: z.string() }), { singleton: 'me', access: { write: 'owner' } }),
      sealed: collection(z.object({ value: z.string() }), { access: { write: 'nobody', delete: 'nobody' } }),
    },
  }),
)
