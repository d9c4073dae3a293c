/** Mutation numbers that a client's server has decided: closed ranges, ascending, never touching. Parked ones leave gaps. */
export type DecidedRanges = readonly (readonly [first: number, last: number])[]

export function isDecided(ranges: DecidedRanges, n: number): boolean {
  const range = ranges[firstEndingAt(ranges, n)]
  return range !== undefined && range[0] <= n
}

/** Index of the first range that ends at `n` or behind it; the number of ranges when there is none. */
function firstEndingAt(ranges: DecidedRanges, n: number): number {
  let [low, high] = [0, ranges.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[middle]?.[1] ?? 0) < n) low = middle + 1
    else high = middle
  }
  return low
}

/** The ranges with all the numbers among them, in one pass however many there are of either. */
export function addDecided(ranges: DecidedRanges, numbers: readonly number[]): DecidedRanges {
  const added = numbers.toSorted((one, other) => one - other)
  const joined: [first: number, last: number][] = []
  const append = (first: number, last: number) => {
    const before = joined.at(-1)
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last)
    else joined.push([first, last])
  }
  let next = 0
  for (const [first, last] of ranges) {
    for (; next < added.length && (added[next] ?? 0) < first; next += 1) append(added[next] ?? 0, added[next] ?? 0)
    append(first, last)
  }
  for (; next < added.length; next += 1) append(added[next] ?? 0, added[next] ?? 0)
  return joined
}
