/** The name that was probably meant: at most a third of its letters away, else undefined. */
export function nearestName(typed: string, names: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const name of names) {
    const steps = stepsBetween(typed, name)
    if (steps < least) [nearest, least] = [name, steps]
  }
  return nearest !== undefined && least <= Math.max(1, Math.floor(nearest.length / 3)) ? nearest : undefined
}

/** Letters to add, drop, replace or swap with their neighbour (optimal string alignment distance). */
function stepsBetween(one: string, other: string): number {
  let [beforeLast, last]: [number[], number[]] = [[], Array.from({ length: other.length + 1 }, (_, column) => column)]
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= other.length; column += 1) {
      const same = one[row - 1] === other[column - 1]
      const steps = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + (same ? 0 : 1))
      const swapped = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      current.push(swapped ? Math.min(steps, (beforeLast[column - 2] ?? 0) + 1) : steps)
    }
    ;[beforeLast, last] = [last, current]
  }
  return last[other.length] ?? 0
}
