/** Why a running job was told to stop. `gone`: it is no longer this worker's; `closing`: the process is about to end. */
export class StopReason extends Error {
  override readonly name = 'StopReason'
  readonly why: 'timeout' | 'gone' | 'closing'

  constructor(why: StopReason['why']) {
    super(`The job was stopped: ${why}.`)
    this.why = why
  }
}
