import { collection, defineApp } from 'holdfast'
import { hostApp } from 'holdfast/server'
import { z } from 'zod'

/** The next version of the app: a field with a default, one that may be null, an index and a collection more. */
const isNewer = process.env['HOLDFAST_TEST_HALL'] === 'newer'

const note = z.object({ text: z.string() })
/** Whoever writes first has the seat. */
const seats = collection(z.object({ owner: z.string() }), { conflict: 'reject' })

const app = isNewer
  ? defineApp({
      name: 'hall',
      collections: {
        notes: collection(note.extend({ stars: z.int().default(3), about: z.string().nullable().default(null) }), { indexes: [['stars']] }),
        seats,
        marks: collection(z.object({ colour: z.string() })),
      },
    })
  : defineApp({ name: 'hall', collections: { notes: collection(note), seats } })

/** What the server processes of these tests run. */
export default { apps: [hostApp({ app })] }
