import { makeNotes } from './note.ts'
import { answerParent } from './child.ts'
import { RawTable } from './raw-table.ts'

/** The raw database in a process of its own: no network, no JSON, no checks. */
const [path = ''] = process.argv.slice(2)
const table = new RawTable(path)

interface Question {
  readonly kind: string
  readonly count?: number
  readonly batch?: number
}

answerParent({ ready: true }, async (question) => {
  const { kind, count = 0, batch = 1 } = question as Question
  const notes = kind === 'insert' ? makeNotes(count) : []
  const started = performance.now()
  switch (kind) {
    case 'insert':
      for (let start = 0; start < count; start += batch) table.insert(notes.slice(start, start + batch))
      break
    case 'scan':
      for (let after = 0, page = table.scan(0, batch); page.length > 0; page = table.scan(after, batch)) after = page.at(-1)?.version ?? after
      break
    case 'poll':
      for (let index = 0; index < count; index += 1) table.scan(Number.MAX_SAFE_INTEGER, batch)
      break
    case 'list':
      for (let index = 0; index < count; index += 1) table.list('', batch)
      break
    case 'get': {
      const ids = table.list('', 1_000).map(({ id }) => id)
      for (let index = 0; index < count; index += 1) table.get(ids[index % ids.length] ?? '')
      break
    }
    default:
      throw new Error(`Unknown question ${kind}.`)
  }
  return { ms: performance.now() - started }
})
