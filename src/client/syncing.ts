import * as clientLimits from './client-limits.ts'
import { Source, tell } from './live/observable.ts'
import type { LocalData } from './local/local-data.ts'
import { readSync, writeSetting } from './local/settings-rows.ts'
import type { Activity, ClientPorts, Progress, SyncOutcome, TabMessage, Trigger } from './ports.ts'
import type { SyncRow } from './settings.ts'
import type { Codec } from './sync/codec.ts'
import { discardRefused } from './sync/discard-refused.ts'
import { listenToEvents } from './sync/event-stream.ts'
import { RequestFailure } from './sync/failure.ts'
import { loseSpace } from './sync/lose-space.ts'
import { pull } from './sync/pull.ts'
import { push } from './sync/push.ts'
import type { Credentials, Requests } from './sync/requests.ts'
import type { AppServer, SyncDeps } from './sync/sync-deps.ts'
import { reportDevice, type DeviceFacts, type Reported } from './sync/report-device.ts'
import { SyncLoop } from './sync/sync-loop.ts'

export interface SyncingParts {
  readonly data: LocalData
  readonly ports: ClientPorts
  readonly requests: Requests
  readonly credentials: Credentials
  readonly codec: Codec
  readonly hasSessions: boolean
  /** Undefined where the device is none that the server lists. */
  readonly facts: DeviceFacts | undefined
}

const idle: Activity = { progress: null, retryAt: null, live: false }

/** The sync of a client: done here when this tab is the one that syncs, asked for when it is another. */
export class Syncing {
  readonly activity = new Source<Activity>(idle)
  readonly #parts: SyncingParts
  readonly #closing = new AbortController()
  readonly #asks = new Map<string, (outcome: SyncOutcome) => void>()
  readonly #stops: (() => void)[] = []
  readonly #progressListeners = new Set<(progress: Progress) => void>()
  #loop: SyncLoop | undefined
  readonly #restarts = new Set<() => void>()
  #knownVersion = 0
  #reported: Reported | undefined

  constructor(parts: SyncingParts) {
    this.#parts = parts
    const { ports } = parts
    this.#stops.push(
      ports.tabs.listen((message) => this.#hear(message)),
      ports.connectivity.watch(() => {
        this.activity.set({ ...this.activity.get() })
        if (ports.connectivity.online()) this.trigger('connectivity')
      }),
      ports.foreground(() => this.trigger('foreground')),
    )
    ports.tabs.lead(() => this.#lead(), this.#closing.signal)
  }

  trigger(trigger: Trigger): void {
    if (this.#loop !== undefined) this.#pass(trigger, this.#loop)
    else this.#parts.ports.tabs.post({ kind: 'sync', ask: '', trigger })
  }

  /** Syncs and tells how that went, wherever it is done. */
  sync(trigger: Trigger): Promise<SyncOutcome> {
    if (this.#closing.signal.aborted) return Promise.resolve({ kind: 'waiting', reason: 'closed' })
    if (this.#loop !== undefined) return this.#loop.sync()
    const ask = this.#parts.ports.chance.id()
    return new Promise((resolve) => {
      const settle = (outcome: SyncOutcome): void => {
        cancel()
        this.#asks.delete(ask)
        resolve(outcome)
      }
      const cancel = this.#parts.ports.clock.after(clientLimits.TAB_ANSWER_MS_MAX, () => settle({ kind: 'failed', code: 'tab.silent', message: 'The tab that syncs does not answer.' }))
      this.#asks.set(ask, settle)
      this.#parts.ports.tabs.post({ kind: 'sync', ask, trigger })
    })
  }

  onProgress(listener: (progress: Progress) => void): () => void {
    this.#progressListeners.add(listener)
    return () => this.#progressListeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    for (const stop of this.#stops) stop()
    for (const settle of this.#asks.values()) settle({ kind: 'waiting', reason: 'closed' })
    await this.#loop?.close()
  }

  #pass(trigger: Trigger, loop: SyncLoop): void {
    if (trigger === 'sign-in' || trigger === 'connectivity') for (const restart of this.#restarts) restart()
    loop.trigger(trigger)
  }

  /** Resolves when this tab does not sync any more. */
  async #lead(): Promise<void> {
    const { ports, data, hasSessions } = this.#parts
    const { signal } = this.#closing
    if (signal.aborted) return
    const loop = new SyncLoop({
      clock: ports.clock,
      chance: ports.chance,
      connectivity: ports.connectivity,
      round: () => this.#round(),
      settled: (error) => this.#note(error),
      scheduled: (retryAt) => this.#show({ retryAt }),
    })
    this.#loop = loop
    for (const settle of this.#asks.values()) void loop.sync().then(settle)
    loop.trigger('foreground')
    void listenToEvents({
      clock: ports.clock,
      chance: ports.chance,
      server: this.#server(undefined),
      signal,
      restarted: (listener) => {
        this.#restarts.add(listener)
        return () => this.#restarts.delete(listener)
      },
      mayOpen: async () => ports.connectivity.online() && (!hasSessions || (await data.read(async (_reader, _partition, { session }) => session !== undefined && session.ended !== true))),
      poke: (to) => {
        if (to === undefined || to > this.#knownVersion) loop.trigger('poke')
      },
      live: (live) => {
        loop.polling = !live
        this.#show({ live })
      },
    })
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    await loop.close()
  }

  async #round(): Promise<SyncOutcome> {
    const { data, ports, codec, hasSessions } = this.#parts
    const state = await data.read(async (_reader, partition, { session }) => ({ partition, session }))
    if (hasSessions && state.session === undefined) return { kind: 'waiting', reason: 'signed-out' }
    if (state.session?.ended === true) return { kind: 'waiting', reason: 'sign-in' }
    const deps: SyncDeps = {
      store: data.parts.store,
      partition: state.partition,
      codec,
      clock: ports.clock,
      chance: ports.chance,
      server: this.#server(state.partition.owner),
      signal: this.#closing.signal,
      report: (progress) => {
        this.#show({ progress })
        this.#tellProgress(progress)
      },
      parked: (retryAt) => this.#loop?.wakeAt(retryAt),
    }
    try {
      this.#show({ progress: { phase: 'reading', done: 0, total: null } })
      await pull(deps)
      if ((await push(deps)) > 0) await pull(deps)
      await discardRefused(deps)
      this.#knownVersion = (await data.parts.store.read((reader) => readSync(reader, state.partition.id))).version
    } catch (error) {
      this.#show({ progress: null })
      if (data.parts.address.space !== undefined && error instanceof RequestFailure && error.code === 'space.not_found') await loseSpace(deps)
      if (isHeard(error)) await this.#reportDevice(deps, false)
      throw error
    }
    this.#show({ progress: null })
    await this.#reportDevice(deps, true)
    return { kind: 'synced' }
  }

  async #reportDevice(deps: SyncDeps, synced: boolean): Promise<void> {
    const { facts } = this.#parts
    if (facts !== undefined) this.#reported = await reportDevice(deps, { ...facts, synced }, this.#reported)
  }

  /** Success and failure are kept, so that they are shown after a restart as well. */
  async #note(error: { readonly code: string; readonly message: string } | undefined): Promise<void> {
    const { data, ports } = this.#parts
    const now = ports.clock.now()
    await data
      .write(async (writer, partition) => {
        const { lastError: _cleared, lost, ...sync } = await readSync(writer, partition.id)
        const next: SyncRow = error === undefined ? { ...sync, lastSuccessAt: now } : { ...sync, ...(lost === undefined ? {} : { lost }), lastError: { at: now, ...error } }
        await writeSetting(writer, partition.id, next)
      })
      // Where the store itself fails there is no place to note it; the caller is told all the same.
      .catch(() => undefined)
    data.parts.store.announce([])
  }

  /** The app's routes, for whoever is signed in, or for `owner` alone: their edits are sent with nobody else's right. */
  #server(owner: string | null | undefined): AppServer {
    const { requests, credentials, data } = this.#parts
    const { app, space } = data.parts.address
    const mine: Credentials = { headers: () => credentials.headers(owner), renew: (refused) => credentials.renew(refused) }
    const located = (path: string): string => {
      const [route = '', query = ''] = path.split('?')
      const parameters = new URLSearchParams(query)
      if (space !== undefined) parameters.set('space', space)
      const text = parameters.toString()
      return `/api/v1/${app}${route}${text === '' ? '' : `?${text}`}`
    }
    return {
      json: (ask) => requests.json(mine, { ...ask, path: located(ask.path) }),
      open: (ask) => requests.open(mine, { ...ask, path: located(ask.path) }),
    }
  }

  #tellProgress(progress: Progress | null): void {
    if (progress !== null) for (const listener of this.#progressListeners) tell(listener, progress)
  }

  #show(part: Partial<Activity>): void {
    const activity = { ...this.activity.get(), ...part }
    this.activity.set(activity)
    this.#parts.ports.tabs.post({ kind: 'activity', activity })
  }

  #hear(message: TabMessage): void {
    switch (message.kind) {
      case 'changed':
        return
      case 'activity':
        if (this.#loop !== undefined) return
        this.activity.set(message.activity)
        this.#tellProgress(message.activity.progress)
        return
      case 'sync': {
        const { ask, trigger } = message
        if (this.#loop === undefined) return
        if (ask === '') this.#pass(trigger, this.#loop)
        else void this.#loop.sync().then((outcome) => this.#parts.ports.tabs.post({ kind: 'synced', ask, outcome }))
        return
      }
      case 'synced':
        this.#asks.get(message.ask)?.(message.outcome)
    }
  }
}

/** The server answers, although not as it should. */
function isHeard(error: unknown): boolean {
  if (!(error instanceof RequestFailure)) return false
  const { failure } = error
  return failure.kind === 'refused' || failure.kind === 'too-large' || (failure.kind === 'transient' && failure.status !== undefined)
}
