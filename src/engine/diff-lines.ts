/** A stretch of lines that one text has in the place of another's. */
export interface Hunk {
  /** First line of the base that is replaced, and how many. */
  readonly start: number
  readonly length: number
  readonly lines: readonly string[]
}

/**
 * Lines removed and added that are looked for one by one. Texts that differ by more are told apart by one hunk for all that lies
 * between their common beginning and end: the work for texts of n lines is at most n times this, whatever stands in them.
 */
const EDITS_MAX = 400

/** The shortest way from one text to the other (Myers 1986), as hunks in the order of the base. */
export function diffLines(base: readonly string[], side: readonly string[]): Hunk[] {
  let head = 0
  while (head < base.length && head < side.length && base[head] === side[head]) head += 1
  let tail = 0
  while (tail < base.length - head && tail < side.length - head && base[base.length - 1 - tail] === side[side.length - 1 - tail]) tail += 1
  const ids = new Map<string, number>()
  const numbered = (lines: readonly string[]) => Int32Array.from(lines.slice(head, lines.length - tail), (line) => idOf(ids, line))
  const [before, after] = [numbered(base), numbered(side)]
  if (before.length === 0 && after.length === 0) return []
  return changesOf(before, after).map(({ start, length, sideStart, sideEnd }) => ({ start: head + start, length, lines: side.slice(head + sideStart, head + sideEnd) }))
}

/** Equal lines have equal numbers. */
function idOf(ids: Map<string, number>, line: string): number {
  const known = ids.get(line)
  if (known !== undefined) return known
  ids.set(line, ids.size)
  return ids.size - 1
}

interface Change {
  readonly start: number
  readonly length: number
  readonly sideStart: number
  readonly sideEnd: number
}

function changesOf(before: Int32Array, after: Int32Array): Change[] {
  const reached = furthestReached(before, after)
  if (reached === undefined) return [{ start: 0, length: before.length, sideStart: 0, sideEnd: after.length }]
  // From the end back to the beginning: before each edit stands a stretch of equal lines.
  const changes: Change[] = []
  let [x, y] = [before.length, after.length]
  for (let edits = reached.length; edits > 0; edits -= 1) {
    const earlier = reached[edits - 1] ?? new Int32Array(0)
    const diagonal = previousDiagonal(earlier, edits, x - y)
    const fromX = earlier[diagonal + edits - 1] ?? 0
    const fromY = fromX - diagonal
    const [toX, toY] = diagonal > x - y ? [fromX, fromY + 1] : [fromX + 1, fromY]
    const last = changes.at(-1)
    if (last !== undefined && last.start === toX && last.sideStart === toY) changes[changes.length - 1] = { ...last, start: fromX, length: last.length + toX - fromX, sideStart: fromY }
    else changes.push({ start: fromX, length: toX - fromX, sideStart: fromY, sideEnd: toY })
    ;[x, y] = [fromX, fromY]
  }
  return changes.toReversed()
}

/**
 * How far down each diagonal one gets with 0, 1, 2 … edits, up to the number of edits that is not enough; undefined when more would
 * be needed than are looked for. The entry for `edits` holds the diagonals from -edits to edits.
 */
function furthestReached(before: Int32Array, after: Int32Array): Int32Array[] | undefined {
  const reached: Int32Array[] = []
  for (let edits = 0; edits <= EDITS_MAX; edits += 1) {
    const earlier = reached[edits - 1] ?? new Int32Array(0)
    const now = new Int32Array(2 * edits + 1)
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const previous = previousDiagonal(earlier, edits, diagonal)
      let x = edits === 0 ? 0 : (earlier[previous + edits - 1] ?? 0) + (previous < diagonal ? 1 : 0)
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x += 1
      now[diagonal + edits] = x
      if (x >= before.length && x - diagonal >= after.length) return reached
    }
    reached.push(now)
  }
  return undefined
}

/** Where the last edit came from: a line added comes from the diagonal above, a line removed from the one below. */
function previousDiagonal(earlier: Int32Array, edits: number, diagonal: number): number {
  if (diagonal === -edits) return diagonal + 1
  if (diagonal === edits) return diagonal - 1
  const [below, above] = [earlier[diagonal - 1 + edits - 1] ?? 0, earlier[diagonal + 1 + edits - 1] ?? 0]
  return below < above ? diagonal + 1 : diagonal - 1
}
