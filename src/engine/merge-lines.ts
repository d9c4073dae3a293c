import type { FieldJoin } from '../app/conflict-policy.ts'
import { diffLines, type Hunk } from './diff-lines.ts'

/** Lines of one side above which a text is not merged. */
const LINES_MAX = 10_000

/** Joins a text by lines, three ways. Hunks of both sides that overlap or touch are a conflict, equal ones are not. */
export const mergeLines: FieldJoin = (base, server, client) => {
  if (typeof base !== 'string' || typeof server !== 'string' || typeof client !== 'string') return { kind: 'conflict' }
  const baseLines = base.split('\n')
  const sides = [server.split('\n'), client.split('\n')] as const
  if ([baseLines, ...sides].some((lines) => lines.length > LINES_MAX)) return { kind: 'conflict' }
  const merged = joinHunks(diffLines(baseLines, sides[0]), diffLines(baseLines, sides[1]))
  return merged === undefined ? { kind: 'conflict' } : { kind: 'joined', value: applyHunks(baseLines, merged).join('\n') }
}

/** Both sides' hunks in the order of the base, or undefined where they meet. */
function joinHunks(left: readonly Hunk[], right: readonly Hunk[]): Hunk[] | undefined {
  const joined = [...left]
  for (const hunk of right) {
    const met = left.filter((other) => touch(other, hunk))
    if (met.length === 0) joined.push(hunk)
    else if (met.length > 1 || !sameHunk(met[0] as Hunk, hunk)) return undefined
  }
  return joined.toSorted((one, other) => one.start - other.start)
}

function touch(one: Hunk, other: Hunk): boolean {
  return one.start <= other.start + other.length && other.start <= one.start + one.length
}

function sameHunk(one: Hunk, other: Hunk): boolean {
  return one.start === other.start && one.length === other.length && one.lines.join('\n') === other.lines.join('\n')
}

function applyHunks(base: readonly string[], hunks: readonly Hunk[]): string[] {
  const result: string[] = []
  let next = 0
  for (const { start, length, lines } of hunks) {
    result.push(...base.slice(next, start), ...lines)
    next = start + length
  }
  result.push(...base.slice(next))
  return result
}
