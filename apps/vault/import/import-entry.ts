/** One thing to capture that a file holds, as it stands there: whether it may be an item is for the capture to say. */
export interface ImportEntry {
  /** Where it begins in the file, from 1. */
  readonly line: number
  /** Absent where there is only an address. */
  readonly rawText?: string
  readonly url?: string
  readonly title?: string
  /** Names of tags. */
  readonly tags: readonly string[]
  /** When it was saved, epoch milliseconds. */
  readonly capturedAt?: number
}

/** The file as a whole cannot be read as what it says it is. */
export class ImportUnreadable extends Error {
  override readonly name = 'ImportUnreadable'
}

/** Entries of one file: what one request may keep the server busy with. */
export const IMPORT_ENTRIES_MAX = 50_000

/** Entries that are read or planned before others have their turn. */
export const ENTRIES_AT_A_STRETCH = 200

/** Throws when a file has more entries than one request may bring. */
export function checkEntryCount(count: number): void {
  if (count > IMPORT_ENTRIES_MAX) throw new ImportUnreadable(`A file may have at most ${IMPORT_ENTRIES_MAX} entries. Send it in parts.`)
}
