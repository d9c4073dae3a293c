import type { Command } from './command.ts'

export interface ListedCommand {
  readonly summary: string
  /** A command's code is loaded when it is called. */
  load(): Promise<{ readonly command: Command }>
}

/** All commands in the order in which help shows them. */
export const commands: ReadonlyMap<string, ListedCommand> = new Map<string, ListedCommand>([
  ['serve', { summary: 'Run the server', load: () => import('./commands/serve.ts') }],
  ['work', { summary: 'Work on the jobs of a server, in a process of its own', load: () => import('./commands/work.ts') }],
  ['init', { summary: 'Make a new project in a folder', load: () => import('./commands/init.ts') }],
  ['migrate', { summary: 'Bring the database to the state of this program', load: () => import('./commands/migrate.ts') }],
  ['migrate-database', { summary: 'Move a server to another database', load: () => import('./commands/migrate-database.ts') }],
  ['seed', { summary: 'Fill a space with sample data', load: () => import('./commands/seed.ts') }],
  ['user add', { summary: 'Make an account, or give one a role in a space', load: () => import('./commands/user-add.ts') }],
  ['key add', { summary: 'Make an API key', load: () => import('./commands/key-add.ts') }],
  ['audit verify', { summary: 'Check that the log of changes was not tampered with', load: () => import('./commands/audit-verify.ts') }],
  ['backup', { summary: 'Write a backup while the server runs', load: () => import('./commands/backup.ts') }],
  ['restore', { summary: 'Put a backup in place of the data', load: () => import('./commands/restore.ts') }],
  ['doctor', { summary: 'Look for what is wrong and say what to do', load: () => import('./commands/doctor.ts') }],
])
