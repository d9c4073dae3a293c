import { pipeline } from 'node:stream/promises'
import { CsvError, parse } from 'csv-parse'
import { checkEntryCount, ImportUnreadable, type ImportEntry } from './import-entry.ts'
import { inPieces } from './in-pieces.ts'
import { splitTags } from './split-tags.ts'

/** Bytes of one row; far more than an item may have. */
const ROW_BYTES_MAX = 1_048_576

const names = ['text', 'url', 'title', 'tags'] as const
type Name = (typeof names)[number]

/** Rows of a table whose first names its columns: `text` or `url`, and `title` and `tags` where there are. Other columns do not count. */
export async function parseCsv(text: string): Promise<ImportEntry[]> {
  const [header, ...rows] = await readRows(text)
  const places = new Map<Name, number>()
  for (const [place, cell] of (header?.cells ?? []).entries()) {
    const name = names.find((one) => one === cell.trim().toLowerCase())
    if (name !== undefined && !places.has(name)) places.set(name, place)
  }
  if (!places.has('text') && !places.has('url')) throw new ImportUnreadable('The first row of the table names no column text or url.')
  return rows.map(({ line, cells }) => {
    const cell = (name: Name) => cells[places.get(name) ?? -1]?.trim() ?? ''
    const given = (key: 'rawText' | 'url' | 'title', value: string) => (value === '' ? {} : { [key]: value })
    return { line, ...given('rawText', cell('text')), ...given('url', cell('url')), ...given('title', cell('title')), tags: splitTags(cell('tags')) }
  })
}

interface Row {
  readonly line: number
  readonly cells: readonly string[]
}

async function readRows(text: string): Promise<Row[]> {
  const rows: Row[] = []
  let line = 1
  const parser = parse({
    bom: true,
    raw: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    max_record_size: ROW_BYTES_MAX,
  })
  const readAll = async (parsed: AsyncIterable<{ readonly record: string[]; readonly raw: string }>) => {
    for await (const { record, raw } of parsed) {
      if (record.some((cell) => cell.trim() !== '')) rows.push({ line, cells: record })
      checkEntryCount(rows.length - 1)
      line += raw.match(/\r\n|\n|\r/g)?.length ?? 0
    }
  }
  try {
    await pipeline(inPieces(Buffer.from(text)), parser, readAll)
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    // The parser's own error repeats what it read.
    throw new ImportUnreadable(`The table cannot be read: the row on line ${line} is not well-formed, or longer than ${ROW_BYTES_MAX} bytes.`)
  }
  return rows
}
