/** The server cannot start, or a command cannot do its work, for a reason that its operator can mend. The message says how. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure'
}
