/** Mutation numbers that a client's server has decided: closed ranges, ascending, never touching. Parked ones leave gaps. */
export type DecidedRanges = readonly (readonly [first: number, last: number])[]

export function isDecided(ranges: DecidedRanges, n: number): boolean {
  return ranges.some(([first, last]) => first <= n && n <= last)
}

/** The ranges with `n` among them. */
export function addDecided(ranges: DecidedRanges, n: number): DecidedRanges {
  const last = ranges.at(-1)
  if (last !== undefined && n === last[1] + 1) return [...ranges.slice(0, -1), [last[0], n]]
  if (isDecided(ranges, n)) return ranges
  const joined: [number, number][] = []
  let [first, end] = [n, n]
  for (const range of ranges) {
    if (range[1] + 1 < first || range[0] > end + 1) joined.push([range[0], range[1]])
    else [first, end] = [Math.min(first, range[0]), Math.max(end, range[1])]
  }
  return [...joined, [first, end] as [number, number]].toSorted((one, other) => one[0] - other[0])
}
