import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { prepareDataFolder } from '../../server/data-folder.ts'
import { lockFolder } from '../../server/lock-folder.ts'
import { isPostgresUrl, openDatabase } from '../../server/open-database.ts'
import { realChance } from '../../server/start.ts'
import { StartFailure } from '../../server/start-failure.ts'
import { StorageUnavailable } from '../../storage/database.ts'
import { moveDatabase, type MoveProgress } from '../../storage/move-database.ts'
import { configOption, exitCodes, jsonOption, UsageError, type Call, type Command } from '../command.ts'
import { configOf } from '../open-data.ts'

export const command: Command = {
  summary: 'Moves a whole server from one database to another, such as from SQLite to PostgreSQL.',
  about:
    'Stop the server first. The old database is only read, the new one must be empty, and both are compared at the end. Run the same command again to continue after a break. Devices go on where they were; then set HOLDFAST_DATABASE_URL and start.',
  options: {
    from: { kind: 'text', placeholder: 'database', says: 'postgres://user:password@host/name, or the path of a SQLite file.', required: true },
    to: { kind: 'text', placeholder: 'database', says: 'The same for the new one.', required: true },
    ...jsonOption,
    ...configOption,
  },
  run,
}

async function run(call: Call): Promise<number> {
  const { terminal } = call
  const [from, to] = [locationOf(call, 'from'), locationOf(call, 'to')]
  if (from === to) throw new UsageError('--from and --to name the same database.')
  if (!isPostgresUrl(from) && !existsSync(from)) throw new StartFailure(`There is no database ${from}. Give the path of the file, such as holdfast-data/holdfast.db.`)
  const config = await configOf(call)
  await using opened = new AsyncDisposableStack()
  if (!isPostgresUrl(to)) prepareDataFolder(dirname(to))
  // A running server would go on writing to a file that was left behind.
  for (const folder of new Set([from, to].filter((location) => !isPostgresUrl(location)).map((file) => dirname(file)))) opened.use(lockFolder(folder))
  const [source, target] = [await openDatabase(from), await openDatabase(to)]
  opened.defer(() => target.close())
  opened.defer(() => source.close())
  const moving = moveDatabase({
    from: source,
    to: target,
    apps: config.apps.map(({ app }) => app),
    migrations: config.apps.flatMap(({ migrations = [] }) => migrations),
    now: realChance.now(),
    onProgress: (progress) => terminal.tell(progressText(progress)),
  })
  const { tables, rows, spaces } = await moving.catch((error: unknown) => {
    throw error instanceof StorageUnavailable && error.cause instanceof Error
      ? new StartFailure(`A database cannot be used: ${error.cause.message}`, { cause: error })
      : new StartFailure(messageOf(error), { cause: error })
  })
  if (call.flag('json')) terminal.out(JSON.stringify({ tables, rows, spaces }))
  else
    terminal.out(
      `Moved ${rows} rows of ${tables} tables; the logs of ${spaces} spaces are intact. ${isPostgresUrl(to) ? 'Set HOLDFAST_DATABASE_URL to the new database and start the server.' : 'Put the file into the data folder as holdfast.db, unset HOLDFAST_DATABASE_URL and start the server.'}`,
    )
  return exitCodes.ok
}

function locationOf({ text, terminal }: Call, name: 'from' | 'to'): string {
  const given = text(name) ?? ''
  return isPostgresUrl(given) ? given : resolve(terminal.folder, given)
}

const steps = { copy: 'Copying', compare: 'Comparing', chains: 'Checking the log of' } as const satisfies Record<MoveProgress['step'], string>

function progressText({ step, what, done, total }: MoveProgress): string {
  return `${steps[step]} ${what} (${done} of ${total})`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
