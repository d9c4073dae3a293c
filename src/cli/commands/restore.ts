import { existsSync, readFileSync } from 'node:fs'
import { chmod, copyFile, link, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { systemActor } from '../../auth/system-actor.ts'
import type { Config } from '../../server/config.ts'
import { migrateApps } from '../../server/create-core.ts'
import { dataFiles, explainFolder, prepareDataFolder } from '../../server/data-folder.ts'
import { lockFolder } from '../../server/lock-folder.ts'
import { explainDatabase } from '../../server/open-core.ts'
import { openDatabase } from '../../server/open-database.ts'
import { realChance } from '../../server/start.ts'
import { StartFailure } from '../../server/start-failure.ts'
import { markRestored } from '../../storage/mark-restored.ts'
import { checkSqlite, checksumFile, digestOf, flushFile, leaveWal } from '../../storage/sqlite-backup.ts'
import { configOption, exitCodes, jsonOption, type Call, type Command } from '../command.ts'
import { configOf } from '../open-data.ts'

export const command: Command = {
  summary: 'Puts a backup in the place of the database. The server must be stopped.',
  about: 'The present database is moved aside, not deleted. Devices notice by the new epoch: they read again and offer what they hold and the backup lacks.',
  options: { from: { kind: 'text', placeholder: 'file', says: 'A file that "holdfast backup" wrote.', required: true }, ...jsonOption, ...configOption },
  run,
}

async function run(call: Call): Promise<number> {
  const { terminal } = call
  const config = await configOf(call)
  if (config.databaseUrl !== undefined) throw new StartFailure('The database is PostgreSQL: restore it with its own tools.')
  const backup = resolve(terminal.folder, call.text('from') ?? '')
  await requireSound(backup)
  prepareDataFolder(config.data)
  using lock = lockFolder(config.data)
  lock.note('holdfast restore')
  const { database: place } = dataFiles(config.data)
  const now = realChance.now()
  // All that can fail is done on a copy; the database that is there is touched last.
  const restoring = `${place}.restoring`
  try {
    await copyFile(backup, restoring)
    await chmod(restoring, 0o600)
    const spaces = await mark(restoring, config, Math.max(now, newestVersion(place) + 1))
    leaveWal(restoring)
    await flushFile(restoring)
    const aside = await moveAside(place, now)
    await rename(restoring, place)
    tellRestored(call, { restored: backup, spaces, aside: aside ?? null })
  } catch (error) {
    throw explainDatabase(config, explainFolder(config.data, error))
  } finally {
    for (const ending of ['', '-wal', '-shm', '-journal']) await rm(`${restoring}${ending}`, { force: true })
  }
  return exitCodes.ok
}

function tellRestored({ terminal, flag }: Call, done: { readonly restored: string; readonly spaces: number; readonly aside: string | null }): void {
  const { restored, spaces, aside } = done
  if (flag('json')) terminal.out(JSON.stringify(done))
  else terminal.out(`Restored ${restored} with ${spaces} spaces.${aside === null ? '' : ` What was there before is ${aside}.`} Start the server: devices read again and offer what the backup lacks.`)
}

async function mark(place: string, { apps }: Config, now: number): Promise<number> {
  const database = await openDatabase(place)
  try {
    await migrateApps(database, apps, now)
    return await markRestored(database, { now, actor: systemActor })
  } finally {
    await database.close()
  }
}

/** The newest version that the database has given out, which a clock that was put back since does not cover; 0 when it cannot be read. */
function newestVersion(place: string): number {
  if (!existsSync(place)) return 0
  try {
    const database = new DatabaseSync(place, { readOnly: true })
    try {
      return Number(database.prepare('SELECT max(version) AS newest FROM holdfast_spaces').get()?.['newest'] ?? 0)
    } finally {
      database.close()
    }
  } catch {
    return 0
  }
}

async function requireSound(backup: string): Promise<void> {
  if (!existsSync(backup)) throw new StartFailure(`There is no file ${backup}.`)
  const checksum = checksumFile(backup)
  if (existsSync(checksum) && readFileSync(checksum, 'utf8').trim() !== (await digestOf(backup)))
    throw new StartFailure(`${backup} is not what ${checksum} says. Take another backup; nothing was changed.`)
  const problem = checkSqlite(backup)
  if (problem !== undefined) throw new StartFailure(`${backup} is not a sound database: ${problem}. Take another backup; nothing was changed.`)
}

/** Keeps the database that is there under another name; undefined when there is none. Until the new one takes its place the old one keeps its own name too. */
async function moveAside(place: string, now: number): Promise<string | undefined> {
  if (!existsSync(place)) return undefined
  const aside = `${place}.before-${new Date(now).toISOString().replaceAll(/[:.]/g, '-')}`
  try {
    leaveWal(place)
    await link(place, aside)
  } catch {
    // It is damaged, which may be why there is a restore, or the file system knows no second names: it moves with all that lies beside it.
    for (const ending of ['', '-wal', '-shm']) if (existsSync(`${place}${ending}`)) await rename(`${place}${ending}`, `${aside}${ending}`)
  }
  return aside
}
