import ipaddr from 'ipaddr.js'

/**
 * What an address counts as when requests are limited: IPv4 by itself, also inside IPv6; IPv6 by its /64, which one customer has to
 * himself. Some proxies name the caller's port as well.
 */
export function addressKey(address: string): string {
  const plain = withoutPort(address).replace(/%.*$/, '').toLowerCase()
  if (!ipaddr.isValid(plain)) return plain
  const read = ipaddr.process(plain)
  if (!(read instanceof ipaddr.IPv6)) return read.toString()
  const network = read.parts.slice(0, 4).map((part) => part.toString(16))
  return `${network.join(':')}::/64`
}

/** `1.2.3.4:5` and `[::1]:5` by their address: with the port each connection would count by itself. */
function withoutPort(address: string): string {
  return (/^\[([^\]]*)\](?::\d+)?$/.exec(address) ?? /^(\d+(?:\.\d+){3}):\d+$/.exec(address))?.[1] ?? address
}
