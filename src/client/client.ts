import type { App } from '../app/define-app.ts'
import { createClientWith, type Client, type ClientOptions } from './create-client-with.ts'
import { createUuidV7 } from './create-uuid-v7.ts'
import type { ClientChance, ClientPorts, Clock, Connectivity, StorageState, Transport, WatchForeground } from './ports.ts'
import { browserTabs } from './tabs/browser-tabs.ts'
import { singleTab } from './tabs/single-tab.ts'

/** Opens an app's data on this device: reads and writes at once, syncs when it can. `await using`, or `close()`, ends it. */
export function createClient<AnApp extends App>(options: ClientOptions<AnApp> & Partial<Pick<ClientPorts, 'clock' | 'transport'>>): Client<AnApp> {
  const { store, url, app, space } = options
  const shared = store.sharedAs !== undefined && globalThis.navigator?.locks !== undefined
  return createClientWith(
    {
      clock: options.clock ?? systemClock,
      chance: systemChance,
      transport: options.transport ?? fetchTransport,
      connectivity: browserConnectivity,
      foreground: watchForeground,
      storage: browserStorage,
      elapsed: () => performance.now(),
      tabs: shared ? browserTabs(`${store.sharedAs}:${url}:${app.name}:${space ?? ''}`) : singleTab(),
    },
    options,
  )
}

const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs) as number | { unref?(): void }
    // In Node, where it is an object, a waiting client keeps no process alive; what was written is on disk.
    if (typeof timer === 'object') timer.unref?.()
    return () => clearTimeout(timer as number)
  },
}

const systemChance: ClientChance = { id: createUuidV7({ now: () => Date.now(), randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)) }), fraction: () => Math.random() }

/** The transport over the platform's own `fetch`. */
export const fetchTransport: Transport = async ({ method, url, headers, body, signal }) => {
  const response = await fetch(url, { method, headers, signal, cache: 'no-store', credentials: 'omit', redirect: 'error', ...(body === undefined ? {} : { body }) })
  return { status: response.status, header: (name) => response.headers.get(name), body: piecesOf(response) }
}

async function* piecesOf({ body }: Response): AsyncGenerator<Uint8Array> {
  if (body === null) return
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    // Ends the request when the reader leaves early.
    await reader.cancel().catch(() => undefined)
  }
}

const browserConnectivity: Connectivity = {
  online: () => globalThis.navigator?.onLine !== false,
  watch: (listener) => watchEvents(globalThis.window, ['online', 'offline'], listener),
}

const watchForeground: WatchForeground = (listener) =>
  watchEvents(globalThis.document, ['visibilitychange'], () => {
    if (globalThis.document.visibilityState === 'visible') listener()
  })

async function browserStorage(): Promise<StorageState | null> {
  const { storage } = globalThis.navigator ?? {}
  if (storage === undefined) return null
  const [persistent, { usage = 0, quota = 0 }] = await Promise.all([storage.persisted(), storage.estimate()])
  return { persistent, usedBytes: usage, quotaBytes: quota }
}

/** Does nothing where there is no such target, as in Node. */
function watchEvents(target: EventTarget | undefined, names: readonly string[], listener: () => void): () => void {
  if (target === undefined) return () => undefined
  for (const name of names) target.addEventListener(name, listener)
  return () => {
    for (const name of names) target.removeEventListener(name, listener)
  }
}
