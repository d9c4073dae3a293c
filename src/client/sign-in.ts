import type { Tokens } from '../protocol/accounts.ts'
import { emptyTable } from './local/empty-table.ts'
import { keysOf } from './local/keys.ts'
import type { LocalData } from './local/local-data.ts'
import { signInAt, useOwner, writePlace } from './local/place.ts'
import type { Session } from './session.ts'
import { tableNames } from './stores/store.ts'
import type { Credentials, Requests } from './sync/requests.ts'

export interface SignOutOptions {
  /** Removes what this device has of the account, unsent work with it. */
  readonly discard?: boolean
}

/** What the server does not have yet. `oldestAt` is epoch milliseconds of this device's clock. */
export interface Unsent {
  readonly count: number
  readonly oldestAt: number | null
}

/** From now on the account's data is worked with here. */
export async function signIn(data: LocalData, session: Session): Promise<void> {
  const { store, address, collections, chance, clock } = data.parts
  await data.open()
  await store.write((writer) => signInAt(writer, { address, collections, chance, now: clock.now() }, session))
  store.announce('all')
}

export interface SignOutParts {
  readonly data: LocalData
  readonly requests: Requests
  readonly credentials: Credentials
}

/** From now on nothing of the account is shown or sent here. The server is told as well, where it can be reached. */
export async function signOut({ data, requests, credentials }: SignOutParts, { discard = false }: SignOutOptions = {}): Promise<Unsent> {
  const { store, address, chance, owner } = data.parts
  const { unsent, session } = await data.write(async (writer, partition, place) => {
    const keys = keysOf(partition.id)
    const [oldest] = await writer.range('outbox', { ...keys, limit: 1 })
    const count = await writer.count('outbox', keys)
    const { session: ended, ...kept } = place
    await writePlace(writer, address, kept)
    const next = await useOwner(writer, address, null, chance)
    if (discard && partition.id !== next.active) {
      for (const table of tableNames) await emptyTable(writer, table, partition.id)
      await writePlace(writer, address, { ...next, partitions: next.partitions.filter(({ id }) => id !== partition.id) })
    }
    return { unsent: { count, oldestAt: oldest?.value.at ?? null }, session: ended }
  })
  store.announce('all')
  const proof = owner !== undefined ? credentials : session === undefined || session.ended === true ? undefined : lastProof(session, requests)
  // The session ends on the server by itself when this does not arrive.
  if (proof !== undefined) void requests.json(proof, { method: 'POST', path: '/api/v1/auth/logout' }).catch(() => undefined)
  return unsent
}

/** What proves to the server whose session is to end, when this device keeps the session no more. */
function lastProof({ accessToken, refreshToken }: Session, requests: Requests): Credentials {
  let token: string | undefined = accessToken
  return {
    headers: async () => ({ authorization: `Bearer ${token ?? ''}` }),
    renew: async () => {
      const answer = (await requests.json(undefined, { method: 'POST', path: '/api/v1/auth/refresh', body: { refreshToken } })) as Partial<Tokens> | undefined
      token = answer?.accessToken
      return token !== undefined
    },
  }
}
