import type { Actor } from '../app/rule.ts'

/** Who acts when a command is run on the server's own machine. */
export const systemActor: Actor = { type: 'system', id: 'cli', name: 'command line' }
