import { createLogger } from '../../server/create-logger.ts'
import { createRunner } from '../../server/create-runner.ts'
import { logEvent, openCore } from '../../server/open-core.ts'
import { realChance } from '../../server/start.ts'
import { configOption, exitCodes, type Call, type Command } from '../command.ts'
import { configOf } from '../open-data.ts'
import { endOnFault, listenForSignals } from '../process-signals.ts'

export const command: Command = {
  summary: 'Works on the jobs of a server until it is told to stop.',
  about:
    'A server works on its jobs itself; this adds a process that does nothing else. Any number may run on one database. SIGTERM and SIGINT give running jobs ten seconds and put back what is not done by then.',
  options: { ...configOption },
  run,
}

async function run(call: Call): Promise<number> {
  const config = await configOf(call)
  const log = createLogger(config.logLevel)
  endOnFault(log)
  const told = listenForSignals()
  await using core = await openCore(config, { chance: realChance, log, show: (text) => call.terminal.tell(text) })
  await using runner = createRunner(core.context, { record: (event) => logEvent(log, event) })
  runner.start()
  log.info({ apps: config.apps.map(({ app }) => app.name), data: config.data }, 'working')
  const signal = await told
  log.info({ signal }, 'stopping: running jobs are finished first')
  return exitCodes.ok
}
