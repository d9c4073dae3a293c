import type { CompiledApp } from '../app/compile-app.ts'
import type { Rule, Scope } from '../app/rule.ts'
import type { Outcome } from '../engine/mutation.ts'
import { prepareMutations } from '../engine/prepare-mutations.ts'
import type { Chance } from '../lib/chance.ts'
import type { PullResponse } from '../protocol/pull.ts'
import type { WireMutation } from '../protocol/push.ts'
import { createLocalDoorbell, type Doorbell } from '../realtime/doorbell.ts'
import { openDatabase } from '../server/open-database.ts'
import type { CommitRequest, CommitResult } from '../storage/commit-request.ts'
import { commit, type CommitDeps } from '../storage/commit.ts'
import type { Database } from '../storage/database.ts'
import { migrate } from '../storage/migrate.ts'
import { pull } from '../storage/pull.ts'
import { ensureSpace } from '../storage/space-store.ts'
import { openTestDatabase, type TestDatabase } from './open-test-database.ts'

/** A mutation as a test writes it: what is usual is left out. */
export type TestMutation = Partial<WireMutation> & Pick<WireMutation, 'collection' | 'id'>

export interface PushOptions extends Omit<Partial<CommitRequest>, 'mutations' | 'client'> {
  readonly user?: string
  readonly device?: string
  readonly role?: Scope['role']
  readonly space?: number
  /** Numbers the push's mutations for this client. */
  readonly clientId?: string
  readonly ackedThrough?: number
}

export interface PullOptions {
  readonly rewound?: boolean
  readonly proof?: string
  readonly cursor?: string
  readonly limit?: number
  readonly collections?: readonly string[]
  readonly space?: number
}

/** One space of an app on a real database, written and read as the protocol does, with a clock that the test moves. */
export interface TestSpace extends AsyncDisposable {
  readonly app: CompiledApp
  readonly database: Database
  readonly location: string
  readonly folder: string
  readonly deps: CommitDeps
  readonly doorbell: Doorbell
  readonly chance: Chance
  readonly space: number
  readonly epoch: string
  scope(options?: PushOptions): Scope
  /** Commits mutations as a push would send them. */
  push(mutations: readonly TestMutation[], options?: PushOptions): Promise<CommitResult>
  /** Commits one mutation and answers its outcome. */
  pushOne(mutation: TestMutation, options?: PushOptions): Promise<Outcome>
  pull(options?: PullOptions): Promise<PullResponse>
  /** Makes one more space of the same app. */
  addSpace(name: string): Promise<number>
  advance(ms: number): void
  /** The same space through a connection of its own, as another process would have it. */
  openAgain(): Promise<TestSpace>
}

export interface TestSpaceOptions {
  readonly rules?: Readonly<Record<string, Rule>>
  readonly chance?: Chance
}

export const TEST_START_MS = 1_700_000_000_000

/** Opens a space of the app in a database of its own; `await using` closes and removes it. */
export async function openTestSpace(app: CompiledApp, { rules = {}, chance = countingChance() }: TestSpaceOptions = {}): Promise<TestSpace> {
  const opened = await openTestDatabase()
  const { epoch } = await migrate(opened.database, [app], [], TEST_START_MS)
  const { space } = await opened.database.write((tx) => ensureSpace(tx, { id: 'space-1', app: app.name, kind: 'personal', name: 'ada', ownerId: 'ada', now: TEST_START_MS }))
  return testSpace({ app, rules, chance, epoch, space, opened })
}

interface World {
  readonly app: CompiledApp
  readonly rules: Readonly<Record<string, Rule>>
  readonly chance: TestChance | Chance
  readonly epoch: string
  readonly space: number
  readonly opened: TestDatabase
}

function testSpace({ app, rules, chance, epoch, space, opened }: World): TestSpace {
  const { database, location, folder } = opened
  const doorbell = createLocalDoorbell()
  const deps: CommitDeps = { database, app, rules, epoch, chance, doorbell }
  const scope = ({ user = 'ada', device = 'phone', role = 'owner', space: other }: PushOptions = {}): Scope => ({
    actor: { type: 'user', id: user, name: user },
    device,
    app: app.name,
    space: other ?? space,
    role,
    requestId: 'request-1',
  })
  const push = (mutations: readonly TestMutation[], options: PushOptions = {}) => {
    const { user: _user, device: _device, role: _role, space: _space, clientId, ackedThrough, ...request } = options
    const client = clientId === undefined ? {} : { client: { id: clientId, ...(ackedThrough === undefined ? {} : { ackedThrough }) } }
    const wire = mutations.map((mutation) => ({ op: 'put', ...mutation }))
    return commit(deps, scope(options), { mutations: prepareMutations(app, wire, { numbered: clientId !== undefined }), keepRejected: true, keepConflicts: true, ...client, ...request })
  }
  return {
    app,
    database,
    location,
    folder,
    deps,
    doorbell,
    chance,
    space,
    epoch,
    scope,
    push,
    pushOne: async (mutation, options) => {
      const [outcome] = (await push([mutation], options)).outcomes
      if (outcome === undefined) throw new Error('The push had no outcome.')
      return outcome
    },
    pull: async ({ cursor, proof, rewound, limit = 500, collections, space: other } = {}) => {
      const text = await database.read((reader) => pull(reader, { app, space: other ?? space, epoch, cursor, proof, rewound, limit, collections }))
      return JSON.parse(text.toString()) as PullResponse
    },
    addSpace: async (name) => {
      const made = await database.write((tx) => ensureSpace(tx, { id: `space-${name}`, app: app.name, kind: 'personal', name, ownerId: name, now: chance.now() }))
      return made.space
    },
    advance: (ms) => {
      if (!('advance' in chance)) throw new Error("This clock is not the test's own.")
      chance.advance(ms)
    },
    openAgain: async () => {
      const other = await openDatabase(location)
      return testSpace({ app, rules, chance, epoch, space, opened: { database: other, location, folder, [Symbol.asyncDispose]: () => other.close() } })
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
}

interface TestChance extends Chance {
  advance(ms: number): void
}

/** A clock that stands still until it is moved, and ids that count up. */
export function countingChance(): TestChance {
  let [now, count] = [TEST_START_MS, 0]
  const next = () => String((count += 1))
  return {
    now: () => now,
    id: () => `01890000-0000-7000-8000-${next().padStart(12, '0')}`,
    secret: () => next().padStart(43, 's'),
    advance: (ms) => {
      now += ms
    },
  }
}
