import * as clientLimits from '../client-limits.ts'
import type { ClientChance, Clock } from '../ports.ts'
import { backoffMs, RequestFailure } from './failure.ts'
import type { AppServer } from './sync-deps.ts'

export interface EventStreamDeps {
  readonly clock: Clock
  readonly chance: ClientChance
  readonly server: AppServer
  /** False while it makes no sense to ask, such as offline or signed out. */
  mayOpen(): Promise<boolean>
  /** Something may be new. `to` is the version that it leads to, when the server said so. */
  poke(to: number | undefined): void
  /** The stream works, or does not; then the timer must do. */
  live(isLive: boolean): void
  /** Calls when it is time to begin anew, such as after somebody signed in. Returns how to stop. */
  restarted(listener: () => void): () => void
  readonly signal: AbortSignal
}

/** Listens to the server's doorbell for as long as the signal lets it; a stream that breaks is opened again, later each time. */
export async function listenToEvents(deps: EventStreamDeps): Promise<void> {
  let failures = 0
  let lastId: string | undefined
  while (!deps.signal.aborted) {
    const turn = new AbortController()
    const end = (): void => turn.abort()
    const stop = deps.restarted(end)
    deps.signal.addEventListener('abort', end)
    let tried = true
    try {
      tried = await deps.mayOpen()
      let event = ''
      for await (const line of tried ? openLines(deps, lastId, turn.signal) : []) {
        failures = 0
        if (line.startsWith('id:')) lastId = line.slice(3).trim()
        else if (line.startsWith('event:')) event = line.slice(6).trim()
        // What is told of jobs is no news about records.
        else if (line.startsWith('data:') && event !== 'job') deps.poke(versionOf(line.slice(5)))
      }
    } catch (error) {
      // A store that fails is tried again as a server is: it may work later.
      if (error instanceof RequestFailure && error.failure.kind === 'no-access') failures = clientLimits.RETRY_MS.length
    }
    if (tried) {
      deps.live(false)
      failures = turn.signal.aborted ? 0 : failures + 1
    }
    await pause(deps, failures === 0 ? clientLimits.POLL_MS : backoffMs(failures, deps.chance.fraction()), turn.signal)
    stop()
    deps.signal.removeEventListener('abort', end)
  }
}

async function* openLines(deps: EventStreamDeps, lastId: string | undefined, signal: AbortSignal): AsyncGenerator<string> {
  const headers = lastId === undefined ? {} : { headers: { 'last-event-id': lastId } }
  const answer = await deps.server.open({ method: 'GET', path: '/events', accept: 'text/event-stream', silenceMs: clientLimits.EVENT_SILENCE_MS_MAX, signal, ...headers })
  deps.live(true)
  // What was missed while nobody listened.
  deps.poke(undefined)
  yield* answer.lines()
}

function versionOf(data: string): number | undefined {
  try {
    const to = (JSON.parse(data) as { readonly to?: unknown } | null)?.to
    return typeof to === 'number' ? to : undefined
  } catch {
    return undefined
  }
}

/** Waits, or not when the signal has been given. */
function pause({ clock }: EventStreamDeps, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(ms, done)
    signal.addEventListener('abort', done)
  })
}
