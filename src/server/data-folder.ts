import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { StartFailure } from './start-failure.ts'

/** Who may do more than its owner: nobody. */
const FOLDER_MODE = 0o700
const OTHERS = 0o077

/** Paths of what the data folder holds. */
export function dataFiles(folder: string) {
  return { database: join(folder, 'holdfast.db'), secret: join(folder, 'secret'), lock: join(folder, 'holdfast.lock'), running: join(folder, 'running.json') } as const
}

/** Makes the data folder unless it exists, for its owner alone, and makes sure that it can be written to. Throws `StartFailure`. */
export function prepareDataFolder(folder: string): void {
  try {
    if (!existsSync(folder)) {
      mkdirSync(folder, { recursive: true, mode: FOLDER_MODE })
      // What the process masks out of new modes is not ours to know.
      chmodSync(folder, FOLDER_MODE)
    }
    if (!statSync(folder).isDirectory()) throw new StartFailure(`The data folder ${folder} is a file. Move it away, or set HOLDFAST_DATA to another folder.`)
    const probe = join(folder, `.probe-${process.pid}`)
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (error) {
    throw explainFolder(folder, error)
  }
}

/** A sentence when others than its owner may look into the folder. */
export function openToOthers(folder: string): string | undefined {
  if (process.platform === 'win32') return undefined
  const mode = statSync(folder).mode & 0o777
  return (mode & OTHERS) === 0 ? undefined : `The data folder ${folder} is open to other accounts of this machine (mode ${mode.toString(8)}). Close it: chmod 700 ${folder}`
}

/** Turns what the file system says into what an operator can do. */
export function explainFolder(folder: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return new StartFailure(`The data folder ${folder} cannot be written to by this account (${accountName()}). Give it the folder (chown), or set HOLDFAST_DATA to another one.`, { cause: error })
    case 'EROFS':
      return new StartFailure(`The data folder ${folder} is on a file system that is mounted read-only. Mount it for writing, or set HOLDFAST_DATA to another folder.`, { cause: error })
    case 'ENOSPC':
    case 'EDQUOT':
      return new StartFailure(`The disk of the data folder ${folder} is full. Make room and start again; nothing is lost.`, { cause: error })
    case 'ENOTDIR':
      return new StartFailure(`The data folder ${folder} lies below a file. Set HOLDFAST_DATA to another folder.`, { cause: error })
    default:
      return error
  }
}

function accountName(): string {
  return process.getuid === undefined ? 'this user' : `uid ${process.getuid()}`
}
