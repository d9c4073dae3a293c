import assert from 'node:assert/strict'
import type { TransportRequest } from '../../src/client/ports.ts'
import { signedInOf } from '../../src/client/testing/open-test-client.ts'
import type { SignedIn } from '../../src/protocol/accounts.ts'
import type { PushRequest, PushResponse } from '../../src/protocol/push.ts'
import { TEST_PASSWORD } from '../../src/testing/open-test-server.ts'
import { checkWorld, type WorldView } from './check-world.ts'
import { EditBook } from './edit-book.ts'
import { LoopingReader } from './looping-reader.ts'
import { Person, TALLY, type Counted } from './person.ts'
import { ACCOUNTS, DEVICES, type Account, type DeviceStep, type OtherStep, type Step } from './plan.ts'
import { createRandom, type Random } from './random.ts'
import { firstApp, secondApp } from './simulated-app.ts'
import { SimulatedDevice } from './simulated-device.ts'
import { SimulatedNetwork } from './simulated-network.ts'
import { SimulatedServer, type RestoreKind, type ServerAnswer } from './simulated-server.ts'
import { settle, Timeline } from './timeline.ts'

const START_MS = 1_700_000_000_000
const NIGHT_MS = 40 * 3_600_000
/** Longest that one thing may take before it counts as hanging, in simulated milliseconds. */
export const PATIENCE_MS = 6 * 3_600_000
const TOKEN_MS = 600_000

/** Devices, a server and people, with one source of chance: the same seed is the same world. */
export class World implements WorldView, AsyncDisposable {
  readonly timeline: Timeline
  readonly server: SimulatedServer
  readonly network: SimulatedNetwork
  readonly devices: readonly SimulatedDevice[]
  readonly book = new EditBook()
  readonly users = new Map<Account, string>()
  readonly counted: Readonly<Record<Account, Counted>> = { p: { kept: 0, lost: 0 }, q: { kept: 0, lost: 0 } }
  /** Who works at each device. */
  readonly seats: Account[] = []
  /** Accounts that have data on a device. */
  readonly accountsOn: readonly Set<Account>[] = Array.from({ length: DEVICES }, () => new Set<Account>())
  /** What was asked and answered, when. */
  readonly heard: string[] = []
  restored = false
  rested = false
  upgraded = false
  readonly #persons: readonly Person[]
  readonly #reader: LoopingReader
  #token = { text: '', at: Number.NEGATIVE_INFINITY }
  #backup: ((kind: RestoreKind) => Promise<void>) | undefined
  /** What went wrong where nobody was waiting. */
  #failure: unknown

  private constructor(timeline: Timeline, server: SimulatedServer, random: Random) {
    this.timeline = timeline
    this.server = server
    this.network = new SimulatedNetwork({ timeline, random, server, arrived: (requests, answers) => this.#checkAnswers(requests, answers) })
    this.devices = Array.from({ length: DEVICES }, (_, index) => new SimulatedDevice({ name: 'abc'[index] ?? '', timeline, network: this.network, random }, firstApp))
    this.#persons = this.devices.map((device) => new Person(device, this.book, this.counted))
    this.#reader = new LoopingReader({ server, user: () => this.users.get('p') ?? '', token: () => this.#readerToken() })
  }

  static async open(seed: number): Promise<World> {
    const timeline = new Timeline(START_MS)
    const server = await SimulatedServer.open(firstApp, () => timeline.now())
    const world = new World(timeline, server, createRandom(seed + 1))
    await world.#begin()
    return world
  }

  /** Lets time pass, does one thing, and looks at everything. */
  async take(step: Step): Promise<void> {
    await this.timeline.pass(step.afterMs)
    if ('who' in step) await this.#actAt(step)
    else await this.#actElsewhere(step)
    await settle()
    this.check()
  }

  check(): void {
    if (this.#failure !== undefined) throw this.#failure
    checkWorld(this)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const device of this.devices) device.crashAt(undefined)
    await this.server[Symbol.asyncDispose]()
  }

  person(index: number): Person {
    const person = this.#persons[index]
    if (person === undefined) throw new RangeError('There is nobody at this device.')
    return person
  }

  /** Makes an account the one that works at a device, unless there is no room to sign out; also signs it in again where its session has ended. */
  async sit(index: number, account: Account): Promise<void> {
    const device = this.devices[index]
    if (device === undefined) return
    if (this.seats[index] !== account) await this.ask(device, device.client.signOut(), 'A sign-out')
    if (!device.alive || (this.seats[index] !== account && !device.signedOut)) return
    this.seats[index] = account
    this.accountsOn[index]?.add(account)
    const signedIn = await this.login(account, device.name)
    await this.ask(device, device.client.adopt(signedInOf({ ...signedIn, userId: signedIn.user.id, email: signedIn.user.email, deviceId: signedIn.device.id })), 'A sign-in')
  }

  /** Signs an account in on a device, past the network; a server that dies over it is started again. */
  async login(account: Account, device: string): Promise<SignedIn> {
    const credentials = { email: `${account}@example.org`, password: TEST_PASSWORD, device: { id: device } }
    try {
      return await this.server.accounts.login(credentials)
    } catch (error) {
      if (!this.server.crashed) throw error
      await this.server.restart()
      return this.server.accounts.login(credentials)
    }
  }

  /** Waits for something that a device was asked for; undefined when it dies over it, or refuses. */
  async ask<Answer>(device: SimulatedDevice, asked: Promise<Answer>, what: string): Promise<Answer | undefined> {
    let done = false
    let answer: Answer | undefined
    void asked.then(
      (value) => {
        answer = value
        done = true
      },
      () => {
        done = true
      },
    )
    await this.timeline.passUntil(() => done || !device.alive, PATIENCE_MS, what)
    return answer
  }

  async #begin(): Promise<void> {
    for (const account of ACCOUNTS) {
      const { user } = await this.server.accounts.register({ email: `${account}@example.org`, password: TEST_PASSWORD })
      this.users.set(account, user.id)
    }
    const [first] = this.devices
    for (const account of [...ACCOUNTS].toReversed()) {
      await this.sit(0, account)
      await first?.client.tallies.put(TALLY, {})
      if (first !== undefined) await this.ask(first, first.client.sync(), 'The first sync')
    }
    for (let index = 1; index < DEVICES; index += 1) await this.sit(index, ACCOUNTS[0])
    await this.timeline.pass(5_000)
  }

  async #actAt(step: DeviceStep): Promise<void> {
    const [device, person, account] = [this.devices[step.who], this.person(step.who), this.seats[step.who]]
    if (device === undefined || account === undefined) return
    // Somebody who finds that the program has died starts it again.
    if (!device.alive && step.kind !== 'go-offline' && step.kind !== 'go-online') this.#restart(device)
    switch (step.kind) {
      case 'edit':
        // Whoever finds that the device died over a sign-out signs in again.
        if (device.signedOut) await this.sit(step.who, account)
        return this.#start(person.edit(account, step.what, step.record, () => this.#type(step, device)))
      case 'sync':
        return this.#start(device.client.sync())
      case 'go-offline':
      case 'go-online':
        return device.setOnline(step.kind === 'go-online')
      case 'restart':
        return this.#restart(device)
      case 'upgrade':
        return this.upgraded ? this.#restart(device, secondApp) : undefined
      case 'reload':
        return this.#start(device.client.reload())
      case 'pause':
      case 'resume':
        return this.#start(device.client[step.kind]())
      case 'fill-disk':
      case 'empty-disk':
        device.disk.full = step.kind === 'fill-disk'
        return
      case 'crash':
        return device.crashAt(step.crash)
      case 'resolve':
        return this.#start(person.resolve(step.choice, () => this.#wait(step.thinksMs ?? 0)))
      case 'retry':
      case 'discard':
        return this.#start(person.mend(step.kind))
      case 'switch':
        return this.sit(step.who, step.account)
      case 'clock':
        device.skewMs = step.skewMs
    }
  }

  async #actElsewhere(step: OtherStep): Promise<void> {
    switch (step.kind) {
      case 'weather':
        this.network.weather = step.weather
        return
      case 'server-crash':
        return this.server.crashAt(step.point)
      case 'server-restart':
        return this.server.restart()
      case 'server-upgrade':
        this.upgraded = true
        return this.server.restart(secondApp)
      case 'backup':
        this.#backup ??= this.server.backup()
        return
      case 'restore':
        if (this.#backup === undefined) return
        await this.#backup(step.how)
        // The sessions since are lost with the rest.
        this.#token = { text: '', at: Number.NEGATIVE_INFINITY }
        this.restored = true
        return
      case 'compact':
        // A server that dies over it goes on later.
        await this.server.compact(this.timeline.now() - 1_000).catch(() => undefined)
        return this.#revive()
      case 'read':
        await this.#reader.read()
        return this.#revive()
      case 'night':
        return this.#night()
    }
  }

  /** Everybody is away for so long that sign-ins and waits run out. */
  async #night(): Promise<void> {
    const online = this.devices.filter((device) => device.online)
    for (const device of online) device.setOnline(false)
    await this.timeline.pass(NIGHT_MS)
    for (const device of online) device.setOnline(true)
  }

  async #revive(): Promise<void> {
    if (this.server.crashed) await this.server.restart()
  }

  #restart(device: SimulatedDevice, app = device.app): void {
    device.restart(app)
    for (const edit of this.book.edits) if (edit.device === device.name && edit.state === 'asked') edit.state = 'lost'
  }

  /** False when the program, or who works with it, is another one by the time that all is typed. */
  async #type({ who, typesMs = 0 }: Extract<DeviceStep, { kind: 'edit' }>, device: SimulatedDevice): Promise<boolean> {
    const before = [device.client, this.seats[who]]
    await this.#wait(typesMs)
    return device.client === before[0] && this.seats[who] === before[1] && device.alive && !device.signedOut
  }

  async #wait(ms: number): Promise<void> {
    if (ms > 0) await new Promise<void>((resolve) => void this.timeline.after(ms, resolve))
  }

  /** Begins something and does not wait: it may never end. A wrong word of an assertion is not lost all the same. */
  #start(done: Promise<unknown>): void {
    void done.catch((error: unknown) => {
      if (error instanceof assert.AssertionError) this.#failure ??= error
    })
  }

  async #readerToken(): Promise<string> {
    if (this.timeline.now() - this.#token.at > TOKEN_MS) {
      const { accessToken } = await this.login('p', 'reader')
      this.#token = { text: accessToken, at: this.timeline.now() }
    }
    return this.#token.text
  }

  /** What the server says is accepted is in its log when it says so, and nothing makes it fail. */
  #checkAnswers(requests: readonly TransportRequest[], answers: readonly (ServerAnswer | undefined)[]): void {
    for (const [index, { method, url, body }] of requests.entries()) {
      const answer = answers[index]
      this.heard.push(`${this.timeline.now()} ${method} ${url.split('?')[0]} ${answer?.status} ${answer?.body.length}`)
      if (answer === undefined) continue
      if (answer.status >= 500) this.#failure ??= new Error(`The server answered ${answer.status} to ${method} ${url}: ${answer.body}`)
      if (answer.status !== 200 || !url.includes('/push')) continue
      const { mutations } = JSON.parse(body ?? '') as PushRequest
      for (const [at, { status, version }] of (JSON.parse(answer.body) as PushResponse).results.entries()) {
        if (status === 'rejected') this.book.refuse(JSON.stringify(mutations[at]))
        if (status !== 'applied' || version === undefined) continue
        const [logged] = this.server.query('SELECT 1 FROM holdfast_changes WHERE version = ?', version)
        if (logged === undefined) this.#failure ??= new Error(`The server acknowledged version ${version}, which its log does not have.`)
      }
    }
  }
}
