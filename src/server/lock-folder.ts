import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { dataFiles, explainFolder } from './data-folder.ts'
import { StartFailure } from './start-failure.ts'

/** The right of one process to serve a data folder. The system takes it back when the process ends, however that happens. */
export interface FolderLock extends Disposable {
  /** Leaves a note for whoever finds the folder locked. */
  note(url: string): void
}

/** Takes the data folder for this process. Throws `StartFailure` when another one has it. */
export function lockFolder(folder: string): FolderLock {
  const { lock, running } = dataFiles(folder)
  // SQLite knows how to lock a file on every system; what the file holds does not matter.
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(lock, { timeout: 0 })
    database.exec('BEGIN IMMEDIATE')
  } catch (error) {
    database?.close()
    if (isBusy(error)) throw new StartFailure(`${whoRuns(running)} uses the data folder ${folder}. Stop it first, or set HOLDFAST_DATA to another folder.`, { cause: error })
    throw explainFolder(folder, error)
  }
  const held = database
  return {
    note: (url) => writeFileSync(running, JSON.stringify({ pid: process.pid, url }), { mode: 0o600 }),
    [Symbol.dispose]: () => {
      rmSync(running, { force: true })
      held.close()
    },
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5
}

function whoRuns(note: string): string {
  try {
    const { pid, url } = JSON.parse(readFileSync(note, 'utf8')) as { readonly pid: number; readonly url: string }
    return `A running server (process ${pid}, ${url})`
  } catch {
    return 'Another process'
  }
}
