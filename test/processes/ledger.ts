import { collection, defineApp, mergeLines } from 'holdfast'
import { z } from 'zod'

/** One collection for each way in which edits meet: notes are everybody's, an entry is written once, the tally is counted. */
export const ledger = defineApp({
  name: 'ledger',
  collections: {
    notes: collection(z.object({ title: z.string(), body: z.string().default(''), tags: z.array(z.string()).default([]) }), { fields: { body: mergeLines, tags: 'set' } }),
    entries: collection(z.object({ text: z.string() })),
    tallies: collection(z.object({ count: z.int().default(0) }), { fields: { count: 'counter' } }),
  },
})

/** The one record of `tallies`. */
export const TALLY = 'tally'

/** Each edit carries a word that stands nowhere else and begins with the letter of its account. */
export function wordsIn(text: string): string[] {
  return text.match(/[pq]\.[a-z0-9]+\.[a-z0-9]+;/g) ?? []
}
