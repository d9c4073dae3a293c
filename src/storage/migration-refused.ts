/** The database cannot be brought to the program's state by itself. The message says what to do; nothing was changed. */
export class MigrationRefused extends Error {
  override readonly name = 'MigrationRefused'
}
