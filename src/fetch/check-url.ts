import { fetchLimits } from './fetch-limits.ts'
import { FetchRefusal } from './fetch-refusal.ts'

const standardPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

/** Reads an address, by itself or as a redirect from `from`. Throws `invalid` for what is not http(s), carries user info or is too long. */
export function readUrl(text: string, from?: URL): URL {
  if (text.length > fetchLimits.URL_CHARS_MAX) throw new FetchRefusal('invalid', 'The address is too long.')
  const url = URL.parse(text, from)
  if (url === null) throw new FetchRefusal('invalid', 'This is not an address.')
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new FetchRefusal('invalid', 'Only http and https addresses are fetched.')
  if (url.username !== '' || url.password !== '') throw new FetchRefusal('invalid', 'An address with user name or password is not fetched.')
  url.hash = ''
  return url
}

/** Where an allow list of `host` or `host:port` names a place that is exempt from the checks of port and address. */
export function isAllowed(allow: ReadonlySet<string>, { host, port }: Place): boolean {
  const name = host.toLowerCase()
  return allow.has(name) || allow.has(`${name}:${port}`)
}

export interface Place {
  /** As a URL has it; IPv6 without brackets. */
  readonly host: string
  readonly port: string
}

export function placeOf(url: URL): Place {
  return { host: url.hostname.replaceAll(/^\[|\]$/g, ''), port: url.port === '' ? (standardPorts[url.protocol] ?? '') : url.port }
}

/** Throws `blocked` for another port than 80 and 443, unless it is allowed. */
export function checkPort(allow: ReadonlySet<string>, place: Place): void {
  if (Object.values(standardPorts).includes(place.port) || isAllowed(allow, place)) return
  throw new FetchRefusal('blocked', `Port ${place.port} is not fetched from.`)
}
