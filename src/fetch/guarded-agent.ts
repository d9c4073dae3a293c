import { isIP } from 'node:net'
import { Agent, buildConnector } from 'undici'
import { isAllowed, type Place } from './check-url.ts'
import { fetchLimits } from './fetch-limits.ts'
import { FetchRefusal } from './fetch-refusal.ts'
import { isPublicAddress } from './public-address.ts'

export interface GuardedAgentOptions {
  readonly allow: ReadonlySet<string>
  /** All addresses of a name. */
  resolve(host: string): Promise<readonly string[]>
  readonly timeoutMs: number
}

/**
 * An agent whose every connection goes to an address that was checked: the name is resolved once, every address must be public, and the socket is
 * opened to that very address, so that a name which changes its answer in between gains nothing. Connections are not kept.
 */
export function createGuardedAgent(options: GuardedAgentOptions): Agent {
  const { timeoutMs } = options
  const open = buildConnector({ timeout: timeoutMs, allowH2: false, maxCachedSessions: 0 })
  return new Agent({
    pipelining: 0,
    maxHeaderSize: fetchLimits.HEADER_BYTES_MAX,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: (target, callback) => {
      const host = target.hostname.replaceAll(/^\[|\]$/g, '')
      const place: Place = { host, port: target.port === '' ? (target.protocol === 'https:' ? '443' : '80') : target.port }
      checkedAddresses(options, place).then(
        (addresses) => openFirst(open, target, { name: host, addresses }, callback),
        (error: unknown) => callback(error as Error, null),
      )
    },
  })
}

/** The addresses of a place. Throws `blocked` when a single one of them is not public: such a name is a trap. */
async function checkedAddresses({ allow, resolve }: GuardedAgentOptions, place: Place): Promise<readonly string[]> {
  const { host } = place
  const addresses = isIP(host) === 0 ? await resolve(host) : [host]
  if (addresses.length === 0) throw new FetchRefusal('error', `${host} has no address.`)
  if (!isAllowed(allow, place) && !addresses.every(isPublicAddress)) throw new FetchRefusal('blocked', `${host} is not an address of the public internet.`)
  return addresses.slice(0, fetchLimits.ADDRESSES_MAX)
}

type Connector = ReturnType<typeof buildConnector>
type Target = Parameters<Connector>[0]
type Callback = Parameters<Connector>[1]

/** Opens a socket to the first address that takes one. The certificate is checked for the name. */
function openFirst(open: Connector, target: Target, { name, addresses }: { readonly name: string; readonly addresses: readonly string[] }, callback: Callback): void {
  const [address, ...others] = addresses
  if (address === undefined) return callback(new FetchRefusal('error', `${name} cannot be reached.`), null)
  const servername = isIP(name) === 0 ? name : ''
  open({ ...target, hostname: address, host: address, servername }, (...[error, socket]) => {
    if (error === null) callback(null, socket)
    else if (others.length === 0) callback(error, null)
    else openFirst(open, target, { name, addresses: others }, callback)
  })
}
