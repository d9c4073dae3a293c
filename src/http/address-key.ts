import { isIPv6 } from 'node:net'

/** What an address counts as when requests are limited: IPv4 by itself, IPv6 by its /64, which one customer has to himself. */
export function addressKey(address: string): string {
  const plain = address.replace(/%.*$/, '').toLowerCase()
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)
  if (mapped !== null) return mapped[1] ?? plain
  return isIPv6(plain) ? `${groupsOf(plain).slice(0, 4).join(':')}::/64` : plain
}

/** The eight groups of an IPv6 address, without leading zeros. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.split('::')
  const first = splitGroups(head)
  if (tail === undefined) return first
  const last = splitGroups(tail)
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => '0'), ...last]
}

/** An IPv4 ending stands for two groups; it is never among the first four. */
function splitGroups(text: string): string[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => (group.includes('.') ? [group, '0'] : [group.replace(/^0+(?=.)/, '')]))
}
