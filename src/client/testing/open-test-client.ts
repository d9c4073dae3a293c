import type { App } from '../../app/define-app.ts'
import type { SignedIn } from '../../protocol/accounts.ts'
import { createClientWith, type Client, type ClientOptions } from '../create-client-with.ts'
import type { Tabs, Transport } from '../ports.ts'
import { createMemoryShelf, memoryStore, type MemoryShelf } from '../stores/memory-store.ts'
import { singleTab } from '../tabs/single-tab.ts'
import { TestClock } from './test-clock.ts'
import { TestNetwork } from './test-network.ts'

export interface TestDeviceOptions<AnApp extends App> extends Partial<Omit<ClientOptions<AnApp>, 'url' | 'app'>> {
  readonly url: string
  readonly app: AnApp
  readonly transport: Transport
  /** Tells devices apart in ids; up to 8 characters of 0–9 and a–f. */
  readonly name?: string
  readonly startMs?: number
}

/** A device of a test: a client on a clock and a network that the test moves. Event streams are off unless `listens`. */
export interface TestDevice<AnApp extends App> extends AsyncDisposable {
  client: Client<AnApp>
  readonly clock: TestClock
  readonly network: TestNetwork
  readonly shelf: MemoryShelf
  /** Closes the client and opens another on the same data, as after a crash. */
  restart(changed?: Partial<ClientOptions<AnApp>>): Promise<void>
  /** One more client on the same data, such as another tab with tabs of its own kind. */
  open(tabs?: Tabs): Client<AnApp>
}

const START_MS = 1_700_000_000_000

export function openTestDevice<AnApp extends App>(options: TestDeviceOptions<AnApp>): TestDevice<AnApp> {
  const { name = 'a', startMs = START_MS, transport, ...given } = options
  const clock = new TestClock(startMs)
  const network = new TestNetwork(transport)
  network.fault = refuseEvents
  const shelf = createMemoryShelf()
  let count = 0
  const open = (tabs: Tabs = singleTab(), changed: Partial<ClientOptions<AnApp>> = {}): Client<AnApp> =>
    createClientWith<AnApp>(
      {
        clock,
        chance: { id: () => `${name.padEnd(8, '0')}-0000-7000-8000-${String((count += 1)).padStart(12, '0')}`, fraction: () => 0.5 },
        transport: network.transport,
        connectivity: network,
        foreground: () => () => undefined,
        tabs,
      },
      { store: memoryStore(shelf), ...given, ...changed },
    )
  let client = open()
  return {
    get client() {
      return client
    },
    set client(next) {
      client = next
    },
    clock,
    network,
    shelf,
    restart: async (changed) => {
      await client.close()
      client = open(singleTab(), changed)
    },
    open,
    [Symbol.asyncDispose]: () => client.close(),
  }
}

/** A stream that never ends would keep a test from ending; the server's doorbell has tests of its own. */
export function refuseEvents(request: { readonly url: string }): { readonly kind: 'answer'; readonly status: 404; readonly body: string } | { readonly kind: 'pass' } {
  return request.url.includes('/events') ? { kind: 'answer', status: 404, body: '{"code":"not_found"}' } : { kind: 'pass' }
}

/** A sign-in as a server answers it, from what a test server knows of a person. */
export function signedInOf(user: { readonly userId: string; readonly email: string; readonly deviceId: string; readonly accessToken: string; readonly refreshToken: string }): SignedIn {
  return {
    user: { id: user.userId, email: user.email, displayName: user.email, role: 'user' },
    device: { id: user.deviceId },
    accessToken: user.accessToken,
    refreshToken: user.refreshToken,
    expiresIn: 900,
  }
}
