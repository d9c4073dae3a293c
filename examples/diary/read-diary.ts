import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

export interface DiaryEntry {
  readonly journal: string
  readonly id: string
  /** `YYYY-MM-DD`, or null where the diary does not say. */
  readonly date: string | null
  readonly text: string
}

export interface Diary {
  readonly source: string
  readonly entries: readonly DiaryEntry[]
}

const ours = fileURLToPath(new URL('sample.jsonl', import.meta.url))
/** A larger diary beside the project, where there is one. */
const beside = fileURLToPath(new URL('../../../shared/data/diary.jsonl', import.meta.url))

/** Reads a diary of one JSON object a line: the file given, else the larger one beside the project, else our ten entries. */
export async function readDiary(path: string | undefined): Promise<Diary> {
  const source = path ?? (existsSync(beside) ? beside : ours)
  const lines = (await readFile(source, 'utf8')).split('\n').filter((line) => line.trim() !== '')
  return { source, entries: lines.map((line, index) => entryOf(line, index + 1)) }
}

function entryOf(line: string, lineNumber: number): DiaryEntry {
  const { journal, id, date, text } = JSON.parse(line) as Partial<DiaryEntry>
  if (typeof journal !== 'string' || typeof id !== 'string' || typeof text !== 'string') throw new Error(`Line ${lineNumber} of the diary has no journal, id or text.`)
  return { journal, id: recordId(id), date: date ?? null, text }
}

/** An id of a record is 1–128 of `[A-Za-z0-9_.:-]`; what else stands in a diary's own ids becomes `_` with its code. */
function recordId(id: string): string {
  return id.replaceAll(/[^A-Za-z0-9.:-]/g, (char) => `_${char.codePointAt(0)?.toString(16) ?? ''}`).slice(0, 128)
}

/** Midnight UTC of the entry's day in epoch milliseconds, before 1970 negative; the epoch where the diary gives no usable date. */
export function writtenAt({ date }: DiaryEntry): number {
  const at = date === null ? Number.NaN : Date.parse(`${date}T00:00:00Z`)
  return Number.isNaN(at) ? 0 : at
}

export function journalId(title: string): string {
  return `journal-${createHash('sha256').update(title).digest('hex').slice(0, 16)}`
}

/** The id that both devices give a link, so that two who make it make one. */
export function linkId(journal: string, content: string): string {
  return createHash('sha256').update(`${journal}\n${content}`).digest('hex')
}
