import type { App } from '../app/define-app.ts'
import type { LoginRequest, RegisterRequest, SignedIn } from '../protocol/accounts.ts'
import { createConflicts, createRejected, type ChoiceParts, type Conflicts, type RejectedEdits } from './choices.ts'
import { createCollectionClient, type CollectionClient, type DataOf, type InputOf } from './collection-client.ts'
import { describeApp } from './collection-info.ts'
import { liveQuery } from './live/live-query.ts'
import { Source, type Observable } from './live/observable.ts'
import { DeviceStore } from './local/device-store.ts'
import { editRecords } from './local/edit-records.ts'
import { LocalData } from './local/local-data.ts'
import { readStatus } from './local/read-status.ts'
import { readSync, writeSetting } from './local/settings-rows.ts'
import type { ChangedRecord, ClientPorts, Progress, SyncOutcome } from './ports.ts'
import { signIn, signOut, type SignOutOptions, type Unsent } from './sign-in.ts'
import { startingStatus, type Status } from './status.ts'
import type { OpenStore } from './stores/store.ts'
import { plainCodec, type Codec } from './sync/codec.ts'
import { createCredentials, fixedOwner, sessionOf, signedInBy, type AuthOption } from './sync/credentials.ts'
import { Requests, type Ask } from './sync/requests.ts'
import { retryAside } from './sync/retry-aside.ts'
import { Syncing } from './syncing.ts'
import { gatherEdits, type Gathered, type Transaction } from './transaction.ts'

export interface ClientOptions<AnApp extends App> {
  /** Where the server is, such as `https://example.org`. */
  readonly url: string
  readonly app: AnApp
  readonly store: OpenStore
  /** How the client proves who it acts for; an account that signs in when absent. */
  readonly auth?: AuthOption
  /** Public id of the space to work in; the caller's personal one when absent. */
  readonly space?: string
  /** Version of the app, for the list of devices. */
  readonly version?: string
  /** Keys of encrypted collections; `createKeyring` makes one. */
  readonly keyring?: WatchedCodec
}

/** A codec that tells when it can read more than before, so that what was put aside is tried again. */
export interface WatchedCodec extends Codec {
  /** Returns how to stop. */
  watch(listener: () => void): () => void
}

export type Collections<AnApp extends App> = {
  readonly [Name in keyof AnApp['collections']]: CollectionClient<DataOf<AnApp['collections'][Name]>, InputOf<AnApp['collections'][Name]>>
}

/** Names that a client has itself: a collection of such a name is found in `collections` only. */
export interface ClientCore<AnApp extends App> extends AsyncDisposable {
  readonly collections: Collections<AnApp>
  readonly status: Observable<Status>
  readonly conflicts: Conflicts
  readonly rejected: RejectedEdits
  /** Writes several records at once: all of it is stored or nothing, and the server accepts all of it or nothing. */
  transaction(work: (collections: Transaction<AnApp>) => Promise<void>): Promise<void>
  /** Syncs now, and tells how that went. */
  sync(): Promise<SyncOutcome>
  signIn(credentials: LoginRequest): Promise<void>
  register(account: RegisterRequest): Promise<void>
  /** Takes a sign-in that the app has made itself. */
  adopt(signedIn: SignedIn): Promise<void>
  /** Ends the session. Unsent work is counted and kept for when the same account signs in again, unless it is to be discarded. */
  signOut(options?: SignOutOptions): Promise<Unsent>
  /** Turns the backup off: edits wait, reading goes on. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Reads everything from the server again. Unsent edits stay. */
  reload(): Promise<SyncOutcome>
  /** Calls while a long sync goes on. Returns how to stop. */
  onProgress(listener: (progress: Progress) => void): () => void
  /** A request to the server with the caller's right, for the routes of the app. Answers JSON. */
  request(ask: Ask): Promise<unknown>
  close(): Promise<void>
}

export type Client<AnApp extends App> = ClientCore<AnApp> & Omit<Collections<AnApp>, keyof ClientCore<AnApp>>

/** A client on given ports: the same code under the real clock, a test's, or a simulation's. */
export function createClientWith<AnApp extends App>(ports: ClientPorts, options: ClientOptions<AnApp>): Client<AnApp> {
  const { app, auth = { kind: 'session' } } = options
  const address = { url: options.url.replace(/\/+$/, ''), app: app.name, space: options.space }
  const store = new DeviceStore(options.store, ports.tabs)
  const pace = { elapsed: ports.elapsed ?? (() => 0), after: (delayMs: number, run: () => void) => ports.clock.after(delayMs, run) }
  const data = new LocalData({ store, address, collections: describeApp(app), clock: ports.clock, chance: ports.chance, pace, owner: fixedOwner(auth) })
  const requests = new Requests({ url: address.url, clock: ports.clock, transport: ports.transport, connectivity: ports.connectivity })
  const credentials = createCredentials(auth, { store, address, requests, clock: ports.clock, tabs: ports.tabs })
  const hasSessions = auth.kind === 'session'
  const codec: Codec = options.keyring ?? plainCodec
  // A key acts on the records of its space; the devices of an account are none of its business.
  const facts = auth.kind === 'key' ? undefined : { appVersion: options.version ?? '', storage: async () => (await ports.storage?.().catch(() => null)) ?? null }
  const syncing = new Syncing({ data, ports, requests, credentials, codec, hasSessions, facts })
  const status = new Source<Status>({ ...startingStatus, online: ports.connectivity.online() })
  const stops = [showStatus(status, data, syncing, ports, hasSessions), options.keyring?.watch(() => void retryAside(data, codec).then(() => syncing.trigger('resume'))) ?? (() => undefined)]

  const tell = (records: readonly ChangedRecord[] | undefined): boolean => {
    if (records === undefined) return false
    store.announce(records)
    syncing.trigger('save')
    return true
  }
  /** False when the edits go back to what somebody has changed meanwhile: nothing is written. */
  const edit = async ({ edits, isStale }: Gathered, group?: string): Promise<boolean> => {
    const records = await data.write(
      async (writer, partition) =>
        (await isStale?.(writer, partition)) === true ? undefined : editRecords(writer, partition, edits, { at: ports.clock.now(), ...(group === undefined ? {} : { group }) }),
      { kind: 'edit' },
    )
    return records?.length === 0 || tell(records)
  }
  const enter = async (signedIn: SignedIn): Promise<void> => {
    await signIn(data, sessionOf(signedIn, ports.clock.now()))
    syncing.trigger('sign-in')
  }
  const setPaused = async (paused: boolean): Promise<void> => {
    await data.write(async (writer, partition) => {
      const { paused: _before, ...sync } = await readSync(writer, partition.id)
      await writeSetting(writer, partition.id, paused ? { ...sync, paused } : sync)
    })
    store.announce([])
  }
  const choices: ChoiceParts = { data, change: async (work) => tell(await data.write(work)) }
  const collections = Object.fromEntries(
    [...data.parts.collections.values()].map((collection) => [collection.name, createCollectionClient({ data, collection, chance: ports.chance, edit: (one) => edit({ edits: [one] }) })]),
  ) as unknown as Collections<AnApp>

  const close = async (): Promise<void> => {
    for (const stop of stops) stop()
    await syncing.close()
    await store.close()
  }
  const core: ClientCore<AnApp> = {
    collections,
    status,
    conflicts: createConflicts(choices),
    rejected: createRejected(choices),
    transaction: async (work) => {
      let gathered: Gathered
      do gathered = await gatherEdits(data, ports.chance, (writers) => work(writers as unknown as Transaction<AnApp>))
      while (gathered.edits.length > 0 && !(await edit(gathered, gathered.edits.length > 1 ? ports.chance.id() : undefined)))
    },
    sync: () => syncing.sync('now'),
    signIn: async (account) => enter(signedInBy(await requests.json(undefined, { method: 'POST', path: '/api/v1/auth/login', body: account }))),
    register: async (account) => enter(signedInBy(await requests.json(undefined, { method: 'POST', path: '/api/v1/auth/register', body: account }))),
    adopt: enter,
    signOut: async (how) => signOut({ data, requests, credentials }, how),
    pause: () => setPaused(true),
    resume: async () => {
      await setPaused(false)
      syncing.trigger('resume')
    },
    reload: async () => {
      await data.write(async (writer, partition) => writeSetting(writer, partition.id, { ...(await readSync(writer, partition.id)), reloadWanted: true }))
      return syncing.sync('now')
    },
    onProgress: (listener) => syncing.onProgress(listener),
    request: (ask) => requests.json(credentials, ask),
    close,
    [Symbol.asyncDispose]: close,
  }
  return { ...(collections as unknown as Omit<Collections<AnApp>, keyof ClientCore<AnApp>>), ...core }
}

/** Keeps the status as the store, the network and the sync have it. */
function showStatus(status: Source<Status>, data: LocalData, syncing: Syncing, ports: ClientPorts, hasSessions: boolean): () => void {
  return liveQuery(
    {
      pace: data.parts.pace,
      read: () => readStatus(data, { online: ports.connectivity.online(), activity: syncing.activity.get(), hasSessions }),
      touches: () => true,
      same: (before, after) => JSON.stringify(before) === JSON.stringify(after),
      listen: (hear) => {
        const stops = [data.parts.store.listen(hear), syncing.activity.watch(() => hear({ records: [] }))]
        return () => {
          for (const stop of stops) stop()
        }
      },
    },
    (value) => status.set(value),
  )
}
