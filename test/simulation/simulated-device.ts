import { createClientWith, type Client } from '../../src/client/create-client-with.ts'
import { singleTab } from '../../src/client/tabs/single-tab.ts'
import type { Random } from './random.ts'
import type { firstApp, secondApp } from './simulated-app.ts'
import { SimulatedDisk, type DiskCrash } from './simulated-disk.ts'
import type { SimulatedNetwork } from './simulated-network.ts'
import type { Timeline } from './timeline.ts'

export const SERVER_URL = 'https://holdfast.example'

export interface DeviceParts {
  readonly name: string
  readonly timeline: Timeline
  readonly network: SimulatedNetwork
  readonly random: Random
}

/** A device with a disk of its own, a clock that is wrong, and the real client on it, which may die at any write and begins again. */
export class SimulatedDevice {
  readonly name: string
  readonly disk = new SimulatedDisk()
  readonly #parts: DeviceParts
  /** How far its clock is from the true time, in milliseconds. */
  skewMs = 0
  app: typeof firstApp | typeof secondApp
  client: Client<typeof firstApp>
  #online = true
  readonly #watchers = new Set<() => void>()
  #alive = { yes: true }
  #crash: DiskCrash | undefined
  #ids = 0

  constructor(parts: DeviceParts, app: typeof firstApp | typeof secondApp) {
    this.name = parts.name
    this.#parts = parts
    this.app = app
    this.client = this.#open()
  }

  get online(): boolean {
    return this.#online
  }

  /** False when the program has died and was not started again. */
  get alive(): boolean {
    return this.#alive.yes
  }

  /** Nobody is signed in on it. */
  get signedOut(): boolean {
    return this.disk.rows('settings').every(([, row]) => row.kind !== 'place' || row.session === undefined)
  }

  setOnline(online: boolean): void {
    if (online === this.#online) return
    this.#online = online
    for (const watcher of this.#watchers) watcher()
  }

  /** Dies when the client next gets there. */
  crashAt(crash: DiskCrash | undefined): void {
    this.#crash = crash
  }

  /** Ends the program, however it is, and starts it again on the same disk. */
  restart(app: typeof firstApp | typeof secondApp = this.app): void {
    this.#alive.yes = false
    this.#crash = undefined
    this.#watchers.clear()
    this.app = app
    this.client = this.#open()
  }

  #open(): Client<typeof firstApp> {
    const { timeline, network, random } = this.#parts
    const alive = { yes: true }
    this.#alive = alive
    const program = {
      alive: () => alive.yes,
      crash: () => this.#takeCrash(),
      die: (power: boolean) => {
        alive.yes = false
        if (power) this.disk.losePower()
      },
    }
    return createClientWith<typeof firstApp>(
      {
        clock: {
          now: () => timeline.now() + this.skewMs,
          after: (delayMs, run) =>
            timeline.after(delayMs, () => {
              if (alive.yes) run()
            }),
        },
        chance: { id: () => `${this.name.padEnd(8, '0')}-0000-7000-8000-${String((this.#ids += 1)).padStart(12, '0')}`, fraction: () => random.fraction() },
        transport: (request) => (alive.yes ? network.carry(request, () => alive.yes && this.#online) : new Promise(() => undefined)),
        connectivity: {
          online: () => this.#online,
          watch: (listener) => {
            this.#watchers.add(listener)
            return () => this.#watchers.delete(listener)
          },
        },
        foreground: () => () => undefined,
        tabs: singleTab(),
      },
      { url: SERVER_URL, app: this.app as typeof firstApp, store: this.disk.openFor(program) },
    )
  }

  #takeCrash(): DiskCrash | undefined {
    const crash = this.#crash
    if (crash === undefined) return undefined
    this.#crash = crash.left <= 0 ? undefined : { ...crash, left: crash.left - 1 }
    return crash.left <= 0 ? crash : undefined
  }
}
