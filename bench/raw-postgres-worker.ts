import pg from 'pg'
import { answerParent } from './child.ts'
import { makeNotes, type IdentifiedNote } from './note.ts'

/** The same records in a table made by hand, written and read through the driver alone: one statement and one flush for a batch. */
const [url = '', connections = '1'] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString: url, max: Number(connections) })
await pool.query(
  'CREATE TABLE IF NOT EXISTS notes (space BIGINT NOT NULL, id TEXT COLLATE "C" NOT NULL, version BIGINT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, done SMALLINT NOT NULL, rank BIGINT NOT NULL, PRIMARY KEY (space, id), UNIQUE (space, version))',
)
await Promise.all(Array.from({ length: Number(connections) }, () => pool.query('SELECT pg_sleep(0.01)')))
let version = 0

interface Question {
  readonly kind: string
  readonly count?: number
  readonly batch?: number
  /** Batches under way at once. */
  readonly writers?: number
}

async function insert(notes: readonly IdentifiedNote[]): Promise<void> {
  const first = version + 1
  version += notes.length
  await pool.query({
    name: 'insert',
    text: 'INSERT INTO notes SELECT 1, * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::smallint[], $6::bigint[])',
    values: [
      notes.map(({ id }) => id),
      notes.map((_, index) => first + index),
      notes.map(({ title }) => title),
      notes.map(({ body }) => body),
      notes.map(({ done }) => (done ? 1 : 0)),
      notes.map(({ rank }) => rank),
    ],
  })
}

async function page(after: number, limit: number): Promise<readonly { readonly version: string }[]> {
  const { rows } = await pool.query<{ version: string }>({
    name: 'page',
    text: 'SELECT id, version, title, body, done, rank FROM notes WHERE space = 1 AND version > $1 ORDER BY version LIMIT $2',
    values: [after, limit],
  })
  return rows
}

/** Does the works of a list, so many at once. */
async function inParallel<Work>(works: readonly Work[], atOnce: number, run: (work: Work) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let work = works[next++]; work !== undefined; work = works[next++]) await run(work)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

answerParent({ ready: true }, async (question) => {
  const { kind, count = 0, batch = 1, writers = 1 } = question as Question
  const notes = kind === 'insert' ? makeNotes(count) : []
  const batches = Array.from({ length: Math.ceil(notes.length / batch) }, (_, index) => notes.slice(index * batch, (index + 1) * batch))
  const polls = Array.from({ length: count }, (_, index) => index)
  const started = performance.now()
  switch (kind) {
    case 'insert':
      await inParallel(batches, writers, insert)
      break
    case 'scan':
      for (let [after, rows] = [0, await page(0, batch)]; rows.length > 0; rows = await page(after, batch)) after = Number(rows.at(-1)?.version)
      break
    case 'poll':
      await inParallel(polls, writers, () => page(version, batch))
      break
    default:
      throw new Error(`Unknown question ${kind}.`)
  }
  return { ms: performance.now() - started }
})
