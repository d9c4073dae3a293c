import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, rm, writeFile } from 'node:fs/promises'
import { backup, DatabaseSync } from 'node:sqlite'

export interface BackupProgress {
  /** Pages of the database that are copied, and how many there are. */
  readonly done: number
  readonly total: number
}

const OWNER_ALONE = 0o600
/** Pages copied between two looks at other work. */
const PAGES_AT_ONCE = 1_000

/**
 * Writes one consistent state of a SQLite database into a new file, for its owner alone, while others read and write; checks it, and puts
 * its SHA-256 beside it. The file has its name only when it is whole, and needs no other file beside it to be read.
 */
export async function backupSqlite(source: string, target: string, onProgress: (progress: BackupProgress) => void): Promise<{ readonly sha256: string }> {
  const unfinished = `${target}.unfinished`
  await rm(unfinished, { force: true })
  try {
    // Made before SQLite writes into it: it holds what only its owner may read.
    await writeFile(unfinished, '', { mode: OWNER_ALONE, flag: 'wx' })
    await copyPages(source, unfinished, onProgress)
    const problem = checkSqlite(unfinished)
    if (problem !== undefined) throw new Error(`The copy is not sound: ${problem}`)
    await flushFile(unfinished)
    const sha256 = await digestOf(unfinished)
    await writeFile(checksumFile(target), `${sha256}\n`, { mode: OWNER_ALONE })
    await rename(unfinished, target)
    return { sha256 }
  } finally {
    for (const ending of ['', '-wal', '-shm', '-journal']) await rm(`${unfinished}${ending}`, { force: true })
  }
}

async function copyPages(source: string, target: string, onProgress: (progress: BackupProgress) => void): Promise<void> {
  const database = new DatabaseSync(source, { readOnly: true })
  try {
    await backup(database, target, { rate: PAGES_AT_ONCE, progress: ({ totalPages, remainingPages }) => onProgress({ done: totalPages - remainingPages, total: totalPages }) })
  } finally {
    database.close()
  }
  leaveWal(target)
}

/** Brings what stands in a write-ahead log into the database's own file, and removes the log. Nobody else may use the database. */
export function leaveWal(path: string): void {
  const database = new DatabaseSync(path)
  try {
    database.exec('PRAGMA journal_mode = DELETE')
  } finally {
    database.close()
  }
}

export function checksumFile(target: string): string {
  return `${target}.sha256`
}

/** SHA-256 of a file, lower-case hex. */
export async function digestOf(path: string): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of createReadStream(path)) digest.update(chunk as Buffer)
  return digest.digest('hex')
}

/** What is wrong with a SQLite file, in its own words; undefined when it is sound. */
export function checkSqlite(path: string): string | undefined {
  try {
    const database = new DatabaseSync(path, { readOnly: true })
    try {
      const [row] = database.prepare('PRAGMA integrity_check(1)').all() as unknown as { integrity_check: string }[]
      if (row?.integrity_check !== 'ok') return row?.integrity_check ?? 'no answer'
      return database.prepare('PRAGMA foreign_key_check').all().length === 0 ? undefined : 'a record refers to one that is not there'
    } finally {
      database.close()
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Waits until a file is on the disk. */
export async function flushFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
