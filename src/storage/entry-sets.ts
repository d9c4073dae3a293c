/** Entries of the index of the search: numbers in rising order, each once. */
export type EntrySet = readonly number[]

/** Numbers in any order as a set. */
export function entrySetOf(numbers: readonly number[]): EntrySet {
  const sorted = Float64Array.from(numbers).sort()
  const entries: number[] = []
  for (const entry of sorted) if (entry !== entries.at(-1)) entries.push(entry)
  return entries
}

/** What is in both. */
export function inBoth(one: EntrySet, other: EntrySet): EntrySet {
  const has = memberTest(other)
  return one.filter(has)
}

/** What is in one of them at least. */
export function inEither(one: EntrySet, other: EntrySet): EntrySet {
  if (one.length === 0) return other
  return other.length === 0 ? one : entrySetOf([...one, ...other])
}

/** Whether an entry is in the set, asked in rising order. */
export function memberTest(entries: EntrySet): (entry: number) => boolean {
  let at = 0
  return (entry) => {
    while ((entries[at] ?? Infinity) < entry) at += 1
    return entries[at] === entry
  }
}
