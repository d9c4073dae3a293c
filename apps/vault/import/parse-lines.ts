import { checkEntryCount, type ImportEntry } from './import-entry.ts'

/** A capture per line; blank lines are none. */
export function parseLines(text: string): ImportEntry[] {
  const entries: ImportEntry[] = []
  let line = 0
  for (const rawText of text.split(/\r\n|\n|\r/)) {
    line += 1
    if (rawText.trim() === '') continue
    entries.push({ line, rawText, tags: [] })
    checkEntryCount(entries.length)
  }
  return entries
}
