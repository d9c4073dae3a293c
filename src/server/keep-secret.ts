import { linkSync, readFileSync, rmSync, statSync, openSync, writeSync, fsyncSync, closeSync } from 'node:fs'
import { hkdfSync } from 'node:crypto'
import type { Chance } from '../lib/chance.ts'
import { dataFiles } from './data-folder.ts'
import { StartFailure } from './start-failure.ts'

const KEY_BYTES = 32
const SECRET_CHARS_MIN = 32
const FILE_MODE = 0o600

/** Answers the secret that the data folder keeps; the first process to need it makes it, in a file that its owner alone reads. */
export function keepSecret(folder: string, chance: Pick<Chance, 'id' | 'secret'>): string {
  const { secret: path } = dataFiles(folder)
  const known = readSecret(path)
  if (known !== undefined) return known
  const made = `${path}.${chance.id()}`
  try {
    const file = openSync(made, 'wx', FILE_MODE)
    writeSync(file, `${chance.secret()}\n`)
    fsyncSync(file)
    closeSync(file)
    // Of processes that start at once one gives its secret the name; the others find it there.
    linkSync(made, path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    rmSync(made, { force: true })
  }
  return readSecret(path) ?? ''
}

/** Why the secret that is there is not used, and what to do; undefined when it is sound or is still to be made. */
export function secretProblem(folder: string): string | undefined {
  try {
    readSecret(dataFiles(folder).secret)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Keys for one purpose each, so that none can stand in for another (HKDF, RFC 5869). */
export function deriveSecret(secret: string, purpose: string): string {
  return Buffer.from(hkdfSync('sha256', secret, '', `holdfast/${purpose}`, KEY_BYTES)).toString('base64url')
}

function readSecret(path: string): string | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new StartFailure(`The secret ${path} cannot be read. Give its file to this account (chown), or set HOLDFAST_SECRET.`, { cause: error })
  }
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
    throw new StartFailure(
      `The secret ${path} can be read by other accounts of this machine: whoever read it can sign in as anybody. Remove the file, which ends all sign-ins, or if you are sure that nobody did: chmod 600 ${path}`,
    )
  if (text.length < SECRET_CHARS_MIN)
    throw new StartFailure(`The secret ${path} is damaged: it has fewer than ${SECRET_CHARS_MIN} characters. Remove the file: a new one is made, and people sign in again.`)
  return text
}
