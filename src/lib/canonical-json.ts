import type { JsonValue } from './json.ts'

/** Canonical JSON: keys sorted by UTF-16 code unit at every depth, no white space, scalars as `JSON.stringify` writes them. */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item as JsonValue)).join(',')}]`
  const object = value as { readonly [key: string]: JsonValue }
  const members = Object.keys(object)
    .toSorted(byCodeUnit)
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(object[key] as JsonValue)}`)
  return `{${members.join(',')}}`
}

function byCodeUnit(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}
