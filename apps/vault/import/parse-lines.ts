import { setImmediate } from 'node:timers/promises'
import { checkEntryCount, ENTRIES_AT_A_STRETCH, type ImportEntry } from './import-entry.ts'

/** A capture per line; blank lines are none. */
export async function parseLines(text: string): Promise<ImportEntry[]> {
  const entries: ImportEntry[] = []
  let line = 0
  for (const [, rawText = ''] of text.matchAll(/([^\r\n]*)(?:\r\n|\n|\r|$)/g)) {
    line += 1
    if (line % ENTRIES_AT_A_STRETCH === 0) await setImmediate()
    if (rawText.trim() === '') continue
    entries.push({ line, rawText, tags: [] })
    checkEntryCount(entries.length)
  }
  return entries
}
