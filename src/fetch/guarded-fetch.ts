import { lookup } from 'node:dns/promises'
import type { Dispatcher } from 'undici'
import { checkPort, placeOf, readUrl } from './check-url.ts'
import { fetchLimits } from './fetch-limits.ts'
import { FetchRefusal, type RefusalCode } from './fetch-refusal.ts'
import type { GuardedAgentOptions } from './guarded-agent.ts'
import { readBody } from './read-body.ts'

export interface GuardedFetchOptions {
  /** `host` or `host:port`, exempt from the checks of address and port. */
  readonly allow?: readonly string[]
  /** From the first look-up to the last byte, redirects included. */
  readonly timeoutMs?: number
  readonly bytesMax?: number
  readonly userAgent?: string
  /** All addresses of a name; the system's resolver when absent. */
  readonly resolve?: (host: string) => Promise<readonly string[]>
}

export interface FetchRequest {
  /** Media types that are wanted, without parameters, such as `text/html`. */
  readonly types: readonly string[]
  readonly signal?: AbortSignal
}

export type Fetched =
  | {
      readonly kind: 'fetched'
      /** Where it was in the end. */
      readonly url: string
      readonly type: string
      /** As the answer says; undefined when it does not. */
      readonly charset: string | undefined
      readonly body: Buffer
    }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly message: string; readonly status: number | undefined }

/** The one client for every address that somebody gave. */
export interface GuardedFetch extends AsyncDisposable {
  /** GETs an address. Never rejects: what goes wrong is `refused` with the reason. */
  get(url: string, request: FetchRequest): Promise<Fetched>
}

/**
 * Makes the guarded client: http and https on ports 80 and 443, only to addresses of the public internet, checked again at each of at most
 * 5 redirects; no cookies, no user info, no proxy; bounded in time and size.
 */
export function createGuardedFetch(options: GuardedFetchOptions = {}): GuardedFetch {
  const allow = new Set((options.allow ?? []).map((place) => place.trim().toLowerCase()))
  const timeoutMs = options.timeoutMs ?? fetchLimits.TIMEOUT_MS_DEFAULT
  const agentOptions = { allow, resolve: options.resolve ?? resolveBySystem, timeoutMs }
  let agent: Promise<Dispatcher> | undefined
  const settings = { allow, bytesMax: options.bytesMax ?? fetchLimits.BYTES_MAX_DEFAULT, userAgent: options.userAgent ?? 'Holdfast' }
  return {
    get: async (url, request) => {
      const deadline = AbortSignal.timeout(timeoutMs)
      const signal = request.signal === undefined ? deadline : AbortSignal.any([deadline, request.signal])
      try {
        const start = readUrl(url)
        agent ??= makeAgent(agentOptions)
        return await follow({ ...settings, agent: await agent }, start, { types: request.types, signal })
      } catch (error) {
        const { code, message } = refusalOf(error, deadline)
        return { kind: 'refused', code, message, status: error instanceof StatusRefusal ? error.status : undefined }
      }
    },
    [Symbol.asyncDispose]: async () => (await agent)?.destroy(),
  }
}

/** The client's code is large, and most servers never need it: it is loaded with the first request. */
async function makeAgent(options: GuardedAgentOptions): Promise<Dispatcher> {
  const { createGuardedAgent } = await import('./guarded-agent.ts')
  return createGuardedAgent(options)
}

class StatusRefusal extends FetchRefusal {
  readonly status: number

  constructor(status: number) {
    super('status', `The server answered ${status}.`)
    this.status = status
  }
}

interface Settings {
  readonly agent: Dispatcher
  readonly allow: ReadonlySet<string>
  readonly bytesMax: number
  readonly userAgent: string
}

type BoundRequest = Required<FetchRequest>

const redirectStatuses = new Set([301, 302, 303, 307, 308])

async function follow(settings: Settings, start: URL, request: BoundRequest): Promise<Fetched> {
  let url = start
  for (let redirects = 0; redirects <= fetchLimits.REDIRECTS_MAX; redirects += 1) {
    checkPort(settings.allow, placeOf(url))
    const answer = await ask(settings, url, request)
    const location = headerOf(answer, 'location')
    if (!redirectStatuses.has(answer.statusCode) || location === undefined) return read(settings, answer, { url, request })
    // Nothing of its body is wanted; the connection ends with it.
    answer.body.on('error', () => {}).destroy()
    url = readUrl(location, url)
  }
  throw new FetchRefusal('redirects', `There are more than ${fetchLimits.REDIRECTS_MAX} redirects.`)
}

function ask({ agent, userAgent }: Settings, url: URL, { types, signal }: BoundRequest): Promise<Dispatcher.ResponseData> {
  const headers = { accept: types.join(', '), 'accept-encoding': 'gzip, deflate, br', 'user-agent': userAgent }
  return agent.request({ origin: url.origin, path: `${url.pathname}${url.search}`, method: 'GET', headers, signal })
}

async function read({ bytesMax }: Settings, answer: Dispatcher.ResponseData, { url, request }: { readonly url: URL; readonly request: BoundRequest }): Promise<Fetched> {
  try {
    if (answer.statusCode < 200 || answer.statusCode > 299) throw new StatusRefusal(answer.statusCode)
    const [type = '', ...parameters] = (headerOf(answer, 'content-type') ?? '').split(';').map((part) => part.trim())
    if (!request.types.includes(type.toLowerCase())) throw new FetchRefusal('type', `The server answered with the type "${type.slice(0, 60)}".`)
    const body = await readBody(answer.body, { encoding: headerOf(answer, 'content-encoding'), length: headerOf(answer, 'content-length'), bytesMax, signal: request.signal })
    return { kind: 'fetched', url: url.href, type: type.toLowerCase(), charset: charsetOf(parameters), body }
  } finally {
    answer.body.on('error', () => {}).destroy()
  }
}

function charsetOf(parameters: readonly string[]): string | undefined {
  const charset = parameters.find((parameter) => /^charset=/i.test(parameter))
  return charset?.slice('charset='.length).replaceAll('"', '').trim().toLowerCase()
}

function headerOf({ headers }: Dispatcher.ResponseData, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

async function resolveBySystem(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true, verbatim: true })
  return found.map(({ address }) => address)
}

/** What stopped the exchange. The client library wraps or passes on what the guard threw. */
function refusalOf(error: unknown, deadline: AbortSignal): FetchRefusal {
  if (error instanceof FetchRefusal) return error
  if (error instanceof Error && error.cause instanceof FetchRefusal) return error.cause
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (deadline.aborted || code.endsWith('_TIMEOUT')) return new FetchRefusal('timeout', 'The server took too long.')
  return new FetchRefusal('error', `The server could not be reached${code === '' ? '' : ` (${code})`}.`)
}
