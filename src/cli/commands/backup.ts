import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { databaseLocation } from '../../server/open-core.ts'
import { StartFailure } from '../../server/start-failure.ts'
import { backupSqlite, checksumFile } from '../../storage/sqlite-backup.ts'
import { configOption, exitCodes, jsonOption, type Call, type Command } from '../command.ts'
import { configOf } from '../open-data.ts'

export const command: Command = {
  summary: 'Writes one consistent state of the database into a file, while the server runs.',
  about:
    'The file is checked and its SHA-256 is written beside it. Keep the file "secret" of the data folder with it: without that, people sign in again. A PostgreSQL database is backed up by its own tools, such as pg_dump.',
  options: { to: { kind: 'text', placeholder: 'file', says: 'The file to write; it must not exist.', required: true }, ...jsonOption, ...configOption },
  run,
}

async function run(call: Call): Promise<number> {
  const { terminal } = call
  const config = await configOf(call)
  if (config.databaseUrl !== undefined) throw new StartFailure('The database is PostgreSQL: back it up with its own tools, such as pg_dump, or copy it with "holdfast migrate-database".')
  const target = resolve(terminal.folder, call.text('to') ?? '')
  const source = databaseLocation(config)
  if (!existsSync(source)) throw new StartFailure(`There is no database ${source} yet.`)
  if (existsSync(target)) throw new StartFailure(`${target} exists. Give another name; nothing was written.`)
  let shown = -1
  const { sha256 } = await backupSqlite(source, target, ({ done, total }) => {
    const percent = Math.floor((done / Math.max(total, 1)) * 100)
    if (percent >= shown + 10) terminal.tell(`Copied ${percent} %`)
    if (percent >= shown + 10) shown = percent
  })
  terminal.out(call.flag('json') ? JSON.stringify({ file: target, sha256 }) : `Wrote ${target} and ${checksumFile(target)}; the copy was read again and is sound.`)
  return exitCodes.ok
}
