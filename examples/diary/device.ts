import { join } from 'node:path'
import { createClient, fetchTransport, type Client, type Transport } from 'holdfast/client'
import { nodeSqliteStore } from 'holdfast/client/sqlite'
import { journal } from '../../apps/journal/app.ts'

/** One device of the demo: the client over an SQLite file of its own. */
export interface Device extends AsyncDisposable {
  readonly name: string
  readonly client: Client<typeof journal>
  /** Requests that nobody answered, so that the client had to make them again. */
  readonly unanswered: () => number
  /** Runs before each push leaves the device. */
  beforePush: () => void
}

export interface DeviceOptions {
  readonly url: string
  readonly name: string
  readonly folder: string
}

export function openDevice({ url, name, folder }: DeviceOptions): Device {
  let unanswered = 0
  const transport: Transport = async (request) => {
    if (request.url.includes('/push')) device.beforePush()
    return fetchTransport(request).catch((error: unknown) => {
      unanswered += 1
      throw error
    })
  }
  const client = createClient({ url, app: journal, store: nodeSqliteStore(join(folder, `${name}.db`)), transport })
  const device: Device = { name, client, unanswered: () => unanswered, beforePush: () => undefined, [Symbol.asyncDispose]: () => client.close() }
  return device
}

/** Resolves when the device has sent everything it holds and has read the server since. */
export async function settled({ client }: Device): Promise<void> {
  for await (const { pending, progress, lastSuccessAt, lastError } of client.status) if (pending === 0 && progress === null && lastSuccessAt !== null && lastError === null) return
}
