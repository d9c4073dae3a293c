/** What `HOLDFAST_VAULT_…` decides. Times are milliseconds. */
export interface VaultSettings {
  /** `off`: every capture is MANUAL. */
  readonly ai: 'local' | 'stub' | 'openai' | 'off'
  /** Set when `ai` is `openai`. */
  readonly openai: OpenAiSettings | undefined
  /** One provider exchange, first to last byte. */
  readonly aiTimeoutMs: number
  /** Provider calls at once in one process. */
  readonly concurrency: number
  /** Longest time without a look for work. */
  readonly pollMs: number
  /** How long a claim holds without a sign of life. */
  readonly leaseMs: number
  /** Provider calls of one run. */
  readonly attemptsMax: number
  /** Waits after the first, second… failure; the last repeats. */
  readonly retryDelaysMs: readonly number[]
  /** Enrichments started per space and UTC day; undefined when there is no limit. */
  readonly dailyLimit: number | undefined
  /** Another body under a used key is refused. */
  readonly strictIdempotency: boolean
  readonly idempotencyLifeMs: number
  /** Whether pages are fetched. */
  readonly fetch: boolean
  /** `host` or `host:port` that are fetched whatever their address. */
  readonly fetchAllow: readonly string[]
  /** DISCARDED items older than this are deleted for good; undefined for never. */
  readonly trashMs: number | undefined
  /** `HOLDFAST_DEV_AUTH`: `X-Dev-User-Id` signs in. */
  readonly devAuth: boolean
}

export interface OpenAiSettings {
  readonly url: string
  readonly key: string | undefined
  readonly model: string
  readonly format: 'json_schema' | 'json_object'
}

const DAY_MS = 86_400_000
/** Longest time that a timer keeps, in milliseconds. */
const TIMER_MS_MAX = 2_147_483_647
const RETRY_DELAYS_MAX = 100
const FETCH_ALLOW_MAX = 1_000

type Environment = Readonly<Record<string, string | undefined>>

/** Reads the settings from the environment. Throws one error that lists everything that is wrong; a secret is never repeated. */
export function readSettings(environment: Environment): VaultSettings {
  const problems: string[] = []
  const read = <Value>(name: string, byDefault: Value, parse: (text: string) => Value | undefined, advice: string): Value => {
    const text = environment[name]
    if (text === undefined || text === '') return byDefault
    const value = parse(text)
    if (value === undefined) problems.push(`${name}: ${advice}`)
    return value ?? byDefault
  }
  const own = <Value>(name: string, byDefault: Value, parse: (text: string) => Value | undefined, advice: string) => read(`HOLDFAST_VAULT_${name}`, byDefault, parse, advice)
  const whole = (name: string, byDefault: number, [least, most]: readonly [number, number]) => own(name, byDefault, wholeNumber(least, most), `Give a whole number from ${least} to ${most}.`)
  const zeroOrOne = (name: string, byDefault: boolean) => own(name, byDefault, flag, 'Give 1 or 0.')

  const ai = own('AI', 'local', oneOf('local', 'stub', 'openai', 'off'), 'Give local, stub, openai or off.')
  const format = own('AI_FORMAT', 'json_schema', oneOf('json_schema', 'json_object'), 'Give json_schema or json_object.')
  const url = own('AI_URL', undefined, address, 'Give the http(s) address of the provider, such as http://127.0.0.1:11434/v1, without user, ? and #.')
  const key = own('AI_KEY', undefined, headerText, 'Give the key without blanks and line breaks.')
  const model = own('AI_MODEL', undefined, plainText, 'Give the name of a model, of at most 200 characters.')
  const dailyLimit = whole('DAILY_LIMIT', 0, [0, 1_000_000_000])
  const trashDays = whole('TRASH_DAYS', 30, [0, 36_500])
  const settings: VaultSettings = {
    ai,
    openai: ai === 'openai' && url !== undefined && model !== undefined ? { url, key, model, format } : undefined,
    aiTimeoutMs: whole('AI_TIMEOUT_MS', 30_000, [1, TIMER_MS_MAX]),
    concurrency: whole('CONCURRENCY', 4, [1, 1_000]),
    pollMs: whole('POLL_MS', 2_000, [10, TIMER_MS_MAX]),
    leaseMs: whole('LEASE_MS', 60_000, [100, TIMER_MS_MAX]),
    attemptsMax: whole('MAX_ATTEMPTS', 3, [1, 100]),
    retryDelaysMs: own('RETRY_DELAYS_MS', [2_000, 30_000], listOf(wholeNumber(0, TIMER_MS_MAX), RETRY_DELAYS_MAX), 'Give milliseconds, separated by commas, such as 2000,30000.'),
    dailyLimit: dailyLimit === 0 ? undefined : dailyLimit,
    strictIdempotency: zeroOrOne('STRICT_IDEMPOTENCY', false),
    idempotencyLifeMs: whole('IDEMPOTENCY_TTL_SECONDS', 86_400, [1, 315_360_000]) * 1_000,
    fetch: zeroOrOne('FETCH', true),
    fetchAllow: own('FETCH_ALLOW', [], listOf(hostAndPort, FETCH_ALLOW_MAX), 'Give hosts with or without a port, separated by commas, such as wiki.local,127.0.0.1:8080.'),
    trashMs: trashDays === 0 ? undefined : trashDays * DAY_MS,
    devAuth: read('HOLDFAST_DEV_AUTH', false, flag, 'Give 1 or 0.'),
  }
  const isSet = (name: string) => (environment[`HOLDFAST_VAULT_${name}`] ?? '') !== ''
  for (const name of ai === 'openai' ? ['AI_URL', 'AI_MODEL'] : []) {
    if (!isSet(name)) problems.push(`HOLDFAST_VAULT_${name}: HOLDFAST_VAULT_AI=openai needs it. Set it, or choose another provider.`)
  }
  if (problems.length > 0) throw new Error(problems.join(' '))
  return settings
}

function wholeNumber(least: number, most: number): (text: string) => number | undefined {
  return (text) => {
    const value = Number(text)
    return /^\d{1,16}$/.test(text) && value >= least && value <= most ? value : undefined
  }
}

function oneOf<const Choice extends string>(...choices: readonly Choice[]): (text: string) => Choice | undefined {
  return (text) => choices.find((choice) => choice === text)
}

function flag(text: string): boolean | undefined {
  return text === '1' ? true : text === '0' ? false : undefined
}

function listOf<Item>(parse: (text: string) => Item | undefined, itemsMax: number): (text: string) => readonly Item[] | undefined {
  return (text) => {
    const parts = text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
    const items = parts.flatMap((part) => parse(part) ?? [])
    return items.length === parts.length && parts.length > 0 && parts.length <= itemsMax ? items : undefined
  }
}

/** An http(s) address without a slash at the end. */
function address(text: string): string | undefined {
  const url = URL.parse(text)
  const fits = url !== null && ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  return fits ? text.replace(/\/+$/, '') : undefined
}

/** Text that can stand in a header. */
function headerText(text: string): string | undefined {
  return /^[\x21-\x7e]{1,4096}$/.test(text) ? text : undefined
}

function plainText(text: string): string | undefined {
  return /^\P{Cc}{1,200}$/u.test(text) ? text : undefined
}

/** `host` or `host:port`, an IPv6 address in brackets; in lower case. */
function hostAndPort(text: string): string | undefined {
  const match = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(\d{1,5}))?$/.exec(text)
  return match !== null && Number(match[1] ?? 1) >= 1 && Number(match[1] ?? 1) <= 65_535 ? text.toLowerCase() : undefined
}
