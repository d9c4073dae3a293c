import { existsSync } from 'node:fs'
import type { HostedApp } from '../http/http-context.ts'
import { nearestName } from '../lib/nearest-name.ts'
import type { Config } from '../server/config.ts'
import { createLogger } from '../server/create-logger.ts'
import { loadConfig } from '../server/load-config.ts'
import { databaseLocation, explainDatabase, openCore, type OpenCore } from '../server/open-core.ts'
import { openDatabase } from '../server/open-database.ts'
import { StartFailure } from '../server/start-failure.ts'
import { realChance } from '../server/start.ts'
import type { Database } from '../storage/database.ts'
import { UsageError, type Call } from './command.ts'

/** Reads the configuration that a command was called with; what is doubtful goes to stderr. */
export async function configOf({ terminal, text }: Call): Promise<Config> {
  const { environment, folder } = terminal
  const { config, warnings } = await loadConfig({ environment, folder, file: text('config') })
  for (const warning of warnings) terminal.tell(`Warning: ${warning}`)
  return config
}

/** Opens the data of a server, which may be running, for a command. The command's own output is all that it prints. */
export async function openData(call: Call, config: Config): Promise<OpenCore> {
  return openCore(config, { chance: realChance, log: createLogger('silent'), show: (text) => call.terminal.tell(text) })
}

/** The app of a name. Throws `UsageError` that lists those there are. */
export function appOf(config: Config, name: string): HostedApp {
  const found = config.apps.find(({ app }) => app.name === name)
  if (found !== undefined) return found
  const names = config.apps.map(({ app }) => app.name)
  const nearest = nearestName(name, names)
  throw new UsageError(`This server runs no app "${name}"${nearest === undefined ? '' : `; did you mean ${nearest}?`} It runs ${names.join(', ')}.`)
}

/** Opens the database as it is, in whatever state: nothing is migrated or made. Throws `StartFailure` when there is none. */
export async function openAsItIs(config: Config): Promise<Database> {
  const location = databaseLocation(config)
  if (config.databaseUrl === undefined && !existsSync(location)) throw new StartFailure(`There is no database ${location} yet.`)
  try {
    return await openDatabase(location)
  } catch (error) {
    throw explainDatabase(config, error)
  }
}
