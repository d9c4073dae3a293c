import type { Logger } from 'pino'
import { exitCodes } from './command.ts'

/** Resolves with the first signal to stop; the second ends the process at once. */
export function listenForSignals(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let told = false
    const listener = (signal: NodeJS.Signals) => {
      if (told) process.exit(exitCodes.failed)
      told = true
      resolve(signal)
    }
    process.on('SIGTERM', listener)
    process.on('SIGINT', listener)
  })
}

/** A fault that nobody has caught leaves the process in a state that nobody knows: it ends, and whoever supervises it starts another. */
export function endOnFault(log: Logger): void {
  process.on('uncaughtException', (error, origin) => {
    log.fatal({ err: error, origin }, 'a fault of the server itself: the process ends')
    process.exit(exitCodes.failed)
  })
}
