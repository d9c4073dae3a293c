import ipaddr from 'ipaddr.js'

/** Addresses of the public internet alone; everything that is newly assigned to IPv6 and unknown here is outside. */
const publicIpv6 = ipaddr.IPv6.parseCIDR('2000::/3')

/** Metadata services that answer on an address that looks public. */
const metadataAddresses = new Set(['168.63.129.16'])

/**
 * True for an address of the public internet. False for private, loopback, link-local, shared (RFC 6598), multicast, unspecified, documentation and
 * reserved addresses (RFC 6890), metadata services, and every IPv6 address that carries an IPv4 one: mapped, translated (RFC 6052, 8215, 6145), 6to4,
 * Teredo and ISATAP, because whoever translates it may reach what we may not.
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text) || metadataAddresses.has(text)) return false
  const address = ipaddr.parse(text)
  if (address.range() !== 'unicast') return false
  if (!(address instanceof ipaddr.IPv6)) return true
  return address.zoneId === undefined && address.match(publicIpv6) && !isIsatap(address)
}

/** RFC 5214: the interface id is 0:5efe or 200:5efe and an IPv4 address. */
function isIsatap({ parts }: ipaddr.IPv6): boolean {
  return (parts[4] === 0 || parts[4] === 0x200) && parts[5] === 0x5efe
}
