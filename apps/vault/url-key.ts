import { vaultLimits } from './limits.ts'

/** Parameters that say where a visitor came from, and not which page it is. */
const tracking = /^(?:utm_.*|fbclid|gclid|mc_cid|mc_eid)$/i

/** An http(s) address as it was written, when it may be an item's: well-formed, not too long, without user and password. */
export function readAddress(text: string): string | undefined {
  const address = text.trim()
  if (address.length > vaultLimits.URL_CHARS_MAX || !/^https?:\/\/[^\s\p{Cc}]+$/iu.test(address) || !address.isWellFormed()) return undefined
  const url = URL.parse(address)
  return url === null || url.username !== '' || url.password !== '' || url.hostname === '' ? undefined : address
}

/** What two addresses of one page have in common; null for what is no address of an item. */
export function urlKeyOf(text: string): string | null {
  const address = readAddress(text)
  const url = address === undefined ? null : URL.parse(address)
  if (url === null) return null
  // Host in lower case and a missing default port come from parsing. Parameters stay as they are written: parsing them would spell some anew.
  const parameters = url.search
    .slice(1)
    .split('&')
    .filter((parameter) => parameter !== '' && !tracking.test(parameter.split('=', 1)[0] ?? ''))
  const query = parameters.length === 0 ? '' : `?${parameters.join('&')}`
  const key = `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}${query}`
  return key.length > vaultLimits.URL_CHARS_MAX ? null : key
}
