import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import { CsvError, parse } from 'csv-parse'
import { checkEntryCount, ENTRIES_AT_A_STRETCH, IMPORT_ENTRIES_MAX, ImportUnreadable, type ImportEntry } from './import-entry.ts'
import { inPieces } from './in-pieces.ts'
import { splitTags } from './split-tags.ts'

/** Bytes of one row; far more than an item may have. */
const ROW_BYTES_MAX = 1_048_576
/** Rows of one table. Blank ones are no entries, but each takes the parser some microseconds: a file of nothing else would keep it busy for minutes. */
const ROWS_MAX = 4 * IMPORT_ENTRIES_MAX

const names = ['text', 'url', 'title', 'tags'] as const
type Name = (typeof names)[number]

/** Rows of a table whose first names its columns: `text` or `url`, and `title` and `tags` where there are. Other columns do not count. */
export async function parseCsv(text: string): Promise<ImportEntry[]> {
  const entries: ImportEntry[] = []
  let places: Places | undefined
  await readRows(text, (row) => {
    if (row.cells.every((cell) => cell.trim() === '')) return
    if (places === undefined) {
      places = placesOf(row)
      return
    }
    entries.push(entryOf(row, places))
    checkEntryCount(entries.length)
  })
  if (places === undefined) throw namesNothing()
  return entries
}

type Places = ReadonlyMap<Name, number>

function placesOf({ cells }: Row): Places {
  const places = new Map<Name, number>()
  for (const [place, cell] of cells.entries()) {
    const name = names.find((one) => one === cell.trim().toLowerCase())
    if (name !== undefined && !places.has(name)) places.set(name, place)
  }
  if (!places.has('text') && !places.has('url')) throw namesNothing()
  return places
}

function namesNothing(): ImportUnreadable {
  return new ImportUnreadable('The first row of the table names no column text or url.')
}

function entryOf({ line, cells }: Row, places: Places): ImportEntry {
  const cell = (name: Name) => cells[places.get(name) ?? -1]?.trim() ?? ''
  const given = (key: 'rawText' | 'url' | 'title', value: string) => (value === '' ? {} : { [key]: value })
  return { line, ...given('rawText', cell('text')), ...given('url', cell('url')), ...given('title', cell('title')), tags: splitTags(cell('tags')) }
}

interface Row {
  readonly line: number
  readonly cells: readonly string[]
}

/** Takes one row after the other, blank ones too, with other work let in between. */
async function readRows(text: string, take: (row: Row) => void): Promise<void> {
  let line = 1
  let count = 0
  const parser = parse({
    bom: true,
    raw: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    max_record_size: ROW_BYTES_MAX,
  })
  const takeAll = async (parsed: AsyncIterable<{ readonly record: string[]; readonly raw: string }>) => {
    for await (const { record, raw } of parsed) {
      take({ line, cells: record })
      line += raw.match(/\r\n|\n|\r/g)?.length ?? 0
      count += 1
      if (count > ROWS_MAX) throw new ImportUnreadable(`A table may have at most ${ROWS_MAX} rows, blank ones too. Send it in parts.`)
      if (count % ENTRIES_AT_A_STRETCH === 0) await setImmediate()
    }
  }
  try {
    await pipeline(inPieces(Buffer.from(text)), parser, takeAll)
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    // The parser's own error repeats what it read.
    throw new ImportUnreadable(`The table cannot be read: the row on line ${line} is not well-formed, or longer than ${ROW_BYTES_MAX} bytes.`)
  }
}
