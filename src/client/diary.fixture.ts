import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { hostApp } from '../http/host-app.ts'
import { openTestServer, type TestServer } from '../testing/open-test-server.ts'
import { fetchTransport } from './client.ts'
import { diary } from './diary-app.fixture.ts'
import type { TransportRequest } from './ports.ts'
import type { Status } from './status.ts'
import { openTestDevice, refuseEvents, signedInOf, type TestDevice, type TestDeviceOptions } from './testing/open-test-client.ts'
import type { Fault } from './testing/test-network.ts'

export type DiaryDevice = TestDevice<typeof diary>

export function openDiaryServer(): Promise<TestServer> {
  return openTestServer({ apps: [hostApp({ app: diary })] })
}

/** A device with somebody signed in on it. */
export async function openDiaryDevice(server: TestServer, name: string, options: Partial<TestDeviceOptions<typeof diary>> & { readonly email?: string } = {}): Promise<DiaryDevice> {
  const { email = 'ada@example.org', ...given } = options
  const device = openTestDevice({ url: server.url, app: diary, transport: fetchTransport, name, ...given })
  const person = await server.register(email, name).catch(() => server.signIn(email, name))
  await device.client.adopt(signedInOf(person))
  return device
}

export async function titlesOn(device: DiaryDevice): Promise<string[]> {
  return (await device.client.notes.list({ sort: 'title' })).map(({ data }) => data.title)
}

/** Resolves when everything that is ready to run has run: promises, and answers of a server in this process. */
export async function settled(until: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 20_000; turn += 1) {
    if (await until()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('It does not come to that.')
}

/** Breaks pushes; everything else passes. */
export function failPushes(device: DiaryDevice, fault: (request: TransportRequest) => Fault): void {
  device.network.fault = (request) => (request.url.includes('/push') ? fault(request) : refuseEvents(request))
}

export function statusOf(device: DiaryDevice): Status {
  return device.client.status.get()
}

export function statusIs(device: DiaryDevice, is: (status: Status) => boolean): Promise<void> {
  return settled(() => is(statusOf(device)))
}

/** `file`: somebody copied an older file back. `restore`: it was restored as the server's own command does, with an epoch of its own. */
type Restore = 'file' | 'restore'

/** What the database of a server was, to be put back later. */
export async function backup(server: TestServer, how: Restore): Promise<() => Promise<void>> {
  const path = join(server.folder, 'holdfast.db')
  const kept = join(server.folder, 'kept.db')
  await server.restart()
  await copyFile(path, kept)
  return async () => {
    server.advance(60_000)
    await server.database.close()
    await copyFile(kept, path)
    if (how === 'restore') renameEpoch(path)
    await server.restart().catch(async () => server.restart())
  }
}

function renameEpoch(path: string): void {
  const database = new DatabaseSync(path)
  database.exec("UPDATE holdfast_meta SET value = 'restored' WHERE key = 'epoch'")
  database.close()
}
