import type { Logger } from 'pino'
import { createLogger } from '../../server/create-logger.ts'
import { loadConfig } from '../../server/load-config.ts'
import { startServer, type RunningServer } from '../../server/start.ts'
import { banner, setupLines } from '../banner.ts'
import { configOption, exitCodes, type Call, type Command } from '../command.ts'
import { giveBackMemory } from '../give-back-memory.ts'
import { endOnFault, listenForSignals } from '../process-signals.ts'

/** How long a stop may take before the process gives up, in milliseconds: a client that never finishes its request is not waited for. */
const STOP_MS_MAX = 30_000

/** The first requests come before the collection, which stops everything for a tenth of a second. */
const GIVE_BACK_AFTER_MS = 2_000

export const command: Command = {
  summary: 'Runs the server until it is told to stop.',
  about: 'The log goes to stdout, one JSON object a line. SIGTERM and SIGINT finish running requests and stop; a second one stops at once.',
  options: { ...configOption },
  run,
}

async function run(call: Call): Promise<number> {
  const { environment, folder, isInteractive, tell, out } = call.terminal
  const { config, warnings } = await loadConfig({ environment, folder, file: call.text('config') })
  const log = createLogger(config.logLevel)
  endOnFault(log)
  const told = listenForSignals()
  const server = await startServer(config, { log, warnings, show: tell })
  if (isInteractive) out(banner(server, config))
  else log.info({ url: server.url, apps: server.apps, data: config.data }, 'listening')
  for (const line of setupLines(server)) tell(line)
  setTimeout(giveBackMemory, GIVE_BACK_AFTER_MS).unref()
  const signal = await told
  log.info({ signal }, 'stopping: running requests are finished first')
  await stop(server, log)
  return exitCodes.ok
}

async function stop(server: RunningServer, log: Logger): Promise<void> {
  const deadline = setTimeout(() => {
    log.error(`not everything ended within ${STOP_MS_MAX / 1_000} seconds: what was not acknowledged is not done`)
    process.exit(exitCodes.failed)
  }, STOP_MS_MAX)
  await server[Symbol.asyncDispose]()
  clearTimeout(deadline)
  log.info('stopped')
}
